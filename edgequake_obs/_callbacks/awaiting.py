"""Callbacks that give something to await: on the caller's loop, or on one of ours where that has ended."""

from __future__ import annotations

from itertools import count
from threading import Condition
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    from .observing import Observed
    from .targets import Callback

    Awaited: TypeAlias = Callable[..., Awaitable[object]]

# How often whoever waits looks whether a loop has ended: nothing says so.
_LOOK_SECONDS = 0.02

_numbers = count()
_finished = Condition()

# What a loop was given, until it has awaited it: a loop that ends in between forgets it without a word.
_given: dict[int, _Given] = {}

# The last task of each call: its callbacks are awaited one after the other.
_last: dict[int, Task[None]] = {}


class _Given:
    """One callback and what it is told."""

    def __init__(
        self, observed: Observed, loop: AbstractEventLoop, callback: Awaited, arguments: tuple[object, ...]
    ) -> None:
        self.observed = observed
        self.loop = loop
        self.callback = callback
        self.arguments = arguments
        self.has_begun = False
        self.was_cancelled = False

    def begin(self, number: int) -> None:
        """On the loop."""
        from asyncio import get_running_loop

        key = id(self.observed)
        task = get_running_loop().create_task(self._await(_last.get(key)))
        task.add_done_callback(lambda _: _over(number, key, task))
        _last[key] = task

    async def _await(self, before: Task[None] | None) -> None:
        if before is not None and not before.done():
            await before
        self.has_begun = True
        try:
            await self.callback(*self.arguments)
        except Exception as error:
            from . import targets

            targets.note_raised(self.callback, error)


def run_asynchronously(observed: Observed, callback: Callback, *arguments: object) -> None:
    """Have the caller's loop await it, after those of this call before it."""
    take_back()
    loop = observed.loop
    if loop is None or loop.is_closed():
        _run_here(observed, callback, arguments)
        return
    given, number = _Given(observed, loop, callback, arguments), next(_numbers)
    _given[number] = given
    try:
        loop.call_soon_threadsafe(given.begin, number, context=observed.context.copy())
    except RuntimeError:  # it was closed in between
        take_back()


def take_back() -> None:
    """Run here what loops that have ended never began; forget what they began and never finished."""
    for number, given in list(_given.items()):
        if (given.was_cancelled or given.loop.is_closed()) and _given.pop(number, None) is not None:
            if given.has_begun:
                _last.pop(id(given.observed), None)
            else:
                _run_here(given.observed, given.callback, given.arguments)


def finish(deadline: float) -> bool:
    """Wait until the loops have awaited what they were given; not on one of these loops' own threads.

    Args:
        deadline: On the monotonic clock, in seconds.

    Returns:
        Whether they have.
    """
    from asyncio import _get_running_loop

    while True:
        take_back()
        with _finished:
            if not _given:
                return True
            left = deadline - monotonic()
            if left <= 0 or _get_running_loop() is not None:
                return False
            _finished.wait(min(left, _LOOK_SECONDS))


def in_child() -> None:
    """After a fork: loops and locks are the parent's."""
    global _finished  # noqa: PLW0603 - one for the process
    _finished = Condition()
    _given.clear()
    _last.clear()


def _over(number: int, key: int, task: Task[None]) -> None:
    if _last.get(key) is task:
        del _last[key]
    with _finished:
        given = _given.get(number)
        if given is not None and not given.has_begun:
            # As `asyncio.run` does at its end, with tasks that have not had their turn too.
            given.was_cancelled = True
        else:
            _given.pop(number, None)
        _finished.notify_all()


def _run_here(observed: Observed, callback: Awaited, arguments: tuple[object, ...]) -> None:
    from asyncio import run as run_to_its_end

    from . import targets

    async def awaited() -> None:
        await callback(*arguments)

    targets.run(observed, lambda: run_to_its_end(awaited()))
