"""Chat with models that have the Responses API alone: asked as responses, given back as chat."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

import edgequake_obs as obs

from .conftest import MESSAGES
from .records import Ledger
from .server import Answer, Server, sse

USAGE = {
    "input_tokens": 11,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 16,
}
# gpt-5-pro: 15 USD a million in, 120 out.
USD = Decimal("0.000765")
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Paris"}'}


def response(**more: Any) -> dict[str, Any]:
    text = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}
    return {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": "gpt-5-pro-2025-10-06",
        "output": [{"type": "reasoning", "id": "rs_1", "summary": []}, text, CALL],
        "usage": USAGE,
        **more,
    }


def given(server: Server) -> dict[str, Any]:
    return {"messages": MESSAGES, "api_base": server.base, "api_key": "sk-test-0123456789", "max_retries": 0}


def answer(**more: Any) -> Answer:
    return Answer(body=json.dumps(response(**more)).encode())


def test_a_model_without_chat_is_asked_as_a_response(server: Server, ledger: Ledger) -> None:
    server.will(answer(), answer())
    asked = {"max_tokens": 9, "reasoning_effort": "high", "temperature": 1, **given(server)}
    for reply in (obs.completion("gpt-5-pro", **asked), asyncio.run(obs.acompletion("gpt-5-pro", **asked))):
        message = reply.choices[0].message
        assert (message.content, reply.choices[0].finish_reason) == ("Hello.", "tool_calls")
        assert (message.tool_calls[0].id, message.tool_calls[0].function.name) == ("call_1", "weather")
        assert (reply.usage.prompt_tokens, reply.usage.completion_tokens_details.reasoning_tokens) == (11, 2)
        assert reply._hidden_params["response_cost"] == float(USD)
    assert {request.path for request in server.requests} == {"/v1/responses"}
    assert server.requests[0].json() == {
        "model": "gpt-5-pro",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say hello."}]}],
        "max_output_tokens": 9,
        "reasoning": {"effort": "high"},
        "temperature": 1,
    }
    for row in ledger.calls():
        assert (row["operation"], row["request_model"], row["response_id"]) == ("chat", "gpt-5-pro", "resp_1")
        assert (row["cost_usd"], row["cost_status"], row["reasoning_tokens"]) == (USD, "priced", 2)


def test_its_stream_is_chunks(server: Server, ledger: Ledger) -> None:
    events = [
        {"type": "response.created", "response": {"id": "resp_1", "model": "gpt-5-pro-2025-10-06"}},
        {"type": "response.output_text.delta", "output_index": 0, "delta": "Hel"},
        {"type": "response.output_text.delta", "output_index": 0, "delta": "lo."},
        {"type": "response.output_item.added", "output_index": 1, "item": {**CALL, "arguments": ""}},
        {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": CALL["arguments"]},
        {"type": "response.completed", "response": response()},
    ]
    server.will(Answer(body=[sse(event) for event in events]))
    stream = obs.completion("gpt-5-pro", stream=True, stream_options={"include_usage": True}, **given(server))
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello."
    assert chunks[-1].usage.completion_tokens == 5
    whole = obs.stream_chunk_builder(chunks)
    assert whole is not None
    assert whole.choices[0].message.tool_calls[0].function.arguments == CALL["arguments"]
    row = ledger.calls()[0]
    assert (row["cost_usd"], row["outcome"], row["finish_reasons"]) == (USD, "completed", ["tool_calls"])


def test_any_model_of_openais_by_its_name(server: Server) -> None:
    server.will(answer())
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    choice = {"type": "function", "function": {"name": "weather"}}
    obs.completion("openai/responses/gpt-4o", tools=tools, tool_choice=choice, **given(server))
    sent = server.request.json()
    assert (sent["model"], server.request.path) == ("gpt-4o", "/v1/responses")
    assert sent["tools"] == [{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": None}]
    assert sent["tool_choice"] == {"type": "function", "name": "weather"}


def test_what_a_response_has_no_word_for_is_refused(server: Server, ledger: Ledger) -> None:
    with pytest.raises(obs.UnsupportedParamsError, match="seed"):
        obs.completion("gpt-5-pro", seed=1, **given(server))
    server.will(answer(), answer(status="incomplete", incomplete_details={"reason": "max_output_tokens"}, output=[]))
    obs.completion("gpt-5-pro", seed=1, drop_params=True, **given(server))
    assert "seed" not in server.request.json()
    assert obs.completion("gpt-5-pro", **given(server)).choices[0].finish_reason == "length"
    assert len(ledger.calls()) == 3


def test_a_failed_response_is_an_error(server: Server, ledger: Ledger) -> None:
    server.will(answer(status="failed", error={"code": "server_error", "message": "Broken."}))
    with pytest.raises(obs.OpenAIError, match="Broken"):
        obs.completion("gpt-5-pro", **given(server))
    assert ledger.calls()[0]["outcome"] == "error"
