"""The usage of streams: asked for where that is known to work, hidden from who did not ask, else estimated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Ask
from .programs import run
from .records import Ledger
from .server import DONE, USAGE_EVENT, Answer, Server, event

ASKS = ["openai", "groq", "deepseek", "xai", "together_ai", "openrouter", "hosted_vllm"]
DOES_NOT_ASK = ["mistral", "perplexity", "azure_ai"]
WITHOUT = [event("Hello"), event(" there", finish="stop")]


def choices(stream: Any) -> list[int]:
    return [len(chunk.choices) for chunk in stream]


@pytest.mark.parametrize("provider", ASKS)
def test_asked_for_and_hidden(server: Server, ask: Ask, ledger: Ledger, provider: str) -> None:
    server.will(Answer(body=[*WITHOUT, USAGE_EVENT, DONE]))
    assert choices(ask(stream=True, model=f"{provider}/gpt-4o-mini")) == [1, 1]
    sent = server.request.json()
    assert (sent["stream"], sent["stream_options"]) == (True, {"include_usage": True})
    row = ledger.call()
    assert (row["input_tokens"], row["output_tokens"], row["estimated_output_tokens"]) == (14, 8, None)


@pytest.mark.parametrize("provider", DOES_NOT_ASK)
def test_not_asked_for(server: Server, ask: Ask, ledger: Ledger, provider: str) -> None:
    last = event(" there", finish="stop", usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5})
    server.will(Answer(body=[event("Hello"), last, DONE]))
    assert choices(ask(stream=True, model=f"{provider}/m")) == [1, 1]
    assert "stream_options" not in server.request.json()
    assert (ledger.call()["input_tokens"], ledger.call()["output_tokens"]) == (3, 2)


def test_the_caller_asked(server: Server, ask: Ask) -> None:
    server.will(Answer(body=[*WITHOUT, USAGE_EVENT, DONE]))
    chunks = list(ask(stream=True, stream_options={"include_usage": True}))
    assert choices(chunks) == [1, 1, 0]
    assert chunks[-1].usage.total_tokens == 22
    assert server.request.json()["stream_options"] == {"include_usage": True}


def test_the_caller_refused(server: Server, ask: Ask) -> None:
    server.will(Answer(body=[*WITHOUT, DONE]))
    list(ask(stream=True, stream_options={"include_usage": False}))
    assert server.request.json()["stream_options"] == {"include_usage": False}


def test_other_options_are_kept(server: Server, ask: Ask) -> None:
    options = {"include_obfuscation": False}
    server.will(Answer(body=[*WITHOUT, USAGE_EVENT, DONE]))
    assert choices(ask(stream=True, stream_options=options)) == [1, 1]
    assert server.request.json()["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert options == {"include_obfuscation": False}, "the caller's dict is as it was"


def test_asked_for_through_extra_body(server: Server, ask: Ask) -> None:
    server.will(Answer(body=[*WITHOUT, USAGE_EVENT, DONE]))
    assert choices(ask(stream=True, extra_body={"stream_options": {"include_usage": True}})) == [1, 1, 0]


def test_not_asked_for_without_a_stream(server: Server, ask: Ask) -> None:
    server.will(Answer(body=b'{"choices": []}'))
    ask(stream=False)
    assert not {"stream", "stream_options"} & set(server.request.json())


def test_usage_beside_content_is_shown_to_who_asks(server: Server, ask: Ask) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    server.will(Answer(body=[event("Hello", finish="stop", usage=usage), DONE]))
    (chunk,) = ask(stream=True, stream_options={"include_usage": True})
    assert chunk.usage.total_tokens == 5


def test_estimated(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(Answer(body=[*WITHOUT, DONE]))
    list(ask(stream=True))
    row = ledger.call()
    assert (row["outcome"], row["cost_status"]) == ("completed", "estimated")
    assert (row["input_tokens"], row["output_tokens"], row["usage"]) == (None, None, None)
    assert row["estimated_input_tokens"] > 0
    assert row["estimated_output_tokens"] > 0
    assert row["cost_usd"] > 0


def test_longer_texts_are_estimated_longer(server: Server, ask: Ask, ledger: Ledger) -> None:
    for words in (10, 1000):
        server.will(Answer(body=[event("word " * words), DONE]))
        list(ask(stream=True, messages=[{"role": "user", "content": "word " * words}]))
    short, long = ledger.calls()
    for column in ("estimated_input_tokens", "estimated_output_tokens"):
        assert short[column] < 30
        assert 500 < long[column] < 2000


def test_estimated_without_a_price(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(Answer(body=[event("Hello", model="nobody-knows-me"), DONE]))
    list(ask(stream=True, model="openai/nobody-knows-me"))
    row = ledger.call()
    assert (row["cost_status"], row["cost_usd"]) == ("unpriced", None)
    assert row["estimated_output_tokens"] > 0


PROGRAM = """
import sys, edgequake_obs
stream = edgequake_obs.completion("gpt-4o-mini", [{"role": "user", "content": "hi"}], stream=True,
                                  api_base=sys.argv[1], api_key="k")
print([len(chunk.choices) for chunk in stream])
"""


@pytest.mark.parametrize(("setting", "asks"), [("off", False), ("OFF", False), ("inject", True), ("", True)])
def test_switched_off(server: Server, tmp_path: Path, setting: str, asks: bool) -> None:
    server.will(Answer(body=[*WITHOUT, *([USAGE_EVENT] if asks else []), DONE]))
    found = Ledger(tmp_path / "ledger.duckdb")
    environment = {"EDGEQUAKE_OBS_STREAM_USAGE": setting, "EDGEQUAKE_OBS_LEDGER": str(found.path)}
    done = run(PROGRAM, server.base, **environment)
    assert json.loads(done.stdout) == [1, 1]
    assert ("stream_options" in server.request.json()) == asks
    assert found.call()["cost_status"] == ("priced" if asks else "estimated")
