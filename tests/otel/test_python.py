"""Spans and metrics in the program's own OpenTelemetry."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from opentelemetry import context, metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import StatusCode

import edgequake_obs
from edgequake_obs._otel import spans
from tests.unit.records import Ledger
from tests.unit.server import DONE, USAGE_EVENT, Answer, Server, chat, error, event

from .conftest import MESSAGES, Ask
from .receiver import Receiver, receiving


class Told:
    """What the program's OpenTelemetry was told."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    @property
    def span(self) -> ReadableSpan:
        (only,) = self.spans
        return only

    def points(self) -> dict[str, list[Any]]:
        """The data points of each metric."""
        data: Any = self.reader.get_metrics_data()
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


def use(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up as a program does, which can do so only once."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", told.provider)
    monkeypatch.setattr(metrics._internal, "_METER_PROVIDER", told.meters)
    edgequake_obs.configure(otel="auto")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    found = Told()
    use(found, monkeypatch)
    return found


@pytest.fixture
def _patched() -> Iterator[None]:
    edgequake_obs.instrument("openai")
    yield
    edgequake_obs.uninstrument()


STREAM = [event("a"), event("b"), event("c", finish="stop"), USAGE_EVENT, DONE]


def test_a_call_is_a_span_as_soon_as_it_returns(ask: Ask, server: Server, told: Told, ledger: Ledger) -> None:
    server.will(Answer(body=chat()))
    with told.provider.get_tracer("app").start_as_current_span("request") as around:
        ask(temperature=0.5)
    span, outer = told.spans
    row = ledger.call()
    assert (span.name, span.kind, outer.name) == ("chat gpt-4o-mini", trace.SpanKind.CLIENT, "request")
    assert span.parent is not None
    assert span.parent.span_id == around.get_span_context().span_id
    assert (f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}") == (row["trace_id"], row["span_id"])
    assert row["parent_span_id"] == f"{span.parent.span_id:016x}"
    assert span.start_time == row["start_ns"]
    assert span.end_time == row["start_ns"] + row["duration_ns"]
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes is not None
    assert span.attributes["gen_ai.usage.cost.amount"] == 0.0000069
    assert span.attributes["gen_ai.request.temperature"] == 0.5
    scope = span.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.schema_url) == ("edgequake_obs", "https://opentelemetry.io/schemas/gen-ai/1.42.0")


class _Seeing(Sampler):
    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.seen: list[tuple[str, Any]] = []

    def should_sample(self, parent_context: Any, trace_id: int, name: str, *rest: Any, **more: Any) -> SamplingResult:
        attributes = more.get("attributes", rest[1] if len(rest) > 1 else None)
        self.seen.append((name, attributes))
        return SamplingResult(self.decision)

    def get_description(self) -> str:
        return "seeing"


@pytest.mark.parametrize("decision", [Decision.DROP, Decision.RECORD_AND_SAMPLE])
def test_samplers_see_what_is_asked(
    decision: Decision, ask: Ask, server: Server, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = _Seeing(decision)
    told = Told(sampler)
    use(told, monkeypatch)
    server.will(Answer(body=chat()))
    ask()
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "server.address": "127.0.0.1",
        "server.port": int(server.url.rpartition(":")[2]),
    }
    assert sampler.seen == [("chat gpt-4o-mini", expected)]
    assert len(told.spans) == int(decision is Decision.RECORD_AND_SAMPLE)
    # What is sampled out is recorded all the same, and measured.
    assert ledger.call()["cost_usd"] is not None
    assert told.points()["gen_ai.client.operation.duration"][0].count == 1
    assert spans._open == {}


def test_metrics(ask: Ask, server: Server, told: Told) -> None:
    server.will(Answer(body=chat()), Answer(body=STREAM))
    ask()
    list(ask(stream=True))
    points = told.points()
    (duration,) = points["gen_ai.client.inference.duration"]
    assert (duration.count, list(duration.explicit_bounds)[:3]) == (2, [0.01, 0.02, 0.04])
    assert duration.exemplars[0].span_id in {span.context.span_id for span in told.spans}
    assert {point.sum for point in points["gen_ai.client.token.usage"]} == {28, 16}
    (cost,) = points["edgequake.cost"]
    assert cost.value == pytest.approx(0.0000138)
    assert points["gen_ai.client.operation.time_to_first_chunk"][0].count == 1


def test_a_failure_and_attempts(ask: Ask, server: Server, told: Told) -> None:
    busy = Answer(429, error("slow down", "rate_limit_exceeded"), headers={"retry-after": "0"})
    server.will(busy, Answer(401, error("who?", "invalid_api_key")))
    with pytest.raises(edgequake_obs.AuthenticationError):
        ask(num_retries=1)
    assert (told.span.status.status_code, told.span.status.description) == (StatusCode.ERROR, "who?")
    assert [event.name for event in told.span.events] == ["edgequake.attempt"] * 2
    assert told.span.attributes is not None
    assert told.span.attributes["error.type"] == "invalid_api_key"


@pytest.mark.parametrize("leave", ["close", "drop", "raise"])
def test_a_stream_that_is_left(leave: str, ask: Ask, server: Server, told: Told) -> None:
    server.will(Answer(body=STREAM))

    def consume() -> None:
        stream = ask(stream=True)
        for _ in stream:
            if leave == "raise":
                raise KeyError
            if leave == "close":
                stream.close()
            break

    if leave == "raise":
        with pytest.raises(KeyError):
            consume()
    else:
        consume()
    gc.collect()
    assert told.span.attributes is not None
    assert told.span.attributes["edgequake.stream.outcome"] == "closed_early"
    assert told.span.status.status_code is StatusCode.UNSET


def _client(server: Server, seen: list[Any]) -> openai.OpenAI:
    def note(request: httpx2.Request) -> None:
        seen.append((trace.get_current_span(), context.get_value("suppress_language_model_instrumentation")))

    http = httpx2.Client(event_hooks={"request": [note]})
    return openai.OpenAI(base_url=server.base, api_key="sk-none", max_retries=0, http_client=http)


@pytest.mark.usefixtures("_patched")
def test_it_is_current_while_the_request_is_made(server: Server, told: Told) -> None:
    seen: list[Any] = []
    client = _client(server, seen)
    server.will(Answer(body=chat()), Answer(body=STREAM), Answer(500, error("no")))
    create: Any = client.chat.completions.create
    create(model="gpt-4o-mini", messages=MESSAGES)
    for _ in create(model="gpt-4o-mini", messages=MESSAGES, stream=True):
        assert trace.get_current_span() is trace.INVALID_SPAN
    with pytest.raises(openai.InternalServerError):
        create(model="gpt-4o-mini", messages=MESSAGES)
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert [span.get_span_context().span_id for span, _ in seen] == [span.context.span_id for span in told.spans]
    # Other instrumentors are told that this call is ours.
    assert {suppressed for _, suppressed in seen} == {True}


@pytest.mark.usefixtures("_patched")
def test_asynchronous_calls(server: Server, told: Told, caplog: pytest.LogCaptureFixture) -> None:
    server.will(Answer(body=chat()), Answer(body=STREAM), Answer(body=STREAM), Answer(delay=20, body=chat()))

    async def program() -> None:
        client = openai.AsyncOpenAI(base_url=server.base, api_key="sk-none", max_retries=0)
        create: Any = client.chat.completions.create
        await create(model="gpt-4o-mini", messages=MESSAGES)
        # Begun in one task and read in another.
        stream = await asyncio.create_task(create(model="gpt-4o-mini", messages=MESSAGES, stream=True))
        async for _ in stream:
            assert trace.get_current_span() is trace.INVALID_SPAN
        raw = await client.chat.completions.with_raw_response.create(
            model="gpt-4o-mini", messages=MESSAGES, stream=True
        )  # type: ignore[call-overload]
        async for _ in raw.parse():
            pass
        task = asyncio.create_task(create(model="gpt-4o-mini", messages=MESSAGES))
        while len(server.requests) < 4:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with caplog.at_level(logging.WARNING):
        asyncio.run(program())
    assert [span.status.status_code for span in told.spans] == [StatusCode.UNSET] * 3 + [StatusCode.ERROR]
    assert told.spans[3].attributes is not None
    assert told.spans[3].attributes["error.type"] == "cancelled"
    assert [record for record in caplog.records if record.name.startswith(("opentelemetry", "edgequake"))] == []


def test_own_asynchronous_calls(server: Server, told: Told) -> None:
    server.will(Answer(body=chat()), Answer(body=STREAM))
    base: Any = {"model": "gpt-4o-mini", "messages": MESSAGES, "api_base": server.base, "api_key": "k-none"}

    async def program() -> None:
        await edgequake_obs.acompletion(**base)
        assert len(told.spans) == 1
        stream: Any = await edgequake_obs.acompletion(**base, stream=True)
        async for _ in stream:
            pass
        assert len(told.spans) == 2

    asyncio.run(program())


def test_a_call_that_is_told_of(told: Told) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    edgequake_obs.record(provider="openai", model="gpt-4o", usage=usage, duration=2.0, operation="search")
    assert told.span.name == "search gpt-4o"
    assert told.span.end_time is not None
    assert told.span.start_time is not None
    assert told.span.end_time - told.span.start_time == 2_000_000_000


@pytest.mark.parametrize(
    ("name", "value", "own"),
    [
        ("gen_ai.operation.name", "chat", 0),
        ("openinference.span.kind", "LLM", 0),
        ("gen_ai.operation.name", "invoke_agent", 1),
        ("openinference.span.kind", "CHAIN", 1),
    ],
)
def test_beside_another_instrumentor(
    name: str, value: str, own: int, ask: Ask, server: Server, told: Told, ledger: Ledger
) -> None:
    server.will(Answer(body=chat()))
    with told.provider.get_tracer("another").start_as_current_span("theirs", attributes={name: value}) as theirs:
        ask()
    assert len(told.spans) == 1 + own
    assert ledger.call()["parent_span_id"] == f"{theirs.get_span_context().span_id:016x}"
    assert bool(told.reader.get_metrics_data()) == bool(own)


def test_a_program_that_suppresses(ask: Ask, server: Server, told: Told, ledger: Ledger) -> None:
    server.will(Answer(body=chat()))
    token = context.attach(context.set_value("suppress_instrumentation", True))
    try:
        ask()
    finally:
        context.detach(token)
    assert told.spans == ()
    assert ledger.call()["outcome"] == "completed"


@pytest.mark.parametrize(("mode", "here", "there"), [("python", 1, 0), ("native", 0, 1), ("off", 0, 0), ("auto", 1, 0)])
def test_whose_span_it_is(
    mode: str, here: int, there: int, ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    told = Told()
    use(told, monkeypatch)
    edgequake_obs.configure(otel=mode)
    server.will(Answer(body=chat()))
    ask()
    assert edgequake_obs.flush()
    assert (len(told.spans), len(receiver.spans)) == (here, there)
    assert (bool(told.reader.get_metrics_data()), bool(receiver.metrics())) == (bool(here), bool(there))


def test_a_program_with_the_api_alone(ask: Ask, server: Server, native: Receiver) -> None:
    server.will(Answer(body=chat()))
    assert type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider"
    ask()
    assert edgequake_obs.flush()
    assert len(native.spans) == 1
    assert type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider"


def test_a_span_processor_that_fails(ask: Ask, server: Server, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEQUAKE_OBS_RAISE_INTERNAL")

    class Failing(SimpleSpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            raise RuntimeError("theirs")

    told.provider.add_span_processor(Failing(told.exporter))
    server.will(Answer(body=chat()))
    assert ask().choices[0].message.content == "Hello."


class _Sent:
    """The program's OpenTelemetry, sending to a receiver."""

    def __init__(self, url: str) -> None:
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
        self.reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{url}/v1/metrics"), 600_000)
        self.meters = MeterProvider([self.reader])


def test_both_ways_say_the_same(ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Answer(429, error("slow down", "rate_limit_exceeded"), headers={"retry-after": "0"})

    def run() -> None:
        gate = threading.Event()
        left = Answer(body=[event("a"), gate, DONE])
        server.will(Answer(body=chat()), Answer(body=STREAM), left, busy, Answer(500, error("no")))
        with edgequake_obs.context(user="u", session="s", tags={"a": "b"}):
            ask(temperature=1, max_tokens=9, stop=["x"], seed=1, n=2, top_p=0.5)
            list(ask(stream=True))
            stream = ask(stream=True)
            next(iter(stream))
            stream.close()
            gate.set()
            with pytest.raises(edgequake_obs.InternalServerError):
                ask(num_retries=1)

    edgequake_obs.configure(otel=receiver.url)
    run()
    assert edgequake_obs.flush()
    with receiving() as second:
        sent = _Sent(second.url)
        use(sent, monkeypatch)
        run()
        sent.meters.force_flush()
        monkeypatch.undo()  # before the providers end
        varying = ("edgequake.call_uid", "gen_ai.response.time_to_first_chunk", "edgequake.attempt.duration")

        def told_to(found: Receiver) -> list[Any]:
            def fixed(attributes: dict[str, Any]) -> dict[str, Any]:
                return {k: v if k not in varying else type(v) for k, v in attributes.items()}

            return [
                (
                    span.name,
                    span.kind,
                    span.status,
                    span.message,
                    fixed(span.attributes),
                    [(name, fixed(attributes)) for name, attributes in span.events],
                    (span.scope, span.schema_url),
                )
                for span in found.spans
            ]

        assert told_to(receiver) == told_to(second)
        assert len(receiver.spans) == 4

        def measured_by(found: Receiver) -> dict[str, Any]:
            return {
                name: (metric.unit, metric.WhichOneof("data"), _points(metric))
                for name, metric in found.metrics().items()
            }

        assert measured_by(receiver) == measured_by(second)
        sent.meters.shutdown()


def _points(metric: Any) -> list[Any]:
    kind = metric.WhichOneof("data")
    return sorted(
        (
            sorted((attribute.key, str(attribute.value)) for attribute in point.attributes),
            list(point.explicit_bounds) if kind == "histogram" else None,
            point.count if kind == "histogram" else point.WhichOneof("value"),
        )
        for point in getattr(metric, kind).data_points
    )
