"""litellm's further ways to an answer: its cache, its retries, its router, and what else than chat it asks for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import litellm
import pytest

from contract.conftest import Compare
from contract.litellm.test_litellm import CHAT, DONE, STREAM_TOKENS, TOKENS, call, chat, statuses
from contract.runs import FLAVOURS, MESSAGES, Program, each, items, only, result

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)


@pytest.fixture
def _cache() -> Iterator[None]:
    yield
    litellm.cache = None
    litellm.disable_cache()


async def filled() -> None:
    """litellm fills its cache in a task, or in a thread."""
    cache: Any = litellm.cache
    until = time.monotonic() + 30
    while not cache.cache.cache_dict and time.monotonic() < until:
        await asyncio.sleep(0.005)


@pytest.mark.usefixtures("_cache")
@pytest.mark.parametrize("streams", [False, True])
def test_cached(compare: Compare, flavour: str, streams: bool) -> None:
    async def situation(program: Program) -> object:
        litellm.cache = litellm.Cache(type="local")  # of this run's own
        said: list[Any] = []
        for _ in range(3):
            answer = await chat(program, "stream" if streams else "chat", stream=streams, caching=True)
            said.append(len(await items(answer)) if streams else answer.choices[0].message.content)
            await filled()
        return said

    both = compare(situation, flavour)
    tokens = STREAM_TOKENS if streams else TOKENS
    first, *cached = both.records
    only([first], **CHAT, **tokens, cached=False, attempts=1)
    assert first["cost_usd"] != "0"
    for record in cached:
        only([record], **DONE, operation="chat", cached=True, cost_usd="0", attempts=0, streaming=streams)
    assert len(cached) == 2


@pytest.mark.usefixtures("_cache")
def test_cached_embedding(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        litellm.cache = litellm.Cache(type="local")  # of this run's own
        for _ in range(2):
            await result(call(program, "embedding", "embeddings", model="openai/e-3", input=["hello"], caching=True))
            await filled()
        return None

    first, cached = compare(situation, flavour).records
    only([first], **DONE, operation="embeddings", cached=False, input_tokens=8)
    only([cached], **DONE, operation="embeddings", cached=True, cost_usd="0", attempts=0)


@pytest.mark.parametrize("kind", ["max_retries", "num_retries"])
def test_attempts(compare: Compare, flavour: str, kind: str) -> None:
    async def situation(program: Program) -> object:
        return await chat(program, "chat", {"fail": "429:2"}, **{kind: 3})

    record = compare(situation, flavour).record
    only([record], **CHAT, **TOKENS, attempts=3)
    assert statuses(record) == [429, 429, 200]
    assert [attempt.get("error_type") for attempt in record["attempts"]] == ["busy", "busy", None]
    assert all(attempt["duration_ns"] > 0 for attempt in record["attempts"])
    assert [attempt.get("usage") is not None for attempt in record["attempts"]] == [False, False, True]
    assert [attempt.get("cost_usd") for attempt in record["attempts"]] == [None, None, record["cost_usd"]]


@pytest.mark.parametrize("leaves", [False, True])
def test_made_up_stream(compare: Compare, flavour: str, leaves: bool) -> None:
    async def situation(program: Program) -> object:
        stream = await chat(program, mock_response="hello there, dear reader", stream=True)
        seen = []
        async for chunk in each(stream):
            seen.append(chunk)
            if leaves:
                break
        return len(seen)

    both = compare(situation, flavour)
    outcome = "closed_early" if leaves else "completed"
    only(both.records, **CHAT | {"outcome": outcome}, streaming=True, attempts=0, cost_usd="0")


def test_batch_completion_of_which_one_fails(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        where: Any = {"api_base": program.url("chat", fail="400:1"), "api_key": "sk-none"}
        answers = litellm.batch_completion("openai/gpt-4o", [MESSAGES, MESSAGES], max_workers=1, **where)
        return [type(answer).__name__ for answer in answers]

    both = compare(situation, flavour)
    assert sorted(record["outcome"] for record in both.records) == ["completed", "error"]


def test_models_asked_at_once(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        where: Any = {"api_base": program.url("chat"), "api_key": "sk-none"}
        answers = litellm.batch_completion_models_all_responses(
            models=["openai/gpt-4o", "openai/gpt-4o-mini"], messages=MESSAGES, **where
        )
        program.server.sent.sort(key=lambda sent: (sent.run, str(sent.body)))  # they come in any order
        return len(answers)

    both = compare(situation, flavour)
    assert sorted(record["request_model"] for record in both.records) == ["gpt-4o", "gpt-4o-mini"]
    assert {record["outcome"] for record in both.records} == {"completed"}


@pytest.mark.parametrize("streams", [False, True])
def test_anthropic_messages(compare: Compare, flavour: str, streams: bool) -> None:
    async def situation(program: Program) -> object:
        where: Any = {"api_base": program.url("message-stream" if streams else "message"), "api_key": "sk-ant-none"}
        asked: Any = {"model": "anthropic/claude-sonnet-4-5", "messages": MESSAGES, "max_tokens": 64}
        # There is no synchronous one.
        try:
            answer = await litellm.anthropic.messages.acreate(**asked, **where, stream=streams)
        except ImportError as error:
            pytest.skip(f"this version's streams need the whole of litellm's proxy: {error}")
        return b"".join(await items(answer)) if streams else answer["id"]  # its pieces are the network's

    both = compare(situation, flavour)
    tokens = {"input_tokens": 18, "output_tokens": 4} if streams else {"input_tokens": 557, "output_tokens": 55}
    only(both.records, **DONE | {"provider": "anthropic"}, operation="chat", streaming=streams, attempts=1, **tokens)
    assert both.record["cost_status"] == "priced"


def test_rerank(compare: Compare, flavour: str) -> None:
    ranked = {
        "id": "r-1",
        "results": [{"index": 0, "relevance_score": 0.9}],
        "meta": {"billed_units": {"search_units": 1}},
    }

    async def situation(program: Program) -> object:
        base = program.url(program.serve("ranked", json.dumps(ranked))).removesuffix("/v1")
        where: Any = {"api_base": base, "api_key": "sk-none"}
        rerank = litellm.arerank if program.asynchronous else litellm.rerank
        answer = await result(rerank(model="cohere/rerank-v3.5", query="capital", documents=["Bern", "Rome"], **where))
        return answer.results[0]["index"]

    both = compare(situation, flavour)
    only(both.records, outcome="completed", origin="litellm", provider="cohere", operation="rerank", attempts=1)
    assert both.record["cost_usd"] == "0.002", "a search of 2 USD a thousand"


def deployment(program: Program, name: str, exchange: str, **options: object) -> dict[str, Any]:
    base = program.url(exchange, **options)
    parameters = {"model": "openai/gpt-4o-mini", "api_key": "sk-none", "api_base": base, "max_retries": 0}
    return {"model_name": name, "litellm_params": parameters}


@pytest.mark.parametrize("fault", ["drop", "truncated"])
def test_router_whose_stream_breaks(compare: Compare, flavour: str, fault: str) -> None:
    """In newer versions litellm goes on with another model; one record in any case."""

    async def situation(program: Program) -> object:
        models: Any = [deployment(program, "bad", "stream", fault=fault), deployment(program, "good", "stream")]
        router = litellm.Router(model_list=models, fallbacks=[{"bad": ["good"]}], num_retries=0)
        complete = router.acompletion if program.asynchronous else router.completion
        try:
            return len(await items(await result(complete("bad", MESSAGES, stream=True)))) > 0
        except Exception as error:
            return type(error)

    records = compare(situation, flavour).records
    assert len(records) == 1
    assert records[0]["outcome"] in ("completed", "error")
    assert records[0]["request_model"] == "bad"


def test_router_that_gives_up(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        models: Any = [deployment(program, "bad", "not-found"), deployment(program, "worse", "not-found")]
        router = litellm.Router(model_list=models, fallbacks=[{"bad": ["worse"]}], num_retries=0)
        complete = router.acompletion if program.asynchronous else router.completion
        return await result(complete("bad", MESSAGES))

    both = compare(situation, flavour, raises="NotFoundError")
    only(both.records, outcome="error", error_type="model_not_found", http_status=404, request_model="bad")
    assert statuses(both.record) == [404, 404]


def test_router_embedding(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        parameters = {"model": "openai/text-embedding-3-small", "api_key": "sk-none"}
        models: Any = [
            {"model_name": "e", "litellm_params": parameters | {"api_base": program.url("embeddings")}},
        ]
        router = litellm.Router(model_list=models)
        embed = router.aembedding if program.asynchronous else router.embedding
        return (await result(embed("e", input=["hello"]))).usage.prompt_tokens

    only(compare(situation, flavour).records, **DONE, operation="embeddings", input_tokens=8, attempts=1)


def test_cancelled(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        if not program.asynchronous:
            return None
        task = asyncio.ensure_future(chat(program, "chat", {"fault": "stall"}))
        while not program.server.take(program.run):
            await asyncio.sleep(0.005)
        task.cancel()
        done, _ = await asyncio.wait([task])
        return [task.cancelled() for task in done]

    both = compare(situation, flavour)
    if flavour == "async":
        only(both.records, outcome="error", error_type="cancelled", operation="chat", attempts=1)


def test_stream_left_by_a_time_limit(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        if not program.asynchronous:
            return None
        seen = []

        async def read() -> None:
            async for chunk in await chat(program, "stream", {"fault": "stall"}, stream=True):
                seen.append(chunk)

        try:
            await asyncio.wait_for(read(), 1)
        except asyncio.TimeoutError:
            return "too late", len(seen) > 0
        return "in time"

    both = compare(situation, flavour)
    if flavour == "async":
        assert both.saw == ["too late", True]
        only(both.records, outcome="closed_early", operation="chat", streaming=True, error_type=None)


@pytest.mark.parametrize("leaves", [False, True])
def test_responses_stream(compare: Compare, flavour: str, leaves: bool) -> None:
    async def situation(program: Program) -> object:
        stream = await result(call(program, "responses", "response-stream", input="Hello", stream=True))
        seen = []
        async for event in each(stream):
            seen.append(event)
            if leaves and len(seen) == 2:
                break
        del stream
        return len(seen)

    both = compare(situation, flavour)
    outcome = "closed_early" if leaves else "completed"
    only(both.records, **CHAT | {"outcome": outcome}, streaming=True, attempts=1)
    assert leaves or both.record["input_tokens"] == 21
