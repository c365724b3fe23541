"""Where a call is made from: the context around it, and the span it is in."""

from __future__ import annotations

import sys
from contextvars import ContextVar

from . import _process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from ._native import Context

    class SpanContext(Protocol):
        trace_id: int
        span_id: int
        trace_flags: int
        is_valid: bool

    class Span(Protocol):
        def get_span_context(self) -> SpanContext: ...

    class OpenTelemetry(Protocol):
        """What we use of `opentelemetry.context`."""

        def get_current(self) -> Mapping[str, object]: ...

    class Trace(Protocol):
        """What we use of `opentelemetry.trace`."""

        def get_current_span(self) -> Span: ...

    Caller = tuple[Context | None, tuple[int, int, int] | None]

active: ContextVar[Context | None] = ContextVar("edgequake_obs_context", default=None)


def current() -> Caller | None:
    """The context, and trace, span and trace flags that the caller is in; None where there is neither.

    Every recorded call passes here before it is sent, whoever makes it.
    """
    if _process.is_first_call:
        _process.first_call()
    context = active.get()
    # A program without OpenTelemetry pays for one look-up.
    span = _span() if "opentelemetry.trace" in sys.modules else None
    if context is None and span is None:
        return None
    return context, span


def _span() -> tuple[int, int, int] | None:
    try:
        otel: OpenTelemetry = sys.modules["opentelemetry.context"]  # type: ignore[assignment]
        if not otel.get_current():
            return None  # nothing is: to ask for the span would take five times as long
        trace: Trace = sys.modules["opentelemetry.trace"]  # type: ignore[assignment]
        ids = trace.get_current_span().get_span_context()
        return (ids.trace_id, ids.span_id, ids.trace_flags) if ids.is_valid else None
    except Exception:  # a half-imported or a foreign module of that name: the call goes on without a parent
        return None
