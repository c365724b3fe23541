"""A program's own OpenTelemetry, whose exporters keep what they are told."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Sampler

import edgequake_obs


class Told:
    """What the program's OpenTelemetry was told."""

    def __init__(self, sampler: Sampler | None = None, limits: SpanLimits | None = None) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler, span_limits=limits)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])
        self.events = InMemoryLogRecordExporter()
        self.loggers = LoggerProvider()
        self.loggers.add_log_record_processor(SimpleLogRecordProcessor(self.events))

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
    monkeypatch.setattr(_logs._internal, "_LOGGER_PROVIDER", getattr(told, "loggers", None))
    edgequake_obs.configure(otel="auto")
