"""`responses` of providers that have only chat: asked, answered and recorded as their chat is."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

import edgequake_obs as obs

from .records import Ledger
from .server import DONE, USAGE, Answer, Server, sse

CLAUDE = "anthropic/claude-sonnet-4-5-20250929"
# 11 tokens in at 3 USD a million, 5 out at 15.
CLAUDE_USD = Decimal("0.000108")
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
CONVERSATION = [
    {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
    {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "21"},
]


def given(server: Server) -> dict[str, Any]:
    return {"api_base": server.base, "api_key": "sk-test", "timeout": 30, "max_retries": 0}


def claude(*content: dict[str, Any]) -> Answer:
    usage = {"input_tokens": 11, "output_tokens": 5}
    answer = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929"}
    return Answer(body=json.dumps({**answer, "content": content, "stop_reason": "end_turn", "usage": usage}).encode())


@pytest.mark.parametrize("way", ["sync", "async"])
def test_another_dialect(way: str, server: Server, ledger: Ledger) -> None:
    call = {"type": "tool_use", "id": "t1", "name": "look", "input": {"city": "Paris"}}
    server.will(claude({"type": "text", "text": "21 degrees."}, call))
    asked: dict[str, Any] = {"instructions": "Be brief", "tools": [TOOL], "max_output_tokens": 64, **given(server)}
    if way == "sync":
        answer: Any = obs.responses(CONVERSATION, CLAUDE, **asked)
    else:
        answer = asyncio.run(obs.aresponses(CONVERSATION, CLAUDE, **asked))
    assert isinstance(answer, obs.ResponsesAPIResponse)
    assert (answer.id, answer.status, answer.output_text) == ("msg_1", "completed", "21 degrees.")
    assert (answer.output[1].call_id, json.loads(answer.output[1].arguments)) == ("t1", {"city": "Paris"})
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.max_output_tokens) == (11, 5, 64)
    sent = server.requests[0].json()
    assert (sent["max_tokens"], sent["system"][0]["text"], sent["tools"][0]["name"]) == (64, "Be brief", "look")
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "user"]
    row = ledger.call()
    assert (row["operation"], row["provider"], row["outcome"]) == ("chat", "anthropic", "completed")
    assert (row["cost_usd"], row["response_id"]) == (CLAUDE_USD, "msg_1")
    assert json.loads(row["usage"]) == {"input_tokens": 11, "output_tokens": 5}
    assert answer._hidden_params["response_cost"] == float(CLAUDE_USD)


def test_a_stream(server: Server, ledger: Ledger) -> None:
    def chunk(delta: dict[str, Any], **others: Any) -> bytes:
        return sse(
            {
                "id": "c1",
                "created": 1,
                "model": "openai/gpt-oss-20b",
                "choices": [{"index": 0, "delta": delta, **others}],
            }
        )

    ends = sse({"id": "c1", "model": "openai/gpt-oss-20b", "choices": [], "usage": USAGE})
    server.will(Answer(body=[chunk({"content": "Hel"}), chunk({"content": "lo"}, finish_reason="stop"), ends, DONE]))
    events: list[Any] = list(obs.responses("Say hello.", "groq/openai/gpt-oss-20b", stream=True, **given(server)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "Hello"
    final = events[-1]
    assert (final.type, final.response.output_text) == ("response.completed", "Hello")
    assert final.response.usage.input_tokens == USAGE["prompt_tokens"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert server.requests[0].json()["stream_options"] == {"include_usage": True}
    row = ledger.call()
    assert (row["outcome"], row["streaming"], row["cost_status"]) == ("completed", True, "priced")
    assert (row["input_tokens"], row["output_tokens"]) == (USAGE["prompt_tokens"], USAGE["completion_tokens"])
    assert row["finish_reasons"] == ["stop"]


def test_what_chat_cannot_do_is_refused(server: Server, ledger: Ledger) -> None:
    with pytest.raises(obs.BadRequestError, match="previous_response_id"):
        obs.responses("x", CLAUDE, previous_response_id="resp_1", **given(server))
    row = ledger.call()
    assert (row["outcome"], row["attempts"], row["provider"]) == ("error", 0, "anthropic")
    assert server.requests == []


def test_an_error_in_the_stream(server: Server, ledger: Ledger) -> None:
    server.will(Answer(status=429, body=b'{"error": {"type": "rate_limit_error", "message": "slow down"}}'))
    with pytest.raises(obs.RateLimitError):
        obs.responses("x", CLAUDE, stream=True, **given(server))
    assert (ledger.call()["outcome"], ledger.call()["http_status"]) == ("error", 429)
