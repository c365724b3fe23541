"""Who answers behind the openai package's `base_url` decides the provider, and by that the price."""

from __future__ import annotations

import json
import re
from typing import Any

import openai._base_client as base
import pytest

import edgequake_obs

from .conftest import Compare
from .runs import FLAVOURS, MESSAGES, Program, items, only, result

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)

HTTPX: Any = getattr(base, "httpx2", None) or base.httpx


def answering(program: Program, exchange: str, model: str) -> Any:
    """An HTTP client that answers for whatever host is asked, with a model of its own."""
    recorded = program.server.exchanges[exchange]
    body = re.sub(r'"model": ?"[^"]*"', f'"model":"{model}"', recorded["response_body"])
    headers = {"content-type": recorded["response_headers"]["content-type"]}

    def answer(request: Any) -> Any:
        program.keep.append(json.loads(request.content))
        return HTTPX.Response(200, headers=headers, content=body.encode(), request=request)

    made = HTTPX.AsyncClient if program.asynchronous else HTTPX.Client
    return made(transport=HTTPX.MockTransport(answer))


@pytest.mark.parametrize(
    ("url", "model", "provider", "is_priced"),
    [
        ("https://api.openai.com/v1", "gpt-4o-mini", "openai", True),
        ("https://api.groq.com/openai/v1", "openai/gpt-oss-20b", "groq", True),
        ("https://api.deepseek.com", "deepseek-chat", "deepseek", True),
        ("https://api.x.ai/v1", "grok-4.3", "xai", True),
        ("https://openrouter.ai/api/v1", "no/such-model", "openrouter", False),
        ("http://localhost:11434/v1", "llama3.2", "ollama", False),
        ("http://10.0.0.5:8000/v1", "meta-llama/Llama-3.1-8B-Instruct", "openai", False),
    ],
)
def test_vendor(compare: Compare, flavour: str, url: str, model: str, provider: str, is_priced: bool) -> None:
    async def situation(program: Program) -> object:
        client = program.client("chat", base_url=url, http_client=answering(program, "chat", model))
        answer = await result(client.chat.completions.create(model=model, messages=MESSAGES))
        return answer.usage.total_tokens

    record = compare(situation, flavour).record
    only([record], operation="chat", outcome="completed", provider=provider, request_model=model, input_tokens=40)
    assert record["response_model"] == model
    assert record["cost_status"] == ("priced" if is_priced else "unpriced")
    assert ("cost_usd" in record) == is_priced


@pytest.mark.parametrize(
    ("url", "asks"),
    [("https://api.openai.com/v1", True), ("https://api.groq.com/openai/v1", True), ("http://10.0.0.5:8000/v1", True)],
)
def test_usage_is_asked_for_where_it_is_known_to_come(compare: Compare, flavour: str, url: str, asks: bool) -> None:
    asked: list[bool] = []

    async def situation(program: Program) -> object:
        client = program.client("stream", base_url=url, http_client=answering(program, "stream", "m"))
        more: Any = {"model": "m", "messages": MESSAGES, "stream": True}
        chunks = await items(await result(client.chat.completions.create(**more)))
        asked.append("stream_options" in program.keep[0])
        return len([chunk for chunk in chunks if chunk.choices])

    compare(situation, flavour)
    assert asked == [False, asks]


@pytest.mark.usefixtures("shipped_models")
def test_local_model_that_is_mapped(compare: Compare, flavour: str) -> None:
    own = {"my-llama": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "litellm_provider": "openai"}}
    edgequake_obs.register_model(own)

    async def situation(program: Program) -> object:
        http = answering(program, "chat", "my-llama")
        client = program.client("chat", base_url="http://10.0.0.5:8000/v1", http_client=http)
        return (await result(client.chat.completions.create(model="my-llama", messages=MESSAGES))).id

    assert compare(situation, flavour).record["cost_usd"] == "0.000064", "40 and 12 tokens"
