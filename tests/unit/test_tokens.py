"""Counting tokens without tiktoken's vocabulary: an estimate, and said to be one."""

from __future__ import annotations

import logging
import sys

import pytest

import edgequake_obs as obs
from edgequake_obs import tokens

MESSAGES = [{"role": "user", "content": "Hello, who are you?"}]


@pytest.fixture(autouse=True)
def _without_tiktoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    monkeypatch.setattr(tokens, "_encodings", {})


def test_an_estimate_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "edgequake_obs"):
        assert obs.token_counter("gpt-4", text="twelve chars") == 3
        assert obs.token_counter("gpt-4", text="東京") == 2
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == ["token counts are estimates"]


def test_messages_count_with_what_is_around_them() -> None:
    text = obs.token_counter(text="user") + obs.token_counter(text=MESSAGES[0]["content"])
    assert obs.token_counter(messages=MESSAGES) == text + 3 + 3
    assert obs.token_counter(messages=MESSAGES, count_response_tokens=True) == text + 3
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10_000}}
    assert obs.token_counter(messages=[{"role": "user", "content": [image]}]) < 200


def test_what_cannot_be_estimated() -> None:
    for function in (lambda: obs.encode("gpt-4", "x"), lambda: obs.decode("gpt-4", [1])):
        with pytest.raises(ImportError, match="edgequake-obs\\[tokens\\]"):
            function()
    with pytest.raises(ValueError, match="give one of them"):
        obs.token_counter("gpt-4")


def test_a_stream_is_put_together() -> None:
    def chunk(delta: dict[str, object], finish: str | None = None) -> dict[str, object]:
        return {"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a"'}}
    rest = {"index": 0, "function": {"arguments": ":1}"}}
    parts = [{"role": "assistant", "reasoning_content": "Hm"}, {"reasoning_content": "."}, {"tool_calls": [call]}]
    whole = obs.stream_chunk_builder([*map(chunk, parts), chunk({"tool_calls": [rest]}, "tool_calls")], MESSAGES)
    assert whole is not None
    message = whole.choices[0].message
    assert (message.content, message.reasoning_content) == (None, "Hm.")  # type: ignore[attr-defined]
    assert message.tool_calls[0].function.arguments == '{"a":1}'  # type: ignore[index]
    assert whole.choices[0].finish_reason == "tool_calls"
    assert whole.usage.prompt_tokens == obs.token_counter(messages=MESSAGES)
    assert obs.stream_chunk_builder([]) is None
