"""What was said in calls, as events in the program's own LoggerProvider."""

from __future__ import annotations

from inspect import signature

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from edgequake_obs import _native

from . import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opentelemetry.trace import Span

_ARE_KNOWN = "event_name" in signature(LogRecord).parameters  # since API 1.35


def emit(ended: _native.EndedCall, span: Span | None) -> None:
    """Tell what was said in a call that is over.

    Args:
        ended: The call.
        span: Its span; None where that is not recorded.
    """
    logger, told = program.logger(), ended.event()
    if logger is None or told is None or not _ARE_KNOWN:
        return
    attributes, ended_ns, trace_id, span_id = told
    if span is None:
        span = NonRecordingSpan(SpanContext(trace_id, span_id, is_remote=False))
    logger.emit(
        LogRecord(
            timestamp=ended_ns,
            observed_timestamp=ended_ns,
            context=set_span_in_context(span),
            severity_number=SeverityNumber.INFO,
            attributes=attributes,
            event_name=_native.OTEL_EVENT,
        )
    )
