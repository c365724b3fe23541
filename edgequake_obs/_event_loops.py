"""The bridge of each event loop: replies come from the I/O thread through a descriptor that the loop watches."""

from __future__ import annotations

from asyncio import get_running_loop
from weakref import WeakKeyDictionary

from ._native import EventLoop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

# A loop's bridge goes with it: the bridge holds the loop only while a call is under way.
_bridges: WeakKeyDictionary[AbstractEventLoop, EventLoop] = WeakKeyDictionary()


def bridge() -> EventLoop:
    """The running loop's bridge."""
    loop = get_running_loop()
    found = _bridges.get(loop)
    if found is not None and not found.is_stale:
        return found
    if found is not None:  # inherited over a fork: its descriptor belongs to the parent too
        loop.remove_reader(found.fileno())
    made = EventLoop(_FutureMaker(loop))
    loop.add_reader(made.fileno(), made.drain)
    _bridges[loop] = made
    return made


class _FutureMaker:
    """Makes futures of a loop without keeping the loop alive."""

    __slots__ = ("_loop",)

    def __init__(self, loop: AbstractEventLoop) -> None:
        from weakref import ref

        self._loop = ref(loop)

    def __call__(self) -> object:
        loop = self._loop()
        if loop is None:
            raise RuntimeError("the event loop of this call is gone")
        return loop.create_future()
