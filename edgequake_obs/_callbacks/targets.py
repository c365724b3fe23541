"""Calling what a program registered: functions and objects, on this thread or on the caller's loop."""

from __future__ import annotations

from inspect import iscoroutinefunction
from logging import getLogger
from threading import Condition
from time import monotonic

from edgequake_obs.redaction import redacted_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Awaitable, Callable
    from typing import Any, TypeAlias

    from .observing import Observed

    # A function, an object with litellm's methods, or the name of a service.
    Callback: TypeAlias = Any

_warned: set[object] = set()

_under_way = 0
_finished = Condition()

# Services by the name that litellm's users register, and what serves them here.
_INSTEAD = {
    "langfuse": "send spans to langfuse's OTLP endpoint, or register a CustomLogger",
    "langfuse_otel": "send spans to langfuse's OTLP endpoint, or register a CustomLogger",
    "arize_phoenix": "send spans to Phoenix' OTLP endpoint, or register a CustomLogger",
    "datadog": "send spans to the agent's OTLP port, or register a CustomLogger",
    "prometheus": "query the ledger, or register a CustomLogger that counts",
}
_ANYTHING = "register a function or a CustomLogger object instead"


def is_served(callback: Callback) -> bool:
    """Whether there is something to call; a name gets its one warning."""
    if not isinstance(callback, str):
        return True
    if callback == "otel":  # spans and metrics, which take no callback
        return False
    if callback not in _warned:
        _warned.add(callback)
        instead = _INSTEAD.get(callback, _ANYTHING)
        getLogger("edgequake_obs").warning("the callback %r is not served: %s", callback, instead)
    return False


def run(observed: Observed, callback: Callable[..., object], *arguments: object) -> None:
    """Call it in the caller's context; what it raises is logged, once for each callback."""
    try:
        observed.context.copy().run(callback, *arguments)
    except Exception as error:
        _raised(callback, error)


def run_asynchronously(observed: Observed, callback: Callable[..., Any], *arguments: object) -> None:
    """Have the caller's loop await it, after those of this call before it; where that loop has ended, one of ours."""
    global _under_way  # noqa: PLW0603 - counted for `finish_asynchronous`
    loop = observed.loop
    if loop is None or loop.is_closed():
        _run_here(observed, callback, arguments)
        return
    queue = _queues.setdefault(id(observed), _Queue(observed))
    with _finished:
        _under_way += 1
    try:
        loop.call_soon_threadsafe(queue.add, callback, arguments, context=observed.context.copy())
    except RuntimeError:  # it was closed in between
        _one_less()
        _run_here(observed, callback, arguments)


def forget(observed: Observed) -> None:
    """Nothing more comes of a call."""
    _queues.pop(id(observed), None)


def finish_asynchronous(deadline: float) -> bool:
    """Wait until the loops have awaited what they were given; not on one of these loops' own threads."""
    from asyncio import _get_running_loop

    with _finished:
        while _under_way > 0:
            left = deadline - monotonic()
            if left <= 0 or _get_running_loop() is not None or not _finished.wait(left):
                return False
    return True


class _Queue:
    """The awaitables of one call, one after the other, on its loop."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self._last: Task[None] | None = None

    def add(self, callback: Callable[..., Awaitable[object]], arguments: tuple[object, ...]) -> None:
        from asyncio import get_running_loop

        self._last = get_running_loop().create_task(self._await(self._last, callback, arguments))
        self._last.add_done_callback(lambda _: _one_less())

    async def _await(
        self, before: Task[None] | None, callback: Callable[..., Awaitable[object]], arguments: tuple[object, ...]
    ) -> None:
        if before is not None and not before.done():
            await before
        try:
            await callback(*arguments)
        except Exception as error:
            _raised(callback, error)


_queues: dict[int, _Queue] = {}


def _one_less() -> None:
    global _under_way  # noqa: PLW0603 - as above
    with _finished:
        _under_way -= 1
        _finished.notify_all()


def _run_here(observed: Observed, callback: Callable[..., Awaitable[object]], arguments: tuple[object, ...]) -> None:
    from asyncio import run as run_to_its_end

    async def awaited() -> None:
        await callback(*arguments)

    run(observed, lambda: run_to_its_end(awaited()))


def _raised(callback: object, error: Exception) -> None:
    name = getattr(callback, "__qualname__", None) or type(callback).__qualname__
    if name in _warned:
        return
    _warned.add(name)
    getLogger("edgequake_obs").warning(
        "the callback %s raised %s: %s; the call went on, and this is said once",
        name,
        type(error).__name__,
        redacted_text(str(error)),
    )


def is_asynchronous(callback: Callback) -> bool:
    """Whether calling it gives something to await."""
    return iscoroutinefunction(callback) or iscoroutinefunction(getattr(callback.__class__, "__call__", None))  # noqa: B004 - of objects
