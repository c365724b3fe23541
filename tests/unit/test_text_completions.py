"""`text_completion`: a prompt, and the text that goes on from it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import edgequake_obs as obs

from .records import Ledger
from .server import DONE, USAGE, Answer, Server, chat, sse

BODY = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1,
    "model": "served",
    "choices": [{"index": 0, "text": " world", "logprobs": None, "finish_reason": "stop"}],
    "usage": USAGE,
}


def _given(server: Server) -> dict[str, Any]:
    return {"api_base": server.base, "api_key": "k"}


def test_a_text_goes_on(server: Server, ledger: Ledger) -> None:
    server.will(*[Answer(body=json.dumps(BODY).encode())] * 2)
    answers = [
        obs.text_completion("Hello", "gpt-3.5-turbo-instruct", max_tokens=5, **_given(server)),
        asyncio.run(obs.atext_completion(["Hello"], "text-completion-openai/mine", **_given(server))),
    ]
    for answer in answers:
        assert isinstance(answer, obs.TextCompletionResponse)
        assert (answer.choices[0].text, answer.choices[0].finish_reason) == (" world", "stop")
        assert answer.usage.total_tokens == USAGE["total_tokens"]
    assert [request.path for request in server.requests] == ["/v1/completions"] * 2
    sent = [request.json() for request in server.requests]
    assert sent[0] == {"model": "gpt-3.5-turbo-instruct", "prompt": "Hello", "max_tokens": 5}
    assert sent[1] == {"model": "mine", "prompt": ["Hello"]}
    row = ledger.calls()[0]
    assert (row["operation"], row["input_tokens"]) == ("text_completion", USAGE["prompt_tokens"])
    assert row["cost_usd"] > 0


def test_a_stream_of_texts(server: Server) -> None:
    def part(text: str, finish: str | None = None) -> bytes:
        return sse({**BODY, "usage": None, "choices": [{"index": 0, "text": text, "finish_reason": finish}]})

    server.will(Answer(body=[part(" wor"), part("ld", "stop"), DONE]))
    stream = obs.text_completion("Hello", "hosted_vllm/m", stream=True, **_given(server))
    assert "".join(chunk.choices[0].text for chunk in stream) == " world"


def test_models_that_only_chat_are_asked_by_a_message(server: Server) -> None:
    server.will(Answer(body=json.dumps({**json.loads(chat())}).encode()))
    mocked = obs.text_completion("Hello", "anthropic/claude-sonnet-4-5", mock_response="Hi")
    assert isinstance(mocked, obs.TextCompletionResponse)
    assert mocked.choices[0].text == "Hi"
    assert obs.text_completion("a", mock_response="b").choices[0].text == "b"
