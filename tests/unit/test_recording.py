"""`record` and `patch`: what is told by hand is recorded as any call is."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

import edgequake_obs

from .records import Ledger

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}


@pytest.fixture
def found(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "ledger.duckdb")
    edgequake_obs.configure(ledger=str(ledger.path))
    return ledger


def rows(found: Ledger) -> list[dict[str, object]]:
    assert edgequake_obs.flush()
    return found.calls()


def test_usage_is_priced(found: Ledger) -> None:
    at = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
    uid = edgequake_obs.record(
        provider="openai",
        model="gpt-4o",
        usage=USAGE,
        started_at=at,
        duration=1.5,
        user="u1",
        tags={"feature": "search"},
        metadata={"note": 1},
    )
    (row,) = rows(found)
    assert str(row["call_uid"]) == str(uid)
    assert (row["origin"], row["operation"], row["outcome"]) == ("record", "chat", "completed")
    assert (row["input_tokens"], row["output_tokens"]) == (1000, 100)
    assert row["cost_usd"] == Decimal("0.0035"), "1,000 x 2.50 and 100 x 10 USD per million tokens"
    assert (row["duration_ns"], row["attempts"]) == (1_500_000_000, 0)
    assert row["started_at"] == at.replace(tzinfo=None)
    assert (row["user_id"], row["tags"]) == ("u1", {"feature": "search"})


def test_usage_that_is_told_of_vectors_is_the_usage(found: Ledger) -> None:
    """Only litellm's own count of Gemini's vectors is a guess."""
    edgequake_obs.record(
        provider="gemini", operation="embeddings", model="gemini-embedding-001", usage={"promptTokenCount": 1000}
    )
    row = found.call()
    assert (row["input_tokens"], row["cost_status"]) == (1000, "priced")


def test_cost_that_is_told_wins(found: Ledger) -> None:
    edgequake_obs.record(provider="my-search", operation="search", cost_usd=0.1)
    edgequake_obs.record(provider="openai", model="gpt-4o", usage=USAGE, cost_usd="0.5")
    search, chat = rows(found)
    assert (search["operation"], search["cost_usd"], search["cost_status"]) == ("search", Decimal("0.1"), "reported")
    assert (chat["cost_usd"], chat["computed_cost_usd"]) == (Decimal("0.5"), Decimal("0.0035"))


def test_context_applies_and_sums(found: Ledger) -> None:
    with edgequake_obs.context(user="u1", tags={"a": "b"}) as run:
        edgequake_obs.record(provider="p", operation="search", cost_usd="0.25")
        assert (run.calls, run.cost_usd) == (1, Decimal("0.25"))
    assert rows(found)[0]["tags"] == {"a": "b"}


def test_same_id_is_one_row(found: Ledger) -> None:
    uid = uuid.uuid5(uuid.NAMESPACE_URL, "https://example.com/job/1")
    for _ in range(2):
        edgequake_obs.record(provider="p", operation="search", cost_usd=1, call_uid=uid)
    assert [str(row["call_uid"]) for row in rows(found)] == [str(uid)]


def test_error(found: Ledger) -> None:
    edgequake_obs.record(provider="p", error=TimeoutError("too slow"))
    (row,) = rows(found)
    assert (row["outcome"], row["error_type"], row["error_message"]) == ("error", "TimeoutError", "too slow")


@pytest.mark.parametrize("wrong", [{"duration": -1.0}, {"cost_usd": "much"}])
def test_bad_input_is_refused(found: Ledger, wrong: dict[str, object]) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        edgequake_obs.record(provider="p", **wrong)  # type: ignore[arg-type]
    edgequake_obs.record(provider="good")
    assert [row["provider"] for row in rows(found)] == ["good"]


def ask(prompt: str, model: str = "m") -> dict[str, object]:
    """Stands for a function of somebody's library."""
    if prompt == "fail":
        raise ValueError(prompt)
    return {"text": prompt, "usage": USAGE}


async def aask(prompt: str) -> dict[str, object]:
    """The same, to be awaited."""
    return ask(prompt)


def test_function_is_patched_and_given_back(found: Ledger) -> None:
    taken = ask
    with edgequake_obs.patch(
        ask,
        provider="openai",
        operation="chat",
        model="gpt-4o",
        usage=lambda answer: answer["usage"],  # type: ignore[index]
    ):
        assert taken("hello")["text"] == "hello"
        with pytest.raises(ValueError, match="fail"):
            ask("fail")
    ask("not recorded")
    good, bad = rows(found)
    assert (good["outcome"], good["cost_usd"]) == ("completed", Decimal("0.0035"))
    assert (bad["outcome"], bad["error_type"], bad["cost_usd"]) == ("error", "ValueError", None)


def test_coroutine_function_is_patched(found: Ledger) -> None:
    with edgequake_obs.patch(f"{__name__}:aask", provider="p", operation="chat", cost_usd="0.001"):
        assert asyncio.run(aask("hello"))["text"] == "hello"
    assert [row["cost_usd"] for row in rows(found)] == [Decimal("0.001")]


def test_call_within_a_patched_one_is_a_part_of_it(found: Ledger) -> None:
    inner = edgequake_obs.patch(ask, provider="p", operation="inner")
    outer = edgequake_obs.patch(aask, provider="p", operation="outer")
    asyncio.run(aask("hello"))
    inner.remove()
    outer.remove()
    assert [row["operation"] for row in rows(found)] == ["outer"]


def test_unknown_target_is_refused() -> None:
    with pytest.raises(ValueError, match="no function"):
        edgequake_obs.patch("json:nothing", provider="p", operation="o")
