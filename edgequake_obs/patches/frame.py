"""The patched call that is being made in this context, from its start to its return."""

from __future__ import annotations

import sys
from contextvars import ContextVar

from edgequake_obs import _native
from edgequake_obs._native import Frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token


current: ContextVar[Frame | None] = ContextVar("edgequake_obs_frame", default=None)


def leave(frame: Frame, token: Token[Frame | None], span: Token[object] | None) -> None:
    """The call has returned: take back what `current.set(frame)` and `enter_span` did."""
    frame.active = False
    if span is not None:
        leave_span(span)
    try:
        current.reset(token)
    except ValueError:  # a coroutine may be closed in a context not its own
        if current.get() is frame:
            current.set(None)


def enter_span(frame: Frame) -> Token[object] | None:
    """Make the frame's span, which it must have, the current one while the request is made; None where that failed."""
    try:
        return sys.modules["edgequake_obs._otel.spans"].enter(frame.span)
    except Exception as error:
        _native.note_internal_error("opentelemetry", error)
        return None


def leave_span(token: Token[object]) -> None:
    """Take back what `enter_span` did."""
    try:
        sys.modules["edgequake_obs._otel.spans"].leave(token)
    except Exception as error:
        _native.note_internal_error("opentelemetry", error)
