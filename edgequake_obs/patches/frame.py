"""The patched call that is being made in this context, from its start to its return."""

from __future__ import annotations

import sys
from contextvars import ContextVar

from edgequake_obs import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token

    from edgequake_obs._native import Call, Part, StreamTap


class Frame:
    """One patched call under way.

    Attributes:
        call: The native call; None once its outcome is known, and for a call inside another one, which owns the record.
        tap: The native end of the answer, if that is a stream.
        streaming: The program gets a stream.
        asynchronous: The program awaits.
        hide_usage: We asked for the usage, not the program.
        options: What is sent instead of the program's options, where that is something else.
        retrying: An attempt has failed and another will follow.
        within: The library's call that this one is a part of.
        is_library: What is sent within this call are attempts of it.
        span: The ticket of its span in the program's own OpenTelemetry; 0: there is none.
        active: False once the call has returned. A task that was started inside the call still sees it afterwards.
    """

    # Defaults of the class, not of `__init__`: most calls never change them.
    tap: StreamTap | None = None
    hide_usage = False
    options: object = None
    retrying = False
    within: Frame | None = None
    is_library = False
    span = 0
    active = True

    def __init__(self, call: Call | Part | None, streaming: bool, asynchronous: bool) -> None:
        self.call = call
        self.streaming = streaming
        self.asynchronous = asynchronous


current: ContextVar[Frame | None] = ContextVar("edgequake_obs_frame", default=None)


def leave_foreign_context(frame: Frame) -> None:
    """End what `current.set(frame)` began where `reset` refuses: a coroutine may be closed in a context not its own."""
    if current.get() is frame:
        current.set(None)


def enter_span(frame: Frame) -> Token[object] | None:
    """Make the frame's span the current one while the request is made; None where it has none."""
    try:
        return sys.modules["edgequake_obs._otel.spans"].enter(frame.span) if frame.span else None
    except Exception as error:
        _native.note_internal_error("opentelemetry", error)
        return None


def leave_span(token: Token[object]) -> None:
    """Take back what `enter_span` did."""
    try:
        sys.modules["edgequake_obs._otel.spans"].leave(token)
    except Exception as error:
        _native.note_internal_error("opentelemetry", error)
