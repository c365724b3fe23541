"""`context(...)`: labels for the calls inside, and what they came to."""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
from decimal import Decimal
from typing import Any

import pytest

import edgequake_obs
from edgequake_obs import context

from .conftest import MESSAGES, Ask
from .records import Ledger
from .server import COST, DONE, Answer, Server, chat, error, event


@pytest.fixture(autouse=True)
def _answering(server: Server) -> None:
    server.will(*[Answer(body=chat())] * 4)


async def ask_async(server: Server, **more: Any) -> Any:
    return await edgequake_obs.acompletion("gpt-4o-mini", MESSAGES, api_base=server.base, api_key="k", **more)


def users(ledger: Ledger) -> list[str | None]:
    return [row["user_id"] for row in ledger.calls()]


def test_labels(ask: Ask, ledger: Ledger) -> None:
    with context(user="u", session="s", tags={"feature": "search", "n": 3}, metadata={"a": {"b": [1, None]}}):
        ask()
    row = ledger.call()
    assert (row["user_id"], row["session_id"]) == ("u", "s")
    assert row["tags"] == {"feature": "search", "n": "3"}
    assert json.loads(row["metadata"]) == {"a": {"b": [1, None]}}


def test_inner_keys_win(ask: Ask, ledger: Ledger) -> None:
    with context(user="outer", session="s", tags={"a": "1", "b": "1"}, metadata={"x": 1, "y": 1}):
        with context(user="inner", tags={"b": "2", "c": "2"}, metadata={"y": 2}):
            ask()
        ask()
    ask()
    inner, outer, outside = ledger.calls()
    assert (inner["user_id"], inner["session_id"]) == ("inner", "s")
    assert inner["tags"] == {"a": "1", "b": "2", "c": "2"}
    assert json.loads(inner["metadata"]) == {"x": 1, "y": 2}
    assert (outer["user_id"], outer["tags"]) == ("outer", {"a": "1", "b": "1"})
    assert (outside["user_id"], outside["session_id"], outside["metadata"]) == (None, None, None)


def test_sums(server: Server, ask: Ask) -> None:
    with context() as outer:
        assert (outer.cost_usd, outer.calls, outer.input_tokens) == (Decimal(0), 0, 0)
        ask()
        assert type(outer.cost_usd) is Decimal
        assert outer.cost_usd == Decimal(COST)
        with context() as inner:
            ask()
            assert (inner.calls, inner.cost_usd) == (1, Decimal(COST))
        assert (outer.calls, outer.cost_usd) == (2, 2 * Decimal(COST))
        ask()
        assert inner.calls == 1
    assert (outer.calls, outer.unpriced_calls, outer.input_tokens, outer.output_tokens) == (3, 0, 42, 24)
    assert outer.cost_usd == 3 * Decimal(COST)
    ask()
    assert outer.calls == 3


def test_sums_of_calls_without_a_price(server: Server, ask: Ask) -> None:
    with context() as run:
        ask(model="openai/gpt-4o-mini")
        server.will(Answer(body=chat(model="nobody-knows-me")))
        for _ in range(3):
            ask()
        ask(model="openai/nobody-knows-me")
    assert (run.calls, run.unpriced_calls, run.cost_usd) == (5, 1, 4 * Decimal(COST))


def test_sums_of_failures(server: Server) -> None:
    with context() as run, pytest.raises(edgequake_obs.BadRequestError):
        edgequake_obs.completion("bedrock/claude", MESSAGES)
    assert (run.calls, run.cost_usd, run.unpriced_calls) == (1, Decimal(0), 0)


def test_sums_of_a_stream(ask: Ask, server: Server) -> None:
    for _ in range(4):
        ask()
    server.will(Answer(body=[event("Hello"), DONE]))
    with context() as run:
        stream = ask(stream=True)
        list(stream)
        assert run.calls == 1
        assert run.output_tokens > 0


def test_sums_of_patched_calls(server: Server, ledger: Ledger) -> None:
    openai = pytest.importorskip("openai")
    edgequake_obs.instrument("openai")
    try:
        with context(user="patched") as run, openai.OpenAI(base_url=server.base, api_key="k") as client:
            client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
            assert (run.calls, run.cost_usd, run.input_tokens) == (1, Decimal(COST), 14)
    finally:
        edgequake_obs.uninstrument()
    assert (ledger.call()["origin"], ledger.call()["user_id"]) == ("openai", "patched")


def test_a_context_again(ask: Ask) -> None:
    labels = context(user="u")
    with labels as first:
        ask()
        with labels as second:
            ask()
    assert (first.calls, second.calls) == (2, 1)


def test_decorated_function(ask: Ask, ledger: Ledger) -> None:
    @context(user="decorated")
    def work(word: str, *, more: int) -> str:
        """It works."""
        ask()
        return word * more

    assert work("a", more=2) == "aa"
    assert (work.__name__, work.__doc__) == ("work", "It works.")
    ask()
    assert users(ledger) == ["decorated", None]


def test_decorated_coroutine(server: Server, ledger: Ledger) -> None:
    @context(user="decorated")
    async def work() -> str:
        await ask_async(server)
        return "done"

    async def both() -> list[str]:
        results = await asyncio.gather(work(), work())
        await ask_async(server)
        return results

    assert asyncio.run(both()) == ["done", "done"]
    assert sorted(map(str, users(ledger))) == ["None", "decorated", "decorated"]


def test_decorated_generators_are_refused() -> None:
    def numbers() -> Any:
        yield 1

    async def async_numbers() -> Any:
        yield 1

    for function in (numbers, async_numbers):
        with pytest.raises(TypeError, match="generator"):
            context(user="u")(function)


def test_async_with(server: Server, ledger: Ledger) -> None:
    async def work() -> None:
        async with context(user="u") as run:
            await ask_async(server)
            assert run.calls == 1
        await ask_async(server)

    asyncio.run(work())
    assert users(ledger) == ["u", None]


def test_tasks_are_apart(server: Server, ledger: Ledger) -> None:
    async def work(user: str, mine: asyncio.Event, other: asyncio.Event) -> int:
        with context(user=user) as run:
            mine.set()
            await other.wait()  # both are inside now
            await ask_async(server)
            return run.calls

    async def both() -> list[int]:
        a, b = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(work("a", a, b), work("b", b, a))

    with context(session="all") as outer:
        assert asyncio.run(both()) == [1, 1]
    assert outer.calls == 2
    assert sorted(map(str, users(ledger))) == ["a", "b"]
    assert [row["session_id"] for row in ledger.calls()] == ["all", "all"]


def test_threads(ask: Ask, ledger: Ledger) -> None:
    with context(user="u") as run:
        copied = contextvars.copy_context()
        inside = threading.Thread(target=copied.run, args=(ask,))
        inside.start()
        inside.join()
        assert run.calls == 1
        outside = threading.Thread(target=contextvars.Context().run, args=(ask,))
        outside.start()
        outside.join()
    assert (run.calls, users(ledger)) == (1, ["u", None])


def test_to_thread(ask: Ask, ledger: Ledger) -> None:
    async def work() -> None:
        with context(user="u"):
            await asyncio.to_thread(ask)

    asyncio.run(work())
    assert users(ledger) == ["u"]


def test_left_elsewhere(ask: Ask, ledger: Ledger) -> None:
    def numbers() -> Any:
        with context(user="u"):
            yield 1

    generator = numbers()
    contextvars.copy_context().run(next, generator)
    generator.close()
    ask()
    assert users(ledger) == [None]


def test_left_by_an_error(ask: Ask, ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), context(user="u"):
        _ = 1 / 0
    ask()
    assert users(ledger) == [None]


@pytest.mark.parametrize("limit", [1, 0, 0.5, Decimal("0.1")])
def test_a_budget_is_refused(limit: Any) -> None:
    with pytest.raises(ValueError, match=r"max_cost_usd.*not supported yet"):
        context(max_cost_usd=limit)


@pytest.mark.parametrize("wrong", [{"metadata": {"a": object()}}, {"metadata": 3}, {"user": 3}, {"tags": 3}])
def test_wrong_labels_are_told_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        context(**wrong)


def test_labels_are_as_they_were_given(ask: Ask, ledger: Ledger) -> None:
    tags, metadata = {"a": "1"}, {"x": 1}
    labels = context(tags=tags, metadata=metadata)
    with labels:
        tags["a"], metadata["x"] = "2", 2
        ask()
    assert json.loads(ledger.call()["metadata"]) == {"x": 1}


def test_a_retried_call_counts_once(server: Server, ask: Ask) -> None:
    for _ in range(4):
        ask()
    server.will(Answer(500, error(), {"retry-after-ms": "1"}), Answer(body=chat()))
    with context() as run:
        ask()
    assert run.calls == 1
