"""What a call is recorded for, wherever it comes from: its row, its callbacks, its context, its share of the spend."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import litellm
import openai
import pytest

import edgequake_obs
from contract.runs import MESSAGES, Ledger
from contract.server import Server
from edgequake_obs import ledger as recorded

# 40 tokens in and 12 out of the model that answered, gpt-3.5-turbo; 11 and 9 of gpt-4o.
TOKENS = (40, 12)
COST = Decimal("0.000038")
STREAM_TOKENS = (11, 9)
STREAM_COST = Decimal("0.0001175")

Ask = Callable[[str, bool], Any]


def native(url: str, streams: bool) -> Any:
    answer = edgequake_obs.completion("openai/gpt-4o", MESSAGES, stream=streams, api_base=url, api_key="sk-none")
    return list(answer) if streams else answer


async def native_async(url: str, streams: bool) -> Any:
    answer = await edgequake_obs.acompletion("openai/gpt-4o", MESSAGES, stream=streams, api_base=url, api_key="sk-none")
    return [chunk async for chunk in answer] if streams else answer


def patched_openai(url: str, streams: bool) -> Any:
    client = openai.OpenAI(base_url=url, api_key="sk-none", max_retries=0)
    answer: Any = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=streams)
    return list(answer) if streams else answer


async def patched_openai_async(url: str, streams: bool) -> Any:
    async with openai.AsyncOpenAI(base_url=url, api_key="sk-none", max_retries=0) as client:
        answer: Any = await client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=streams)
        return [chunk async for chunk in answer] if streams else answer


def patched_litellm(url: str, streams: bool) -> Any:
    answer: Any = litellm.completion("openai/gpt-4o", MESSAGES, stream=streams, api_base=url, api_key="sk-none")
    return list(answer) if streams else answer


async def patched_litellm_async(url: str, streams: bool) -> Any:
    answer: Any = await litellm.acompletion("openai/gpt-4o", MESSAGES, stream=streams, api_base=url, api_key="sk-none")
    return [chunk async for chunk in answer] if streams else answer


def awaited(ask: Any) -> Ask:
    return lambda url, streams: asyncio.run(ask(url, streams))


ORIGINS: dict[str, tuple[str, Ask]] = {
    "native": ("native", native),
    "native, async": ("native", awaited(native_async)),
    "openai": ("openai", patched_openai),
    "openai, async": ("openai", awaited(patched_openai_async)),
    "litellm": ("litellm", patched_litellm),
    "litellm, async": ("litellm", awaited(patched_litellm_async)),
}


@pytest.fixture(autouse=True)
def _patched() -> Iterator[None]:
    edgequake_obs.instrument("openai", "litellm")
    yield
    edgequake_obs.uninstrument()
    edgequake_obs.success_callback = []


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("name", ORIGINS)
def test_each_use_sees_the_same_call(server: Server, ledger: Ledger, name: str, streams: bool) -> None:
    origin, ask = ORIGINS[name]
    told: list[tuple[dict[str, Any], Any]] = []
    edgequake_obs.success_callback = [lambda kwargs, answer, start, end: told.append((kwargs, answer))]
    tokens, cost = (STREAM_TOKENS, STREAM_COST) if streams else (TOKENS, COST)
    who = f"{name} {streams}"
    with edgequake_obs.context(user=who, session="s-1", tags={"feature": "uses"}) as run:
        ask(server.url("stream" if streams else "chat", who.replace(" ", "-")), streams)
        assert edgequake_obs.flush(30)

    # The row.
    connection = recorded.connect()
    cursor = connection.execute(
        "SELECT origin, outcome, provider, streaming, input_tokens, output_tokens, cost_usd, cost_status, session_id,"
        " tags, attempts FROM calls WHERE user_id = ?",
        [who],
    )
    assert cursor.fetchall() == [
        (origin, "completed", "openai", streams, *tokens, cost, "priced", "s-1", {"feature": "uses"}, 1)
    ]

    # The callbacks.
    ((kwargs, answer),) = told
    assert kwargs["model"].removeprefix("openai/") == "gpt-4o"
    assert kwargs["messages"] == MESSAGES
    assert kwargs["response_cost"] == float(cost)
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == tokens
    assert answer.choices[0].message is not None

    # The context.
    assert (run.calls, run.unpriced_calls) == (1, 0)
    assert (run.input_tokens, run.output_tokens) == tokens
    assert run.cost_usd == cost

    # What was spent.
    spent = recorded.spend(by=("user_id", "tags.feature"), where=f"user_id = '{who}'").fetchall()
    assert len(spent) == 1
    assert spent[0][:2] == (who, "uses")
    assert cost in spent[0]
