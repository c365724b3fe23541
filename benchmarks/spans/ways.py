"""Ways to have spans of a program's calls: each can be turned on and off in one process, around the same client.

A way is a function from the collector's URL to a pair: the client it works on, and its switch. Everything is set up as
its makers' documentation says, with content off and spans batched.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

Switch = Callable[[bool], None]
Way = Callable[[str], tuple[str, Switch]]


def _of(module: str) -> Any:
    """A module that one of the environments has and the other has not."""
    return importlib.import_module(module)


def opentelemetry(collector: str, *, metrics: bool) -> None:
    """The program's own OpenTelemetry, as a program sets it up that sends to a collector."""
    provider = _of("opentelemetry.sdk.trace").TracerProvider()
    exporter = _of("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter(f"{collector}/v1/traces")
    provider.add_span_processor(_of("opentelemetry.sdk.trace.export").BatchSpanProcessor(exporter))
    _of("opentelemetry.trace").set_tracer_provider(provider)
    if metrics:
        sdk, http = _of("opentelemetry.sdk.metrics"), _of("opentelemetry.exporter.otlp.proto.http.metric_exporter")
        exporting = _of("opentelemetry.sdk.metrics.export").PeriodicExportingMetricReader
        reader = exporting(http.OTLPMetricExporter(f"{collector}/v1/metrics"))
        _of("opentelemetry.metrics").set_meter_provider(sdk.MeterProvider([reader]))


def _configure(on: str) -> Switch:
    import edgequake_obs

    return lambda turned_on: edgequake_obs.configure(otel=on if turned_on else "off")


def _patch(on: str) -> Switch:
    import edgequake_obs

    edgequake_obs.configure(otel=on)

    def switch(turned_on: bool) -> None:
        if turned_on:
            edgequake_obs.instrument("openai")
        else:
            edgequake_obs.uninstrument()

    return switch


def own_native(collector: str) -> tuple[str, Switch]:
    return "own", _configure(collector)


def own_python(collector: str) -> tuple[str, Switch]:
    opentelemetry(collector, metrics=False)
    return "own", _configure("python")


def by_hand(collector: str) -> tuple[str, Switch]:
    """The least that OpenTelemetry's own SDK takes for such a span."""
    import edgequake_obs

    opentelemetry(collector, metrics=False)
    edgequake_obs.configure(otel="off")
    trace = _of("opentelemetry.trace")
    tracer = trace.get_tracer("by hand")
    before = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini"}
    before |= {"server.address": "127.0.0.1"}
    after = {f"gen_ai.response.text.{number}": "gpt-4o-mini-2024-07-18" for number in range(8)}
    after |= {f"gen_ai.usage.number.{number}": number for number in range(8)}
    complete = edgequake_obs.completion

    def with_span(**asked: Any) -> Any:
        span = tracer.start_span("chat gpt-4o-mini", kind=trace.SpanKind.CLIENT, attributes=before)
        answer = complete(**asked)
        span.set_attributes(after)
        span.end()
        return answer

    def switch(turned_on: bool) -> None:
        vars(edgequake_obs)["completion"] = with_span if turned_on else complete

    return "own", switch


def own_python_metrics(collector: str) -> tuple[str, Switch]:
    opentelemetry(collector, metrics=True)
    return "own", _configure("python")


def patched_native(collector: str) -> tuple[str, Switch]:
    return "openai", _patch(collector)


def patched_python(collector: str) -> tuple[str, Switch]:
    opentelemetry(collector, metrics=False)
    return "openai", _patch("python")


def litellm_otel(collector: str) -> tuple[str, Switch]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector
    litellm, theirs = _of("litellm"), _of("litellm.integrations.opentelemetry")
    config = theirs.OpenTelemetryConfig(exporter="otlp_http", endpoint=collector)
    litellm.turn_off_message_logging = True
    callback = theirs.OpenTelemetry(config=config)
    lists = ("callbacks", "success_callback", "failure_callback", "_async_success_callback", "_async_failure_callback")

    def switch(turned_on: bool) -> None:
        # litellm copies a callback from its list into the others.
        for name in lists:
            setattr(litellm, name, [])
        litellm.callbacks = [callback] if turned_on else []

    return "litellm", switch


def openllmetry(collector: str) -> tuple[str, Switch]:
    os.environ["TRACELOOP_TRACE_CONTENT"] = "false"
    opentelemetry(collector, metrics=False)
    return "openai", _openllmetry()


def openllmetry_metrics(collector: str) -> tuple[str, Switch]:
    os.environ["TRACELOOP_TRACE_CONTENT"] = "false"
    opentelemetry(collector, metrics=True)
    return "openai", _openllmetry()


def _openllmetry() -> Switch:
    # Its own `uninstrument` leaves openai's functions wrapped, and the next `instrument` wraps them once more.
    owner: Any = _of("openai.resources.chat.completions").Completions
    plain = owner.create
    _of("opentelemetry.instrumentation.openai").OpenAIInstrumentor().instrument()
    hooked = owner.create
    assert hooked is not plain

    def switch(turned_on: bool) -> None:
        owner.create = hooked if turned_on else plain

    return switch


def openinference(collector: str) -> tuple[str, Switch]:
    for what in ("INPUTS", "OUTPUTS"):
        os.environ[f"OPENINFERENCE_HIDE_{what}"] = "true"
    opentelemetry(collector, metrics=False)
    instrumentor = _of("openinference.instrumentation.openai").OpenAIInstrumentor()

    def switch(turned_on: bool) -> None:
        if turned_on:
            instrumentor.instrument()
        elif instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()

    return "openai", switch


def logfire(collector: str) -> tuple[str, Switch]:
    logfire = _of("logfire")
    exporter = _of("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter(f"{collector}/v1/traces")
    processor = _of("opentelemetry.sdk.trace.export").BatchSpanProcessor(exporter)
    logfire.configure(
        send_to_logfire=False,
        console=False,
        metrics=False,
        additional_span_processors=[processor],
        inspect_arguments=False,
    )
    undo: list[Any] = []

    def switch(turned_on: bool) -> None:
        if turned_on and not undo:
            undo.append(logfire.instrument_openai())
        elif undo and not turned_on:
            with undo.pop():  # leaving it takes the instrumentation back
                pass

    return "openai", switch


# What it is called in reports; those of the first row need no environment but ours.
OWN: dict[str, Way] = {
    "own, native, with metrics": own_native,
    "own, program's OpenTelemetry": own_python,
    "own, a bare span of the SDK by hand": by_hand,
    "own, program's OpenTelemetry, with metrics": own_python_metrics,
    "openai patched, native, with metrics": patched_native,
    "openai patched, program's OpenTelemetry": patched_python,
}
PEERS: dict[str, Way] = {
    "OpenLLMetry": openllmetry,
    "OpenLLMetry, with metrics": openllmetry_metrics,
    "OpenInference": openinference,
    "Logfire": logfire,
    "litellm's otel callback": litellm_otel,
}
