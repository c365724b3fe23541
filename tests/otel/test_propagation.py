"""Providers are told of a request's trace only where the program asks for it."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from opentelemetry import trace

import edgequake_obs
from tests.unit.server import DONE, USAGE_EVENT, Answer, Server, chat, event

from .conftest import MESSAGES, Ask
from .receiver import Receiver
from .told import Told, use

STREAM = [event("a"), event("b", finish="stop"), USAGE_EVENT, DONE]
OWN = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"


def told_of(server: Server) -> list[str | None]:
    """The header of each request."""
    return [request.headers.get("traceparent") for request in server.requests]


def calls(server: Server, ask: Ask) -> None:
    """Plain and streamed, by the own client and by a patched one."""
    server.will(*[Answer(body=chat()), Answer(body=STREAM)] * 3)
    asked: Any = {"model": "gpt-4o-mini", "messages": MESSAGES}
    ask()
    list(ask(stream=True))
    edgequake_obs.instrument("openai")
    try:
        client = openai.OpenAI(base_url=server.base, api_key="sk-none", max_retries=0)
        client.chat.completions.create(**asked)
        list(client.chat.completions.create(**asked, stream=True))

        async def program() -> None:
            client = openai.AsyncOpenAI(base_url=server.base, api_key="sk-none", max_retries=0)
            await client.chat.completions.create(**asked)
            async for _ in await client.chat.completions.create(**asked, stream=True):
                pass

        asyncio.run(program())
    finally:
        edgequake_obs.uninstrument()


@pytest.fixture
def _asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEQUAKE_OBS_PROPAGATE", "1")


@pytest.mark.usefixtures("_asked_for")
def test_of_native_spans(ask: Ask, server: Server, native: Receiver) -> None:
    calls(server, ask)
    assert edgequake_obs.flush()
    expected = [f"00-{span.trace_id}-{span.span_id}-01" for span in native.spans]
    assert told_of(server) == expected
    assert len(expected) == 6


@pytest.mark.usefixtures("_asked_for")
def test_of_the_programs_spans(ask: Ask, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    use(told, monkeypatch)
    calls(server, ask)
    ids = [span.context for span in told.spans]
    expected = [f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}" for span in ids]
    assert told_of(server) == expected
    assert len(ids) == 6


@pytest.mark.parametrize("where", ["native", "python"])
def test_nobody_asked(
    where: str, ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    if where == "native":
        edgequake_obs.configure(otel=receiver.url)
    else:
        use(Told(), monkeypatch)
    calls(server, ask)
    assert told_of(server) == [None] * 6


@pytest.mark.usefixtures("_asked_for")
def test_there_are_no_spans(ask: Ask, server: Server) -> None:
    edgequake_obs.configure(otel="off")
    calls(server, ask)
    assert told_of(server) == [None] * 6


@pytest.mark.usefixtures("_asked_for")
def test_other_propagators_and_samplers(
    ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.will(*[Answer(body=chat())] * 2)
    monkeypatch.setenv("OTEL_PROPAGATORS", "b3")
    edgequake_obs.configure(otel=receiver.url)
    ask()
    monkeypatch.setenv("OTEL_PROPAGATORS", "tracecontext,baggage")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    edgequake_obs.configure(otel=receiver.url)
    ask()
    without, sampled_out = told_of(server)
    assert without is None
    assert sampled_out is not None
    assert sampled_out.endswith("-00")


@pytest.mark.usefixtures("_asked_for", "native")
def test_what_the_program_sets_itself_stays(ask: Ask, server: Server) -> None:
    server.will(*[Answer(body=chat())] * 3)
    ask(extra_headers={"traceparent": OWN})
    edgequake_obs.instrument("openai")
    try:
        asked: Any = {"model": "gpt-4o-mini", "messages": MESSAGES}
        named: Any = {"base_url": server.base, "api_key": "sk-none", "max_retries": 0}
        openai.OpenAI(**named).chat.completions.create(**asked, extra_headers={"Traceparent": OWN})
        openai.OpenAI(**named, default_headers={"traceparent": OWN}).chat.completions.create(**asked)
    finally:
        edgequake_obs.uninstrument()
    assert told_of(server) == [OWN] * 3


@pytest.mark.usefixtures("_asked_for")
def test_the_span_around_stays_the_parent(ask: Ask, server: Server, native: Receiver) -> None:
    flags = trace.TraceFlags(1)
    ids = trace.SpanContext(trace_id=0xABC << 64, span_id=0xDEF, is_remote=True, trace_flags=flags)
    server.will(Answer(body=chat()))
    with trace.use_span(trace.NonRecordingSpan(ids)):
        ask()
    assert edgequake_obs.flush()
    (found,) = told_of(server)
    assert found == f"00-{0xABC << 64:032x}-{native.spans[0].span_id}-01"
