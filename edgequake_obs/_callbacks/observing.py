"""The caller's side: what is kept of a call that begins, for its callbacks. Every microsecond here is the caller's."""

from __future__ import annotations

import sys
from contextvars import copy_context
from itertools import count

from edgequake_obs.integrations.custom_logger import CustomLogger

from . import worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Mapping
    from contextvars import Context

    from .targets import Callback

_tickets = count(1)
_package = vars(sys.modules["edgequake_obs"])
_wants_chunks: dict[type, bool] = {}

# Of each call under way, by its ticket.
open_calls: dict[int, Observed] = {}


class Observed:
    """A call as it began."""

    __slots__ = ("address", "context", "input", "loop", "model", "operation", "params", "provider", "registered")

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
        self.input: object = list(input) if type(input) is list else input  # type: ignore[misc]
        self.params = params
        self.context: Context = copy_context()
        self.registered = Registered()


class Registered:
    """The callbacks as they stood when a call began."""

    __slots__ = ("both", "failure", "input", "success")

    def __init__(self) -> None:
        self.both: list[Callback] = _copied("callbacks")
        self.success: list[Callback] = _copied("success_callback")
        self.failure: list[Callback] = _copied("failure_callback")
        self.input: list[Callback] = _copied("input_callback")

    def wants_chunks(self) -> bool:
        """Whether each chunk of a stream is of interest."""
        return any(map(_listens_to_chunks, self.both)) or any(map(_listens_to_chunks, self.success))


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
    ticket = next(_tickets)
    open_calls[ticket] = observed
    worker.start()
    return ticket, observed.registered.wants_chunks()


def _copied(name: str) -> list[Callback]:
    value = _package.get(name)
    if not value:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]  # type: ignore[arg-type]


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
