"""Spans and metrics without any OpenTelemetry package, for a collector that a variable names.

OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 OPENAI_API_KEY=... python examples/otel_native.py
"""

import edgequake_obs

with edgequake_obs.context(session="conversation-1", tags={"feature": "capitals"}):
    answer = edgequake_obs.completion("gpt-4o-mini", [{"role": "user", "content": "What is the capital of Mexico?"}])

print(answer.content)
edgequake_obs.flush()  # the end of a program does it too
print(f"{edgequake_obs.stats()['otlp']['exported']} span at the collector")
