"""Spans and metrics in the program's own OpenTelemetry."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import StatusCode

import edgequake_obs
from edgequake_obs._otel import spans
from tests.unit.records import Ledger
from tests.unit.server import DONE, USAGE_EVENT, Answer, Server, chat, error, event

from .conftest import MESSAGES, Ask
from .told import Told, use


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


def _attributes(limits: SpanLimits, ask: Ask, server: Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    told = Told(limits=limits)
    use(told, monkeypatch)
    server.will(Answer(body=chat()))
    ask(stop=["x", "y"], temperature=1)
    found = dict(told.span.attributes or {})
    assert found.pop("edgequake.call_uid")
    return found


def test_the_programs_limits(ask: Ask, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _attributes(SpanLimits(), ask, server, monkeypatch)
    assert whole["gen_ai.request.stop_sequences"] == ("x", "y")
    wide = SpanLimits(max_span_attributes=1_000, max_span_attribute_length=1_000)
    assert _attributes(wide, ask, server, monkeypatch) == whole
    short = _attributes(SpanLimits(max_span_attribute_length=3), ask, server, monkeypatch)
    assert short["gen_ai.request.model"] == "gpt"
    assert {len(value) for value in short.values() if isinstance(value, str)} == {3}
    # Of more than there is room for the SDK keeps what came last.
    few = _attributes(SpanLimits(max_span_attributes=7), ask, server, monkeypatch)
    assert list(few) == [name for name in whole if name in few]
    assert len(few) == 6  # and the id that differs


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


def test_a_span_processor_that_fails(ask: Ask, server: Server, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEQUAKE_OBS_RAISE_INTERNAL")

    class Failing(SimpleSpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            raise RuntimeError("theirs")

    told.provider.add_span_processor(Failing(told.exporter))
    server.will(Answer(body=chat()))
    assert ask().choices[0].message.content == "Hello."
