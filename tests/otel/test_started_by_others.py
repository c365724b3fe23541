"""Started by `opentelemetry-instrument`, and by litellm's callback."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.unit.programs import run
from tests.unit.records import Ledger
from tests.unit.server import Answer, Server, chat

from .receiver import Receiver

CALL = """
import sys, openai
client = openai.OpenAI(base_url=sys.argv[1], api_key="sk-none", max_retries=0)
client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])
"""

WITH_CALLBACK = """
import sys, edgequake_obs as litellm
litellm.callbacks = ["otel"]
litellm.completion("gpt-4o-mini", [{"role": "user", "content": "Hello"}], api_base=sys.argv[1], api_key="sk-none")
"""


@pytest.mark.parametrize("disabled", [False, True])
def test_opentelemetry_instrument(disabled: bool, server: Server, receiver: Receiver, tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.instrumentation.auto_instrumentation")
    server.will(Answer(body=chat()))
    program = tmp_path / "program.py"
    program.write_text(CALL, encoding="utf-8")
    launch = tmp_path / "launch.py"
    launch.write_text(
        "import sys\n"
        "from opentelemetry.instrumentation.auto_instrumentation import run\n"
        f"sys.argv = ['opentelemetry-instrument', {sys.executable!r}, {str(program)!r}, sys.argv[1]]\n"
        "run()\n",
        encoding="utf-8",
    )
    found = Ledger(tmp_path / "ledger.duckdb")
    settings = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "edgequake_obs"} if disabled else {}
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "EDGEQUAKE_OBS_LEDGER": str(found.path)}
    run(launch, server.base, **endpoint, **settings)
    assert [row["origin"] for row in found.calls()] == ([] if disabled else ["openai"])
    assert len(receiver.spans) == len(found.calls())


@pytest.mark.parametrize("suffix", ["", "/v1/traces"])
def test_the_callback_with_litellms_variables(suffix: str, server: Server, receiver: Receiver) -> None:
    server.will(Answer(body=chat()))
    settings = {"OTEL_EXPORTER": "otlp_http", "OTEL_ENDPOINT": receiver.url + suffix, "OTEL_HEADERS": "x-key=a"}
    done = run(WITH_CALLBACK, server.base, EDGEQUAKE_OBS_LEDGER="off", **settings)
    assert done.stderr == ""
    assert len(receiver.spans) == 1
    assert {headers["x-key"] for _, headers in receiver.requests} == {"a"}


def test_litellms_variables_alone_mean_nothing(server: Server, receiver: Receiver) -> None:
    server.will(Answer(body=chat()))
    program = WITH_CALLBACK.replace('litellm.callbacks = ["otel"]', "")
    run(program, server.base, EDGEQUAKE_OBS_LEDGER="off", OTEL_ENDPOINT=receiver.url)
    assert receiver.requests == []
