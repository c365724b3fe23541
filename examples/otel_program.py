"""Spans in a program that has set up OpenTelemetry: they go where its own spans go, beneath its own spans.

OPENAI_API_KEY=... python examples/otel_program.py      (needs opentelemetry-sdk: pip install edgequake-obs[otel])
"""

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

import edgequake_obs

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)

with trace.get_tracer("geography").start_as_current_span("question"):
    edgequake_obs.completion("gpt-4o-mini", [{"role": "user", "content": "What is the capital of Mexico?"}])
