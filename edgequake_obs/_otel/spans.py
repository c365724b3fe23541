"""A call's span in the program's own TracerProvider, from before the request until its end is known."""

from __future__ import annotations

import sys
from contextlib import suppress
from itertools import count
from time import time_ns

import opentelemetry.context
from opentelemetry.context import attach as _attach
from opentelemetry.context import get_current, set_value
from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span, set_span_in_context

from edgequake_obs import _native

from . import instruments, program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextvars import Token
    from typing import Any

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

# By these a program, or another instrumentor, says that what is made inside is not to be observed.
_LANGUAGE_MODEL = "suppress_language_model_instrumentation"
_SUPPRESSING = (
    "suppress_instrumentation",
    getattr(opentelemetry.context, "_SUPPRESS_INSTRUMENTATION_KEY", _LANGUAGE_MODEL),
    _LANGUAGE_MODEL,
)

# Attributes that an instrumentor's span of one request to a model has.
_INFERENCE = frozenset(("chat", "text_completion", "generate_content", "embeddings"))
_OTHERS = {"openinference.span.kind": frozenset(("LLM", "EMBEDDING")), "gen_ai.operation.name": _INFERENCE}

_tickets = count(1)
_open: dict[int, Span] = {}


def start(
    name: str, attributes: dict[str, str | int], started_ns: int | None, captures: bool
) -> tuple[int, int, int, int, bool, bool, bool] | None:
    """A call begins.

    Args:
        name: Of its span.
        attributes: Those that samplers are to see.
        started_ns: When it began, if that was before now; nanoseconds since the epoch.
        captures: Whether what is said is to be told in an event.

    Returns:
        The span's ticket (0 where none is recorded), its trace and its id (0 where there is none), its start, and
        whether spans, metrics and events are the program's affair. None where none of them is.
    """
    tracer = program.tracer()
    measured = program.meter() is not None
    logged = captures and program.logger() is not None
    if tracer is None and not measured and not logged:
        return None
    began = time_ns() if started_ns is None else started_ns
    context = get_current()
    if context and _is_told_by_another(context):
        return 0, 0, 0, began, True, True, True
    if tracer is None:
        return 0, 0, 0, began, False, measured, logged
    span = tracer.start_span(name, context, SpanKind.CLIENT, attributes, start_time=began)
    ids = span.get_span_context()
    ticket = 0
    if span.is_recording():
        ticket = next(_tickets)
        _open[ticket] = span
    return ticket, ids.trace_id, ids.span_id, began, True, measured, logged


def end(ticket: int, ended: _native.EndedCall) -> None:
    """A call is over: its span ends as of then, and what it came to is measured."""
    span = _open.pop(ticket, None)
    if ended.measured:
        instruments.record(ended, None if span is None else set_span_in_context(span))
    if ended.logged:
        from . import events  # few programs want them

        events.emit(ended, span)
    if span is None:
        return
    attributes, attempts, failed, message, end_ns = ended.span()
    _set_attributes(span, attributes)
    for name, at_ns, of_attempt in attempts:
        span.add_event(name, of_attempt, at_ns)
    if failed:
        span.set_status(Status(StatusCode.ERROR, message))
    span.end(end_ns)


def enter(ticket: int) -> Token[Context] | None:
    """Make a call's span the current one, for what is done inside; other instrumentors are told to leave it to us."""
    span = _open.get(ticket)
    if span is None:
        return None
    return _attach(set_value(_LANGUAGE_MODEL, True, set_span_in_context(span)))


def carried(ticket: int) -> list[tuple[str, str]]:
    """The headers that the program's propagators make of a call's span, or of the one around it where it has none."""
    from opentelemetry.propagate import inject  # reads the entry points of everything installed

    carrier: dict[str, str] = {}
    span = _open.get(ticket)
    inject(carrier, None if span is None else set_span_in_context(span))
    return list(carrier.items())


def leave(token: Token[Context]) -> None:
    """Take back what `enter` did."""
    with suppress(ValueError):  # a coroutine may be closed in a context not its own, which ends with it
        # `opentelemetry.context.detach` logs an error where that happens, which users take for theirs.
        opentelemetry.context._RUNTIME_CONTEXT.detach(token)


def in_child() -> None:
    """After a fork: the spans under way are the parent's."""
    _open.clear()


def _is_told_by_another(context: Context) -> bool:
    if any(context.get(name) for name in _SUPPRESSING):
        return True
    attributes = getattr(get_current_span(context), "attributes", None)
    if not attributes:
        return False
    return any(attributes.get(name) in values for name, values in _OTHERS.items())


def _set_attributes(span: Any, attributes: Mapping[str, str | int | float | bool | tuple[str, ...]]) -> None:
    # The SDK looks at every value for whether it is of a type that it knows: a third of all that it does for a span.
    # These are, so where nothing limits them they go where it would put them.
    if type(span) is getattr(sys.modules.get("opentelemetry.sdk.trace"), "_Span", None):
        with suppress(AttributeError):  # an SDK that keeps them otherwise
            bounded = span._attributes
            has_room = bounded.maxlen is None or len(bounded._dict) + len(attributes) <= bounded.maxlen
            if has_room and bounded.max_value_len is None and span.is_recording():
                with bounded._lock:
                    bounded._dict.update(attributes)
                return
    span.set_attributes(attributes)
