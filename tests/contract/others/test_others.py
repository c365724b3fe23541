"""Beside another instrumentor of the openai package, before it or after it: one row each call, and its span as ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contract.server import Server
from edgequake_obs import ledger

# By the module that an environment has or has not: no environment takes all of them.
_INSTRUMENT = {
    "opentelemetry.instrumentation.openai": """
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument(tracer_provider=provider)
""",
    "openinference.instrumentation.openai": """
from openinference.instrumentation.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument(tracer_provider=provider)
""",
    "logfire": """
import logfire
logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[processor])
logfire.instrument_openai()
""",
    "langfuse": """
from langfuse import Langfuse
import langfuse.openai
Langfuse(public_key="pk-none", secret_key="sk-none", base_url="http://127.0.0.1:9", tracer_provider=provider)
""",
    "opentelemetry.instrumentation.genai.openai": """
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument(tracer_provider=provider)
""",
}
_PROGRAM = """
import asyncio, sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

plain, streamed = sys.argv[1:]
exporter = InMemorySpanExporter()
processor = SimpleSpanProcessor(exporter)
provider = TracerProvider()
provider.add_span_processor(processor)

import openai
import edgequake_obs
{first}
{second}
ASKED = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Hi"}}]}}

def client(kind, url):
    return kind(base_url=url, api_key="sk-none", max_retries=0)

assert client(openai.OpenAI, plain).chat.completions.create(**ASKED).choices[0].message
assert list(client(openai.OpenAI, streamed).chat.completions.create(stream=True, **ASKED))

async def main():
    assert (await client(openai.AsyncOpenAI, plain).chat.completions.create(**ASKED)).choices[0].message
    stream = await client(openai.AsyncOpenAI, streamed).chat.completions.create(stream=True, **ASKED)
    assert [chunk async for chunk in stream]

asyncio.run(main())
assert edgequake_obs.flush(30)
print(len([span for span in exporter.get_finished_spans() if "pending" not in str(dict(span.attributes))]))
"""
_OURS = "edgequake_obs.instrument('openai')"


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("name", _INSTRUMENT)
def test_one_row_each(server: Server, tmp_path: Path, name: str, order: str) -> None:
    pytest.importorskip(name)
    first, second = (_OURS, _INSTRUMENT[name]) if order == "before" else (_INSTRUMENT[name], _OURS)
    path = tmp_path / "ledger.duckdb"
    surroundings = {**os.environ, "EDGEQUAKE_OBS_LEDGER": str(path), "EDGEQUAKE_OBS_OTEL": "off"}
    program = _PROGRAM.format(first=first, second=second)
    run = f"{name}-{order}"
    done = subprocess.run(
        [sys.executable, "-c", program, server.url("chat", run), server.url("stream", run)],
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 4, "the other's spans are there"
    rows = ledger.connect(str(path)).execute("SELECT origin, outcome, streaming, input_tokens FROM calls ORDER BY ALL")
    assert rows.fetchall() == [("openai", "completed", False, 40)] * 2 + [("openai", "completed", True, 11)] * 2
