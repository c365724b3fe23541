"""The caller's side: what is kept of a call that begins, for its callbacks. Every microsecond here is the caller's."""

from __future__ import annotations

import sys
from contextvars import copy_context
from itertools import count

from edgequake_obs import _native
from edgequake_obs.integrations.custom_logger import CustomLogger

from . import worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Mapping, Sequence
    from contextvars import Context
    from typing import Any

    from .targets import Callback

    Callbacks = Sequence[Callback]

_tickets = count(1)
_package = vars(sys.modules["edgequake_obs"])

# litellm's names, as globals and as arguments of one call.
LISTS = ("callbacks", "success_callback", "failure_callback", "input_callback")


class _Otel:
    is_on = False


def _as_it_stands(registered: object) -> object:
    """What compares equal to what is registered, until that changes."""
    return registered[:] if type(registered) is list else registered  # pyright: ignore[reportUnknownVariableType]


def _copied(registered: object) -> Callbacks:
    # litellm's users also set a single callback where a list is meant.
    if isinstance(registered, (list, tuple)):
        return tuple(registered)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return () if registered is None else (registered,)


def _running_loop() -> AbstractEventLoop | None:
    asyncio = sys.modules.get("asyncio")
    get: Callable[[], AbstractEventLoop | None] | None = getattr(asyncio, "_get_running_loop", None)
    return None if get is None else get()


def _has_own(callback: object, *names: str) -> bool:
    """Whether it has such a method that is not litellm's empty one."""
    return any(getattr(type(callback), name, None) not in (None, getattr(CustomLogger, name)) for name in names)


def _listens_to_chunks(callback: object) -> bool:
    return _has_own(callback, "log_stream_event", "async_log_stream_event")


def _listens_to_beginnings(callback: object) -> bool:
    # A name that nobody serves is warned of as early as can be.
    return isinstance(callback, str) or _has_own(callback, "log_pre_api_call")


class Registered:
    """The callbacks as they stand, until the program changes them.

    Attributes:
        lists: What stood under each of litellm's names.
        both: Callbacks for every call, whatever comes of it.
        wants: 1 where the beginning of a call is to be told, 2 more where each chunk of a stream is.
    """

    def __init__(self, lists: tuple[object, ...]) -> None:
        self.lists: tuple[object, ...] = tuple(map(_as_it_stands, lists))
        self.both, self.success, self.failure, self.input = map(_copied, self.lists)
        wants_chunks = any(map(_listens_to_chunks, (*self.both, *self.success)))
        # An event of a stream says when the call began.
        wants_beginning = wants_chunks or self.input or any(map(_listens_to_beginnings, self.both))
        self.wants = bool(wants_beginning) + 2 * wants_chunks
        if not _Otel.is_on and any("otel" in names for names in (self.both, self.success, self.failure)):
            _Otel.is_on = True
            _native.configure(litellm_otel=True)


class Observed:
    """A call as it began, and the callbacks as they stood then."""

    __slots__ = ("address", "context", "input", "loop", "model", "operation", "params", "provider", "registered")

    def __init__(
        self,
        registered: Registered,
        loop: AbstractEventLoop | None,
        context: Context,
        operation: str,
        provider: str,
        model: str | None,
        address: str | None,
        input: object,
        params: Mapping[str, object],
    ) -> None:
        self.registered = registered
        self.loop = loop
        self.context = context
        self.operation = operation
        self.provider = provider
        self.model = model
        self.address = address
        self.input = input
        self.params = params


# What `Observed` is made of, of each call under way, by its ticket: made only where somebody looks.
open_calls: dict[int, tuple[Any, ...]] = {}

_registered = Registered(((), (), (), ()))


def observe(
    asynchronous: bool,
    has_own: bool,
    operation: str,
    provider: str,
    model: str | None,
    address: str | None,
    input: object,
    params: Mapping[str, object] | None,
) -> tuple[int, int]:
    """A call begins and callbacks are registered.

    Args:
        asynchronous: Whether the call's loop is to await what can be awaited.
        has_own: Whether the call has callbacks of its own among its parameters.

    Returns:
        The call's ticket, and what is to be told of it before its end: `Registered.wants`.
    """
    global _registered  # noqa: PLW0603 - made anew when the program changes its callbacks
    of = _package
    lists = (of["callbacks"], of["success_callback"], of["failure_callback"], of["input_callback"])
    registered = _registered
    if registered.lists != lists:
        registered = _registered = Registered(lists)
    if has_own and params is not None:
        own = zip(registered.lists, (params.get(name) for name in LISTS), strict=True)
        registered = Registered(tuple([*_copied(found), *_copied(more)] for found, more in own))
    ticket = next(_tickets)
    open_calls[ticket] = (
        registered,
        _running_loop() if asynchronous else None,
        copy_context(),
        operation,
        provider,
        model,
        address,
        # The program may go on with its list of messages before the callbacks are told.
        input[:] if type(input) is list else input,  # type: ignore[misc]
        params or {},
    )
    if not worker.State.is_running:
        worker.start()
    return ticket, registered.wants
