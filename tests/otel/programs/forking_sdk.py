"""forking_sdk.py URL WHEN: a program with OpenTelemetry of its own forks, and parent and children make calls.

WHEN before | after the first call.
"""

import os
import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import edgequake_obs

USAGE = {"prompt_tokens": 3, "completion_tokens": 4}


def calls() -> None:
    for _ in range(3):
        edgequake_obs.record(provider="openai", model="gpt-4o-mini", usage=USAGE)


if __name__ == "__main__":
    url, when = sys.argv[1:]
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    trace.set_tracer_provider(provider)
    if when == "after":
        calls()
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            calls()
            sent = provider.force_flush()
            os._exit(0 if edgequake_obs.flush(10) and sent else 3)
        children.append(child)
    calls()
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    sys.exit(any(statuses))
