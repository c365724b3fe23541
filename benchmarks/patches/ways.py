"""Ways to record the calls of an SDK, each set up as its makers' documentation says, with content off.

A way is a library, and a function from the collector's URL to what instruments it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any, NamedTuple

Instrument = Callable[[], object]


class Way(NamedTuple):
    """How calls through a library are recorded.

    Attributes:
        library: `openai` or `litellm`.
        prepare: From the collector's URL to what instruments the library.
    """

    library: str
    prepare: Callable[[str], Instrument]


def _of(module: str) -> Any:
    """A module that only the peers' environment has."""
    return importlib.import_module(module)


def _ours(library: str) -> Way:
    def prepare(collector: str) -> Instrument:
        import edgequake_obs

        del collector  # to the ledger alone: what spans cost is benchmarks/spans's affair
        edgequake_obs.configure(otel="off")
        return lambda: edgequake_obs.instrument(library)

    return Way(library, prepare)


def _exporter(collector: str) -> Any:
    return _of("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter(f"{collector}/v1/traces")


def _opentelemetry(collector: str) -> None:
    """The program's own OpenTelemetry, as a program sets it up that sends to a collector."""
    provider = _of("opentelemetry.sdk.trace").TracerProvider()
    provider.add_span_processor(_of("opentelemetry.sdk.trace.export").BatchSpanProcessor(_exporter(collector)))
    _of("opentelemetry.trace").set_tracer_provider(provider)


def _openllmetry(collector: str) -> Instrument:
    os.environ["TRACELOOP_TRACE_CONTENT"] = "false"
    _opentelemetry(collector)
    return _of("opentelemetry.instrumentation.openai").OpenAIInstrumentor().instrument


def _openinference(module: str, instrumentor: str) -> Callable[[str], Instrument]:
    def prepare(collector: str) -> Instrument:
        for what in ("INPUTS", "OUTPUTS"):
            os.environ[f"OPENINFERENCE_HIDE_{what}"] = "true"
        _opentelemetry(collector)
        return getattr(_of(module), instrumentor)().instrument

    return prepare


def _logfire(instrument: str) -> Callable[[str], Instrument]:
    def prepare(collector: str) -> Instrument:
        logfire = _of("logfire")
        processor = _of("opentelemetry.sdk.trace.export").BatchSpanProcessor(_exporter(collector))
        more = {"metrics": False, "additional_span_processors": [processor], "inspect_arguments": False}
        logfire.configure(send_to_logfire=False, console=False, **more)
        return getattr(logfire, instrument)

    return prepare


OURS = {"openai": "edgequake_obs", "litellm": "edgequake_obs, litellm over openai"}
WAYS: dict[str, Way] = {
    OURS["openai"]: _ours("openai"),
    "OpenLLMetry": Way("openai", _openllmetry),
    "OpenInference": Way("openai", _openinference("openinference.instrumentation.openai", "OpenAIInstrumentor")),
    "Logfire": Way("openai", _logfire("instrument_openai")),
    OURS["litellm"]: _ours("litellm"),
    "OpenInference, litellm over openai": Way(
        "litellm", _openinference("openinference.instrumentation.litellm", "LiteLLMInstrumentor")
    ),
    "Logfire, litellm over openai": Way("litellm", _logfire("instrument_litellm")),
}
