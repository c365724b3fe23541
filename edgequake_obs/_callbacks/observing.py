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

    from .targets import Callback

    Callbacks = Sequence[Callback]

_tickets = count(1)
_package = vars(sys.modules["edgequake_obs"])
_wants_chunks: dict[type, bool] = {}


class _Otel:
    is_on = False


# Of each call under way, by its ticket.
open_calls: dict[int, Observed] = {}


class Observed:
    """A call as it began, and the callbacks as they stood then."""

    __slots__ = (
        "address",
        "both",
        "context",
        "failure",
        "input",
        "input_callbacks",
        "loop",
        "model",
        "operation",
        "params",
        "provider",
        "success",
    )

    def __init__(
        self,
        loop: AbstractEventLoop | None,
        operation: str,
        provider: str,
        model: str | None,
        address: str | None,
        input: object,
        params: Mapping[str, object],
    ) -> None:
        self.loop = loop
        self.operation = operation
        self.provider = provider
        self.model = model
        self.address = address
        # The program may go on with its list of messages before the callbacks are told.
        self.input: object = input[:] if type(input) is list else input  # type: ignore[misc]
        self.params = params
        self.context: Context = copy_context()
        self.both: Callbacks = _package["callbacks"]
        self.success: Callbacks = _package["success_callback"]
        self.failure: Callbacks = _package["failure_callback"]
        self.input_callbacks: Callbacks = _package["input_callback"]
        if self.both:
            self.both = _copied(self.both)
        if self.success:
            self.success = _copied(self.success)
        if self.failure:
            self.failure = _copied(self.failure)
        if self.input_callbacks:
            self.input_callbacks = _copied(self.input_callbacks)


def observe(
    asynchronous: bool,
    operation: str,
    provider: str,
    model: str | None,
    address: str | None,
    input: object,
    params: Mapping[str, object] | None,
) -> tuple[int, bool]:
    """A call begins and callbacks are registered.

    Returns:
        The call's ticket, and whether each chunk of its stream is to be told.
    """
    loop = _running_loop() if asynchronous else None
    observed = Observed(loop, operation, provider, model, address, input, params or {})
    if not _Otel.is_on and any("otel" in names for names in (observed.both, observed.success, observed.failure)):
        _Otel.is_on = True
        _native.configure(litellm_otel=True)
    ticket = next(_tickets)
    open_calls[ticket] = observed
    if not worker.State.is_running:
        worker.start()
    for callback in (*observed.both, *observed.success):
        if _listens_to_chunks(callback):
            return ticket, True
    return ticket, False


def _copied(registered: Callbacks) -> Callbacks:
    # litellm's users also set a single callback where a list is meant.
    return tuple(registered) if isinstance(registered, (list, tuple)) else (registered,)


def _running_loop() -> AbstractEventLoop | None:
    asyncio = sys.modules.get("asyncio")
    get: Callable[[], AbstractEventLoop | None] | None = getattr(asyncio, "_get_running_loop", None)
    return None if get is None else get()


def _listens_to_chunks(callback: object) -> bool:
    kind = type(callback)
    found = _wants_chunks.get(kind)
    if found is None:
        names = ("log_stream_event", "async_log_stream_event")
        own = (getattr(kind, name, None) not in (None, getattr(CustomLogger, name)) for name in names)
        found = _wants_chunks[kind] = any(own)
    return found
