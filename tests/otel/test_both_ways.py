"""What is written here, and what the program's own OpenTelemetry writes of the same calls."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import edgequake_obs
from tests.unit.server import DONE, USAGE_EVENT, Answer, Server, chat, error, event

from .conftest import Ask
from .receiver import Receiver, receiving
from .told import use

STREAM = [event("a"), event("b"), event("c", finish="stop"), USAGE_EVENT, DONE]


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
