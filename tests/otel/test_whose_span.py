"""Which of several that could makes the span of a call: the program's OpenTelemetry, another instrumentor, or we."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import context, trace

import edgequake_obs
from tests.unit.records import Ledger
from tests.unit.server import Answer, Server, chat

from .conftest import Ask
from .receiver import Receiver
from .told import Told, use


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


class ProxyTracerProvider:
    """As Logfire's is named, which is a real one."""

    def __init__(self, provider: Any) -> None:
        self.get_tracer = provider.get_tracer


def test_a_provider_with_a_misleading_name(ask: Ask, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    use(told, monkeypatch)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", ProxyTracerProvider(told.provider))
    server.will(Answer(body=chat()))
    ask()
    assert len(told.spans) == 1


def test_one_that_is_set_up_later(
    ask: Ask, server: Server, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    edgequake_obs.configure(otel="auto")
    server.will(*[Answer(body=chat())] * 2)
    ask()
    told = Told()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", told.provider)
    ask()
    assert edgequake_obs.flush()
    assert (len(receiver.spans), len(told.spans)) == (1, 1)


@pytest.mark.parametrize("disabled", [True, False])
def test_an_sdk_that_is_disabled(
    disabled: bool, ask: Ask, server: Server, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", str(disabled).lower())
    told = Told()
    use(told, monkeypatch)
    server.will(Answer(body=chat()))
    ask()
    row = ledger.call()
    assert len(told.spans) == int(not disabled)
    assert (len(row["trace_id"]), len(row["span_id"]), int(row["trace_id"], 16) > 0) == (32, 16, True)


def test_a_program_with_the_api_alone(ask: Ask, server: Server, native: Receiver) -> None:
    server.will(Answer(body=chat()))
    assert type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider"
    ask()
    assert edgequake_obs.flush()
    assert len(native.spans) == 1
    assert type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider"
