"""The examples run as they stand, against any server that OPENAI_BASE_URL names."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgequake_obs.demo import recording
from edgequake_obs.demo.server import ReplayServer, running

from .programs import ROOT, run
from .records import Ledger
from .server import DONE, PATIENCE, USAGE_EVENT, Answer, Server, chat, event

# They need answers in turn, or somebody who asks.
APART = {"tools", "fastapi_stream"}
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.py") if path.stem not in APART)
PLAIN = "openai-chat-test-dbos-agent-run-0-d00b1095"
STREAM = "openai-chat-simple-streaming-0-7b017cea"
SAID = "The capital of Mexico is Mexico City."
# 14 tokens in and 8 out of gpt-4o, which is what the recorded answer names.
COST = "0.000115"

# Of each example: what it prints, how many calls it makes, and which labels they have.
PRINTS = {
    "callbacks": [f"gpt-4o-mini said {SAID!r} for {COST} USD", "gpt-4o-mini failed: RateLimitError"],
    "local_server": [SAID, "3e-06 USD"],
    "first_call": [SAID, "14 tokens in, 8 out", f"{COST} USD"],
    "streaming": ["Olá!\n"],
    "async_calls": [f"Mexico: {SAID}", f"Japan: {SAID}", "3 calls, 66 tokens, 0.000345 USD"],
    "instrument_openai": [SAID, f"1 call, {COST} USD"],
    "context_labels": [SAID, "the report: 2 calls, 0.00023 USD", f"the translation: {COST} USD"],
    "record_local_model": ["recorded "],
    "patch_search": ["2 searches for 0.01 USD"],
    "otel_native": [SAID, "1 span at the collector"],
    "otel_program": ['"name": "chat gpt-4o-mini"', f'"gen_ai.usage.cost.amount": {COST}', '"name": "question"'],
    "tags_and_users": ["ada chat: 1\nada search: 1\ngrace chat: 1\n"],
    "custom_price": ["by the contract: 3e-05 USD", "by the call: 8e-06 USD"],
    "spend_query": ["search", "chat", "gpt-4o-2024-08-06", "Decimal('0.000115"],
}
CALLS = {"first_call": 1, "streaming": 1, "async_calls": 3, "instrument_openai": 1, "context_labels": 2}
CALLS |= {"otel_native": 1, "otel_program": 1}
CALLS |= {"spend_query": 3, "callbacks": 1, "local_server": 1, "record_local_model": 1, "patch_search": 2}
CALLS |= {"tags_and_users": 3, "custom_price": 2}
TAGS = {
    "tags_and_users": [{"feature": feature, "beta": "true"} for feature in ("search", "chat", "chat")],
    "async_calls": [{"feature": "capitals"}] * 3,
    "context_labels": [{"feature": "reports", "step": "summary"}, {"feature": "reports", "step": "translation"}],
    "spend_query": [{"feature": "search"}, {"feature": "chat"}, {"feature": "chat"}],
}


@pytest.fixture(scope="module")
def replaying() -> Iterator[ReplayServer]:
    with running(recording.load()) as server:
        yield server


def test_every_example_is_tested() -> None:
    assert {path.stem for path in EXAMPLES} == set(PRINTS) == set(CALLS)


@contextlib.contextmanager
def collecting(example: str) -> Iterator[dict[str, str]]:
    """A collector for the example that needs one."""
    if example != "otel_native":
        yield {}
        return
    from tests.otel.receiver import receiving

    with receiving() as receiver:
        yield {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        assert len(receiver.spans) == 1


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(replaying: ReplayServer, tmp_path: Path, path: Path) -> None:
    if path.stem == "instrument_openai":
        pytest.importorskip("openai")
    if path.stem.startswith("otel"):
        pytest.importorskip("opentelemetry.sdk")
    exchange = STREAM if path.stem == "streaming" else PLAIN
    found = Ledger(tmp_path / "ledger.duckdb")
    with collecting(path.stem) as settings:
        done = run(
            path,
            cwd=tmp_path,
            OPENAI_BASE_URL=replaying.url(exchange),
            OPENAI_API_KEY="sk-example",
            EDGEQUAKE_OBS_LEDGER=str(found.path),
            EDGEQUAKE_OBS_RAISE_INTERNAL="1",
            **settings,
        )
    assert done.stderr == ""
    assert done.stdout.strip()
    for said in PRINTS[path.stem]:
        assert said in done.stdout
    rows = found.calls()
    assert [row["outcome"] for row in rows] == ["completed"] * CALLS[path.stem]
    told = "reported" if path.stem in ("record_local_model", "patch_search") else "priced"
    assert all(row["cost_status"] == told for row in rows)
    if path.stem in TAGS:
        assert [row["tags"] for row in rows] == TAGS[path.stem]


def test_tools(server: Server, tmp_path: Path) -> None:
    asked = {"id": "call_1", "type": "function", "function": {"name": "city_of_code", "arguments": '{"code": "CDMX"}'}}
    server.will(Answer(body=chat(None, tool_calls=[asked])), Answer(body=chat(SAID)))
    found = Ledger(tmp_path / "ledger.duckdb")
    done = run(
        ROOT / "examples" / "tools.py",
        OPENAI_BASE_URL=server.base,
        OPENAI_API_KEY="sk-example",
        EDGEQUAKE_OBS_LEDGER=str(found.path),
    )
    assert (done.stdout, done.stderr) == (f"{SAID}\n", "")
    _, _, told = server.requests[1].json()["messages"]
    assert (told["role"], told["tool_call_id"], told["content"]) == ("tool", "call_1", "Mexico City")
    assert [row["outcome"] for row in found.calls()] == ["completed"] * 2


def test_fastapi(server: Server, tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    go = threading.Event()
    server.will(Answer(body=[event("Mexico"), go, event(" City."), USAGE_EVENT, DONE]))
    found = Ledger(tmp_path / "ledger.duckdb")
    surroundings = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "OPENAI_BASE_URL": server.base,
        "OPENAI_API_KEY": "sk-example",
        "EDGEQUAKE_OBS_LEDGER": str(found.path),
    }
    command = [sys.executable, "-m", "uvicorn", "--app-dir", "examples", "--port", "0", "fastapi_stream:app"]
    with subprocess.Popen(command, cwd=ROOT, env=surroundings, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stderr is not None
        line = next(line for line in serving.stderr if "running on" in line)
        port = int(re.search(r"http://127.0.0.1:(\d+)", line)[1])  # type: ignore[index]
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        asking.request("GET", "/ask?question=Which%3F&user=ada")
        answer = asking.getresponse()
        assert answer.read(6) == b"Mexico"  # the rest is not sent before
        go.set()
        assert answer.read() == b" City."
        asking.close()
        serving.send_signal(signal.SIGINT)
        serving.communicate(timeout=PATIENCE)
    row = found.call()
    assert (row["outcome"], row["user_id"], row["tags"]) == ("completed", "ada", {"feature": "ask"})
