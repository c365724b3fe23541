"""What was said, as events of the conventions: `EVENT_ONLY` and `SPAN_AND_EVENT`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import edgequake_obs
from tests.unit.records import Ledger
from tests.unit.server import DONE, USAGE_EVENT, Answer, Server, chat, error, event

from .conftest import MESSAGES, Ask
from .conventions import faults_of_span
from .receiver import Behaviour, Event, Receiver
from .told import Told, use

ASKED = [{"role": "user", "parts": [{"type": "text", "content": "Say hello."}]}]
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "Hello."}], "finish_reason": "stop"}]
STREAM = [event("Hel"), event("lo."), event(finish="stop"), USAGE_EVENT, DONE]
DETAILS = "gen_ai.client.inference.operation.details"
INFO = 9


@pytest.fixture
def _asked_for() -> None:
    edgequake_obs.configure(capture_content="EVENT_ONLY")


@pytest.mark.usefixtures("_asked_for")
@pytest.mark.parametrize("streaming", [False, True])
def test_a_call_is_an_event(streaming: bool, ask: Ask, server: Server, native: Receiver, ledger: Ledger) -> None:
    server.will(Answer(body=STREAM if streaming else chat()))
    answer = ask(stream=streaming, temperature=1)
    if streaming:
        list(answer)
    assert edgequake_obs.flush()
    (found,), (span,), row = native.events, native.spans, ledger.call()
    assert (found.name, found.severity, found.flags) == (DETAILS, INFO, 1)
    assert (found.trace_id, found.span_id) == (row["trace_id"], row["span_id"])
    assert found.at_ns == row["start_ns"] + row["duration_ns"]
    assert (found.scope, found.schema_url) == (span.scope, span.schema_url)
    # It has a structure, and otherwise is what the span is.
    said = {"gen_ai.input.messages": ASKED, "gen_ai.output.messages": ANSWERED}
    assert found.attributes == {**span.attributes, **said}
    assert json.loads(row["content"]) == {"input": ASKED, "output": ANSWERED}


def test_values_of_every_kind(ask: Ask, server: Server, native: Receiver) -> None:
    edgequake_obs.configure(capture_content="SPAN_AND_EVENT")
    server.will(Answer(body=chat()))
    arguments = {"at": 1, "by": 0.5, "is": True, "none": None, "list": ["é"], "deep": {"a": {}}}
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": json.dumps(arguments)}}
    ask(messages=[*MESSAGES, {"role": "assistant", "content": None, "tool_calls": [call]}])
    assert edgequake_obs.flush()
    (found,), (span,) = native.events, native.spans
    messages = found.attributes["gen_ai.input.messages"]
    assert messages[1]["parts"] == [{"type": "tool_call", "id": "c1", "name": "look", "arguments": arguments}]
    assert json.loads(span.attributes["gen_ai.input.messages"]) == messages
    written = {**found.attributes, **{k: v for k, v in span.attributes.items() if k.endswith("messages")}}
    assert list(faults_of_span(span.name, written, failed=False)) == []


@pytest.mark.usefixtures("_asked_for")
def test_a_failure(ask: Ask, server: Server, native: Receiver) -> None:
    server.will(Answer(401, error("who?", "invalid_api_key")))
    with pytest.raises(edgequake_obs.AuthenticationError):
        ask()
    assert edgequake_obs.flush()
    (found,) = native.events
    assert found.attributes["error.type"] == "invalid_api_key"
    assert found.attributes["gen_ai.input.messages"] == ASKED


@pytest.mark.usefixtures("_asked_for")
def test_what_says_nothing_is_none(native: Receiver) -> None:
    edgequake_obs.record(provider="openai", model="gpt-4o", usage={"prompt_tokens": 1, "completion_tokens": 1})
    assert edgequake_obs.flush()
    assert (len(native.spans), native.events) == (1, [])


@pytest.mark.usefixtures("_asked_for")
@pytest.mark.parametrize(
    ("variables", "spans", "events"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}", "OTEL_LOGS_EXPORTER": "none"}, 1, 0),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "{}/v1/logs"}, 0, 1),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}", "OTEL_TRACES_SAMPLER": "always_off"}, 0, 1),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}", "OTEL_SDK_DISABLED": "true"}, 0, 0),
    ],
)
def test_the_environment(
    variables: dict[str, str],
    spans: int,
    events: int,
    ask: Ask,
    server: Server,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(receiver.url))
    edgequake_obs.configure(otel="auto")
    server.will(Answer(body=chat()))
    ask()
    assert edgequake_obs.flush()
    assert (len(receiver.spans), len(receiver.events)) == (spans, events)


@pytest.mark.usefixtures("_asked_for")
def test_they_are_counted(ask: Ask, server: Server, native: Receiver) -> None:
    server.will(*[Answer(body=chat())] * 3)
    ask()
    assert edgequake_obs.flush()
    native.always = Behaviour(400)
    ask()
    ask()
    assert edgequake_obs.flush()
    otlp: Any = edgequake_obs.stats()["otlp"]
    assert otlp["events"] == {"exported": 1, "dropped": 2}
    assert otlp["queued_bytes"] == 0


@pytest.mark.usefixtures("_asked_for")
def test_they_are_redacted(ask: Ask, server: Server, native: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-proj-" + "a1B2" * 10
    told = Told()
    server.will(*[Answer(body=chat(f"Dear Mrs Miller, your key is {key}."))] * 2)
    edgequake_obs.configure(redact=["Miller"])
    try:
        ask(messages=[{"role": "user", "content": f"I am Mrs Miller, my key is {key}."}])
        assert edgequake_obs.flush()
        use(told, monkeypatch)
        ask(messages=[{"role": "user", "content": f"I am Mrs Miller, my key is {key}."}])
        assert edgequake_obs.flush()
    finally:
        edgequake_obs.configure(redact=[])
    texts = str([found.attributes for found in native.events]) + str(events_of(told))
    assert texts.count("I am Mrs") == texts.count("Dear Mrs") == 2
    assert key not in texts
    assert "Miller" not in texts


def events_of(told: Told) -> list[Event]:
    """The events that a program's LoggerProvider was told."""
    found = []
    for data in told.events.get_finished_logs():
        record, scope = data.log_record, data.instrumentation_scope
        assert scope is not None
        assert record.severity_number is not None
        found.append(
            Event(
                name=record.event_name or "",
                trace_id=f"{record.trace_id:032x}",
                span_id=f"{record.span_id:016x}",
                at_ns=record.timestamp or 0,
                severity=record.severity_number.value,
                flags=record.trace_flags or 0,
                attributes=_lists(dict(record.attributes or {})),
                scope=scope.name,
                schema_url=scope.schema_url or "",
            )
        )
    return found


def _lists(value: Any) -> Any:
    """The same with lists where the SDK makes tuples."""
    if isinstance(value, dict):
        return {name: _lists(member) for name, member in value.items()}
    return [_lists(item) for item in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.usefixtures("_asked_for")
def test_both_ways_say_the_same(ask: Ask, server: Server, native: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    server.will(*[Answer(body=chat())] * 2)
    tools = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    ask(tools=tools, stop="x")
    assert edgequake_obs.flush()
    told = Told()
    use(told, monkeypatch)
    ask(tools=tools, stop="x")
    (here,), (there,), (span,) = native.events, events_of(told), told.spans
    assert here.attributes.keys() == there.attributes.keys()
    del here.attributes["edgequake.call_uid"], there.attributes["edgequake.call_uid"]
    assert here.attributes == there.attributes
    assert (there.name, there.severity, there.scope, there.schema_url) == (DETAILS, INFO, here.scope, here.schema_url)
    assert there.span_id == f"{span.context.span_id:016x}"
    assert there.at_ns == span.end_time


@pytest.mark.usefixtures("_asked_for")
def test_samplers_say_nothing_about_them(
    ask: Ask, server: Server, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(ALWAYS_OFF)
    use(told, monkeypatch)
    server.will(Answer(body=chat()))
    ask()
    (found,), row = events_of(told), ledger.call()
    assert told.spans == ()
    assert (found.trace_id, found.span_id, found.flags) == (row["trace_id"], row["span_id"], 0)


@pytest.mark.usefixtures("_asked_for")
def test_a_program_that_only_traces(
    ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    told = Told()
    del told.loggers
    use(told, monkeypatch)
    server.will(Answer(body=chat()))
    ask()
    assert edgequake_obs.flush()
    (found,) = receiver.events
    assert receiver.spans == []
    assert found.span_id == f"{told.span.context.span_id:016x}"


def test_nobody_asked(ask: Ask, server: Server, native: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    edgequake_obs.configure(capture_content="SPAN_ONLY")
    server.will(*[Answer(body=chat())] * 2)
    ask()
    assert edgequake_obs.flush()
    told = Told()
    use(told, monkeypatch)
    ask()
    assert (native.events, events_of(told)) == ([], [])
