"""From what happened to what each callback is told: litellm's hooks, in litellm's order."""

from __future__ import annotations

from datetime import datetime, timedelta

from edgequake_obs.integrations.custom_logger import CustomLogger
from edgequake_obs.redaction import redacted_json, redacted_text

from . import targets
from .awaiting import run_asynchronously
from .details import CallDetails, Ending, redacted_answer
from .observing import Observed, open_calls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgequake_obs._native import OverCall, UnredactedRecord

    from .targets import Callback

# Tickets of calls whose beginning was told, with what was told.
_details: dict[int, CallDetails] = {}


def tell(kind: str, ticket: int, content: object) -> None:
    """One event, to everybody who asked for it."""
    if kind == "unredacted":
        record: UnredactedRecord = content  # type: ignore[assignment]
        record.leave(redacted_text, redacted_json)
        return
    kept = open_calls.get(ticket)
    if kept is None:  # the call began before a fork
        return
    details = _details.get(ticket)
    if details is None:
        details = _details[ticket] = CallDetails(Observed(*kept))
    observed = details.observed
    try:
        if kind == "begun":
            _begun(observed, details)
        elif kind == "chunk":
            _chunk(observed, details, redacted_answer(content))
        elif kind == "ended":
            over: OverCall = content  # type: ignore[assignment]
            _ended(observed, details, Ending(observed, over))
    finally:
        if kind in ("ended", "dropped"):
            del open_calls[ticket], _details[ticket]


def _begun(observed: Observed, details: CallDetails) -> None:
    kwargs = {**details.begun(), "log_event_type": "pre_api_call"}
    model, messages = details.model, kwargs["messages"]
    for callback in _served(observed.registered.both):
        hook = _hook(callback, "log_pre_api_call")
        if hook is not None:
            targets.run(
                observed, hook, model, details.hidden_from(callback, messages), details.seen_by(callback, kwargs)
            )
    for callback in _served(observed.registered.input):
        hook = _hook(callback, "log_pre_api_call")
        if hook is not None:
            targets.run(observed, hook, model, messages, kwargs)
        elif targets.is_asynchronous(callback):
            if observed.loop is not None:
                run_asynchronously(observed, callback, kwargs)
        elif callable(callback):
            targets.run(observed, callback, kwargs)


def _chunk(observed: Observed, details: CallDetails, chunk: object) -> None:
    kwargs = {**details.begun(), "log_event_type": "log_stream_event"}
    names = ("log_stream_event", "async_log_stream_event")
    for callback in (*_served(observed.registered.both), *_served(observed.registered.success)):
        given = details.seen_by(callback, kwargs)
        hidden = details.hidden_from(callback, chunk)
        _give(observed, callback, names, given, hidden, details.started, datetime.now())


def _ended(observed: Observed, details: CallDetails, ending: Ending) -> None:
    started = details.started = datetime.fromtimestamp(ending.start_ns / 1e9)
    ended = started + timedelta(microseconds=ending.duration_ns / 1000)
    answered = details.answered(ending)
    if ending.answered:
        for callback in _served(observed.registered.both):
            hook = _hook(callback, "log_post_api_call")
            if hook is not None:
                targets.run(observed, hook, details.seen_by(callback, answered), None, started, None)
    kwargs = details.ended(answered, ending, started, ended)
    answer = ending.answer
    failed = ending.exception is not None
    names = (
        ("log_failure_event", "async_log_failure_event") if failed else ("log_success_event", "async_log_success_event")
    )
    registered = observed.registered
    for callback in _served([*registered.both, *(registered.failure if failed else registered.success)]):
        given = details.seen_by(callback, kwargs)
        if _is_logger(callback):
            _give(observed, callback, names, given, details.hidden_from(callback, answer), started, ended)
        elif targets.is_asynchronous(callback):
            if observed.loop is not None:
                run_asynchronously(observed, callback, given, answer, started, ended)
        elif callable(callback):
            targets.run(observed, callback, given, answer, started, ended)


def _give(observed: Observed, callback: Callback, names: tuple[str, str], *arguments: object) -> None:
    """To the method for such a call, synchronous or not: as in litellm, one of the two."""
    if observed.loop is None:
        hook = _hook(callback, names[0])
        if hook is not None:
            targets.run(observed, hook, *arguments)
    else:
        awaited = _hook(callback, names[1])
        if awaited is not None:
            run_asynchronously(observed, awaited, *arguments)


def _served(callbacks: Iterable[Callback]) -> list[Callback]:
    return [callback for callback in callbacks if targets.is_served(callback)]


def _is_logger(callback: Callback) -> bool:
    return isinstance(callback, CustomLogger) or any(
        hasattr(callback, name) for name in ("log_success_event", "async_log_success_event", "log_failure_event")
    )


def _hook(callback: Callback, name: str) -> Callable[..., object] | None:
    """The method, where it is not litellm's empty one."""
    own = getattr(callback.__class__, name, None)
    if own is None or own is getattr(CustomLogger, name, None):
        return None
    return getattr(callback, name)
