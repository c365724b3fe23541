"""Spans and metrics from Rust, for a program without OpenTelemetry."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import openai
import pytest

import edgequake_obs
from tests.unit.records import Ledger
from tests.unit.server import DONE, PATIENCE, USAGE_EVENT, Answer, Server, chat, error, event

from .conftest import Ask
from .receiver import Behaviour, Receiver

ERROR = 2  # StatusCode
CLIENT = 3  # SpanKind


def exporter() -> dict[str, Any]:
    """What `stats()` says of the exporter."""
    found: Any = edgequake_obs.stats()["otlp"]
    return found


def test_a_call_is_a_span(ask: Ask, server: Server, native: Receiver, ledger: Ledger) -> None:
    server.will(Answer(body=chat()))
    with edgequake_obs.context(user="u1", session="s1", tags={"feature": "search"}):
        ask(temperature=1, max_tokens=16, seed=7, n=1, stop="x")
    assert edgequake_obs.flush()
    (span,) = native.spans
    row = ledger.call()
    assert (span.trace_id, span.span_id, span.parent_id) == (row["trace_id"], row["span_id"], "")
    assert (span.start_ns, span.end_ns - span.start_ns) == (row["start_ns"], row["duration_ns"])
    assert (span.name, span.kind, span.status, span.events) == ("chat gpt-4o-mini", CLIENT, 0, [])
    assert (span.scope, span.schema_url) == ("edgequake_obs", "https://opentelemetry.io/schemas/gen-ai/1.42.0")
    found = span.attributes
    assert found.pop("edgequake.pricing.version")
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "server.address": "127.0.0.1",
        "server.port": int(server.url.rpartition(":")[2]),
        "gen_ai.request.temperature": 1.0,
        "gen_ai.request.max_tokens": 16,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ["x"],
        "gen_ai.conversation.id": "s1",
        "openai.api.type": "chat_completions",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 14,
        "gen_ai.usage.output_tokens": 8,
        "gen_ai.usage.cost.amount": 0.0000069,
        "gen_ai.usage.cost.currency": "USD",
        "gen_ai.usage.cost.source": "local",
        "operation.cost": 0.0000069,
        "edgequake.cost.input": 0.0000021,
        "edgequake.cost.output": 0.0000048,
        "edgequake.call_uid": str(row["call_uid"]),
        "edgequake.tag.feature": "search",
        "user.id": "u1",
    }
    assert isinstance(found["gen_ai.request.temperature"], float)  # though the program gave an integer


TYPED = {
    "id": "resp_1",
    "object": "response",
    "model": "gpt-4o-mini",
    "status": "completed",
    "service_tier": "flex",
    "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "{}"}]}],
    "usage": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
}


def test_what_openai_alone_says(ask: Ask, server: Server, native: Receiver) -> None:
    answer = {**json.loads(chat()), "system_fingerprint": "fp_1", "service_tier": "default"}
    server.will(Answer(body=json.dumps(answer).encode()), Answer(body=json.dumps(TYPED).encode()))
    ask(model="o3-mini", response_format={"type": "json_object"}, reasoning_effort="low", service_tier="flex")
    edgequake_obs.instrument("openai")
    try:
        client: Any = openai.OpenAI(base_url=server.base, api_key="sk-none", max_retries=0)
        client.responses.create(
            model="gpt-4o-mini",
            input="Say it.",
            reasoning={"effort": "high"},
            text={"format": {"type": "json_schema", "name": "n", "schema": {}}},
            previous_response_id="resp_0",
            conversation={"id": "conv_1"},
        )
    finally:
        edgequake_obs.uninstrument()
    assert edgequake_obs.flush()
    chatted, typed = (span.attributes for span in native.spans)
    expected = {
        "openai.api.type": ("chat_completions", "responses"),
        "openai.request.service_tier": ("flex", None),
        "openai.response.service_tier": ("default", "flex"),
        "openai.response.system_fingerprint": ("fp_1", None),
        "gen_ai.output.type": ("json", "json"),
        "gen_ai.request.reasoning.level": ("low", "high"),
        "gen_ai.request.previous_response.id": (None, "resp_0"),
        "gen_ai.conversation.id": (None, "conv_1"),
    }
    assert {name: (chatted.get(name), typed.get(name)) for name in expected} == expected


def test_a_stream_and_one_that_is_left(ask: Ask, server: Server, native: Receiver) -> None:
    server.will(*[Answer(body=[event("a"), event("b"), event("c", finish="stop"), USAGE_EVENT, DONE])] * 2)
    list(ask(stream=True))
    for _ in (stream := ask(stream=True)):
        break
    stream.close()
    assert edgequake_obs.flush()
    whole, left = (span.attributes for span in native.spans)
    assert (whole["gen_ai.request.stream"], whole["edgequake.stream.outcome"]) == (True, "completed")
    assert 0 < whole["gen_ai.response.time_to_first_chunk"] < 30
    # Who leaves has made no error.
    assert (left["edgequake.stream.outcome"], native.spans[1].status) == ("closed_early", 0)
    assert "error.type" not in left


def test_attempts_and_a_failure(ask: Ask, server: Server, native: Receiver) -> None:
    busy = Answer(429, error("slow down", "rate_limit_exceeded"), headers={"retry-after": "0"})
    server.will(busy, Answer(body=chat()), Answer(401, error("who?", "invalid_api_key")))
    ask(num_retries=1)
    with pytest.raises(edgequake_obs.AuthenticationError):
        ask()
    assert edgequake_obs.flush()
    retried, failed = native.spans
    assert [name for name, _ in retried.events] == ["edgequake.attempt"] * 2
    first, second = (attributes for _, attributes in retried.events)
    assert (first["error.type"], first["http.response.status_code"]) == ("rate_limit_exceeded", 429)
    assert ("error.type" not in second, second["edgequake.attempt.number"]) == (True, 2)
    assert (retried.status, failed.status, failed.message) == (0, ERROR, "who?")
    assert failed.attributes["error.type"] == "invalid_api_key"
    assert "gen_ai.usage.cost.amount" not in failed.attributes


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_metrics(
    temporality: str, ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", temporality)
    edgequake_obs.configure(otel=receiver.url)
    server.will(*[Answer(body=chat())] * 3, Answer(500, error("no")))
    for _ in range(2):
        ask()
    assert edgequake_obs.flush()
    ask()
    with pytest.raises(edgequake_obs.InternalServerError):
        ask(max_retries=0)
    assert edgequake_obs.flush()
    metrics = receiver.metrics()
    calls = 3 if temporality == "cumulative" else 1
    good, failed = metrics["gen_ai.client.operation.duration"].histogram.data_points
    if any(attribute.key == "error.type" for attribute in good.attributes):
        good, failed = failed, good
    assert (good.count, failed.count, sum(good.bucket_counts)) == (calls, 1, calls)
    assert list(good.explicit_bounds)[:2] == [0.01, 0.02]
    assert good.min <= good.sum / calls <= good.max
    assert good.exemplars[0].trace_id.hex() in {span.trace_id for span in receiver.spans}
    usage = metrics["gen_ai.client.inference.usage.input_tokens"].sum
    assert usage.is_monotonic
    assert usage.aggregation_temporality == (2 if temporality == "cumulative" else 1)
    assert sorted(point.as_int for point in usage.data_points) == [0, 14 * calls]
    (cost,) = metrics["edgequake.cost"].sum.data_points
    assert cost.as_double == pytest.approx(0.0000069 * calls)
    old = {point.sum for point in metrics["gen_ai.client.token.usage"].histogram.data_points}
    assert old == {14.0 * calls, 8.0 * calls}


@pytest.mark.parametrize(("version", "old", "new"), [("latest", False, True), ("1.41", True, False)])
def test_versions_of_the_conventions(
    version: str, old: bool, new: bool, ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEQUAKE_OBS_SEMCONV", version)
    edgequake_obs.configure(otel=receiver.url)
    server.will(Answer(body=chat()))
    ask()
    assert edgequake_obs.flush()
    found = set(receiver.metrics())
    assert ("gen_ai.client.operation.duration" in found, "gen_ai.client.inference.duration" in found) == (old, new)


def test_what_the_environment_says(
    ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=core")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    edgequake_obs.configure(otel=receiver.url, service_name="shop")
    server.will(Answer(body=chat()))
    ask()
    assert edgequake_obs.flush()
    ((path, headers),) = receiver.requests
    assert path == "/v1/traces"
    assert (headers["authorization"], headers["content-encoding"]) == ("Bearer x", "gzip")
    (span,) = receiver.spans
    assert (span.resource["service.name"], span.resource["team"]) == ("shop", "core")


@pytest.mark.parametrize(("name", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")])
def test_what_turns_it_off(
    name: str, value: str, ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    edgequake_obs.configure(otel=receiver.url)
    server.will(Answer(body=chat()))
    ask()
    assert edgequake_obs.flush()
    assert receiver.spans == []


@pytest.mark.parametrize("sampled", [True, False])
def test_the_callers_span_decides(sampled: bool, ask: Ask, server: Server, native: Receiver, ledger: Ledger) -> None:
    trace = pytest.importorskip("opentelemetry.trace")
    flags = trace.TraceFlags(int(sampled))
    ids = trace.SpanContext(trace_id=0xABC << 64, span_id=0xDEF, is_remote=True, trace_flags=flags)
    server.will(Answer(body=chat()))
    with trace.use_span(trace.NonRecordingSpan(ids)):
        ask()
    assert edgequake_obs.flush()
    assert [span.parent_id for span in native.spans] == ([f"{0xDEF:016x}"] if sampled else [])
    assert ledger.call()["trace_id"] == f"{0xABC << 64:032x}"
    assert exporter()["sampled_out"] == int(not sampled)


def test_spans_do_not_wait_for_metrics(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "600000")
    edgequake_obs.configure(otel=receiver.url)
    for number in range(3):
        edgequake_obs.record(provider="openai", model="gpt-4o", usage={"prompt_tokens": 1, "completion_tokens": 1})
        deadline = time.monotonic() + PATIENCE
        while len(receiver.spans) <= number:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_collector_that_is_busy_gets_it_again(ask: Ask, server: Server, native: Receiver) -> None:
    native.behaviours.extend(Behaviour(status) for status in (503, 429, 502, 504))
    server.will(Answer(body=chat()))
    ask()
    assert edgequake_obs.flush(10)
    assert len(native.spans) == 1
    assert exporter()["exported"] == 1


def test_what_a_collector_refuses_is_counted(ask: Ask, server: Server, receiver: Receiver) -> None:
    receiver.always = Behaviour(400)
    edgequake_obs.configure(otel=receiver.url)
    server.will(*[Answer(body=chat())] * 4)
    ask()
    assert edgequake_obs.flush()
    receiver.always = Behaviour(rejects=2)
    for _ in range(3):
        ask()
    assert edgequake_obs.flush()
    found = exporter()
    assert (found["exported"], found["dropped"]["refused"], found["queued"]) == (1, 3, 0)
    assert found["queued_bytes"] == 0


def test_garbage_is_an_answer(ask: Ask, server: Server, native: Receiver) -> None:
    native.always = Behaviour(garbage=True)
    server.will(Answer(body=chat()))
    ask()
    assert edgequake_obs.flush()
    assert exporter()["exported"] == 1


def test_nobody_listens(ask: Ask, server: Server, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    edgequake_obs.configure(otel=receiver.url)
    receiver.close()
    server.will(*[Answer(body=chat())] * 3)
    began = time.monotonic()
    with caplog.at_level(logging.WARNING, "edgequake_obs"):
        for _ in range(3):
            ask()
            assert not edgequake_obs.flush(30)
    assert time.monotonic() - began < 25  # it is known at once
    assert exporter()["queued"] == 3
    warnings = [record.getMessage() for record in caplog.records if "cannot send" in record.getMessage()]
    assert len(warnings) == 1
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in warnings[0]


def test_the_queue_is_bounded(ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEQUAKE_OBS_QUEUE_BYTES", "20000")
    edgequake_obs.configure(otel=receiver.url)
    receiver.close()
    for _ in range(200):
        edgequake_obs.record(provider="openai", model="gpt-4o", usage={"prompt_tokens": 1, "completion_tokens": 1})
        edgequake_obs.flush(0)
    found = exporter()
    assert found["dropped"]["queue_full"] + found["queued"] == 200
    assert 0 < found["queued"] < 100
    assert found["queued_bytes"] <= 30_000


def test_an_endpoint_that_speaks_something_else(
    ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    edgequake_obs.configure(otel=receiver.url)  # which is HTTP/1.1's
    server.will(Answer(body=chat()))
    ask()
    assert not edgequake_obs.flush(1)
    (said,) = [record.getMessage() for record in caplog.records if "cannot send" in record.getMessage()]
    assert "OTEL_EXPORTER_OTLP_PROTOCOL" in said


def test_an_endpoint_that_is_no_url(
    ask: Ask, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "localhost:4318")
    edgequake_obs.configure(otel="auto")
    server.will(Answer(body=chat()))
    ask()
    assert "'localhost:4318' is no URL" in caplog.text
    assert "http://" in caplog.text


def test_what_a_resource_may_say(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "a=1%2C2,b=100%25,c = x=y ,d=%C3%A9,e=50%,broken,=none,service.name=shop"
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", said)
    edgequake_obs.configure(otel=receiver.url)
    edgequake_obs.record(provider="openai", model="gpt-4o")
    assert edgequake_obs.flush()
    found = receiver.spans[0].resource
    assert {name: found[name] for name in "abcde"} == {"a": "1,2", "b": "100%", "c": "x=y", "d": "é", "e": "50%"}
    assert "broken" not in found
    assert found["service.name"] == "shop"


@pytest.mark.parametrize("name", ["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"])
def test_texts_have_a_limit(
    name: str, ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "4")
    edgequake_obs.configure(otel=receiver.url)
    server.will(Answer(body=chat()))
    ask(stop=["éééééé"])
    assert edgequake_obs.flush()
    (span,) = receiver.spans
    assert span.attributes["gen_ai.request.model"] == "gpt-"
    assert span.attributes["gen_ai.request.stop_sequences"] == ["éééé"]


def test_an_azure_model_is_azures(receiver: Receiver) -> None:
    edgequake_obs.configure(otel=receiver.url)
    edgequake_obs.record(provider="azure_ai", model="mistral-large")
    edgequake_obs.record(provider="azure", model="gpt-4o")
    assert edgequake_obs.flush()
    found = [span.attributes.get("azure.resource_provider.namespace") for span in receiver.spans]
    assert found == ["Microsoft.CognitiveServices", None]


def test_a_setting_that_is_none() -> None:
    with pytest.raises(ValueError, match="'native'"):
        edgequake_obs.configure(otel="ja")
