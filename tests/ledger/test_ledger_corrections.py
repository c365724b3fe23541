"""Corrections: recorded calls by today's prices, beside rows that never change; why other calls have no figure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from spool_writer import SpoolWriter, record

import edgequake_obs
from edgequake_obs import ledger
from edgequake_obs.ledger import schema
from edgequake_obs.ledger.correcting import Repriced

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
# What USAGE costs with gpt-4o-mini and with gpt-4o.
MINI, LARGE = Decimal("0.00021"), Decimal("0.0035")


@pytest.fixture
def prices() -> Iterator[Any]:
    """Sets own prices, and puts the shipped ones back."""

    def set_prices(**given: object) -> None:
        edgequake_obs.configure(prices=given)

    yield set_prices
    edgequake_obs.configure(prices={})


def call(model: str = "gpt-4o-mini", cost: Decimal | None = MINI, **fields: Any) -> dict[str, Any]:
    made = {
        "request_model": model,
        "response_model": model,
        "usage": USAGE,
        "cost_usd": None if cost is None else str(cost),
        "computed_cost_usd": None if cost is None else str(cost),
        "cost_status": "unpriced" if cost is None else "priced",
        "price_key": None if cost is None else model,
        "price_version": "old",
        "cost_breakdown": {"text_in": {"tokens": 1000, "rate": "0.1", "usd": "100"}},
    }
    return record(**{**made, **fields})


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with ledger.connect(path) as connection:
        return connection.execute(query).fetchall()


def test_nothing_to_correct(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(call())
    assert ledger.recompute(path=ledger_path) == [Repriced("openai", "gpt-4o-mini", 1, 0, MINI, MINI, 0, 0)]
    assert rows(ledger_path, "FROM corrections") == []


def test_a_wrong_price_is_corrected_and_the_original_stays(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(
        call(cost=Decimal("9"), attempts=[{"start_ns": 1, "usage": USAGE, "cost_usd": "9"}]), call("gpt-4o", LARGE)
    )
    assert ledger.recompute(path=ledger_path) == [
        Repriced("openai", "gpt-4o", 1, 0, LARGE, LARGE, 0, 0),
        Repriced("openai", "gpt-4o-mini", 1, 1, Decimal(9), MINI, 0, 0),
    ]
    seen = "cost_usd, computed_cost_usd, cost_status, price_key, price_version <> 'old'"
    assert rows(ledger_path, f"SELECT {seen} FROM calls ORDER BY cost_usd") == [
        (MINI, MINI, "priced", "gpt-4o-mini", True), (LARGE, LARGE, "priced", "gpt-4o", False),
    ]  # fmt: skip
    assert rows(ledger_path, "SELECT cost_breakdown->>'$.text_in.usd' FROM calls ORDER BY cost_usd LIMIT 1") == [
        ("0.00015",)
    ]
    assert rows(ledger_path, "SELECT cost_usd, price_version FROM call ORDER BY cost_usd DESC LIMIT 1") == [(9, "old")]
    assert rows(ledger_path, "SELECT sum(cost_usd) FROM spend_daily") == [(MINI + LARGE,)]
    assert rows(ledger_path, "SELECT cost_usd FROM attempts WHERE usage IS NOT NULL") == [(MINI,)]
    ((old, new, from_version, to_version, why, recent),) = rows(
        ledger_path,
        "SELECT old_cost_usd, new_cost_usd, old_price_version, new_price_version, reason, "
        "corrected_at > now()::TIMESTAMP - INTERVAL 1 DAY FROM corrections",
    )
    assert (old, new, from_version, why, recent) == (9, MINI, "old", "recompute", True)
    assert to_version.startswith("20")
    # Once is enough.
    assert [group.corrected for group in ledger.recompute(path=ledger_path)] == [0, 0]


def test_the_newest_correction_counts(ledger_path: Path, writer: SpoolWriter, prices: Any) -> None:
    writer.write(call())
    for dearer in ("0.01", "0.02"):
        prices(prices={"gpt-4o-mini": {"input_cost_per_token": dearer, "output_cost_per_token": "0"}})
        ledger.recompute(path=ledger_path)
    assert rows(ledger_path, "SELECT cost_usd FROM calls") == [(20,)]
    assert rows(ledger_path, "SELECT old_cost_usd, new_cost_usd FROM corrections ORDER BY corrected_at") == [
        (MINI, 10),
        (10, 20),
    ]
    prices()
    ledger.recompute(path=ledger_path)
    assert rows(ledger_path, "SELECT cost_usd FROM calls") == [(MINI,)]


def test_unpriced_calls_find_their_price(ledger_path: Path, writer: SpoolWriter, prices: Any) -> None:
    writer.write(call("inhouse-7b", None), call("inhouse-7b", None), call("other", None))
    assert rows(ledger_path, "SELECT request_model, missing, calls FROM unpriced") == [
        ("inhouse-7b", "no prices for this model of this provider", 2),
        ("other", "no prices for this model of this provider", 1),
    ]
    prices(aliases={"inhouse-7b": "gpt-4o-mini"}, discounts=[{"provider": "openai", "off": "0.5"}])
    ledger.recompute(model="inhouse-7b", path=ledger_path)
    assert rows(ledger_path, "SELECT request_model, calls FROM unpriced") == [("other", 1)]
    assert rows(ledger_path, "SELECT DISTINCT cost_usd, computed_cost_usd FROM calls WHERE cost_usd > 0") == [
        (MINI / 2, MINI)
    ]


def test_a_price_that_is_gone(ledger_path: Path, writer: SpoolWriter) -> None:
    """An unknown cost is corrected to, too: unknown, never 0."""
    writer.write(call("never-heard-of", price_key=None, computed_cost_usd=None))
    ledger.recompute(path=ledger_path)
    assert rows(ledger_path, "SELECT cost_usd, cost_status FROM calls") == [(None, "unpriced")]
    assert rows(ledger_path, "SELECT missing FROM unpriced") == [("no prices for this model of this provider",)]


def test_what_stays_as_it_is(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(
        # Prices that only the call itself knew.
        call(cost=Decimal("7"), price_key=None),
        # A deployment whose call said which model it is.
        call("eu-west", MINI, provider="azure", price_key="azure/gpt-4o-mini"),
        # No usage, nothing to price.
        call("gpt-4o", None, usage=None, cost_status="no_usage", outcome="error"),
    )
    assert [group.corrected for group in ledger.recompute(path=ledger_path)] == [0, 0, 0]


def test_the_providers_own_figure_stays_what_is_paid(ledger_path: Path, writer: SpoolWriter) -> None:
    usage = {**USAGE, "cost_in_usd_ticks": 20_000_000}
    fields = {"provider": "xai", "usage": usage, "cost_status": "reported", "reported_cost_usd": "0.002"}
    writer.write(
        call("grok-4.3", Decimal("0.002"), **{**fields, "computed_cost_usd": "5", "price_key": "xai/grok-4.3"})
    )
    ledger.recompute(path=ledger_path)
    ((paid, reported, computed, status),) = rows(
        ledger_path, "SELECT cost_usd, reported_cost_usd, computed_cost_usd, cost_status FROM calls"
    )
    assert (paid, reported, status) == (Decimal("0.002"), Decimal("0.002"), "reported")
    assert computed < 1


def test_what_it_would_have_cost_on_another_model(ledger_path: Path, writer: SpoolWriter) -> None:
    tiered = call(usage={**USAGE, "cost_in_usd_ticks": 20_000_000}, provider="xai", cost_status="reported")
    writer.write(call(), tiered, call("inhouse-7b", None))
    found = ledger.recompute(as_model="openai/gpt-4o", dry_run=True, path=ledger_path)
    of_openai = [group for group in found if group.provider == "openai"]
    assert {group.model: (group.cost_usd_before, group.cost_usd_after) for group in of_openai} == {
        "gpt-4o-mini": (MINI, LARGE), "inhouse-7b": (None, LARGE),
    }  # fmt: skip
    assert [group.cost_usd_after for group in found if group.provider == "xai"] == [LARGE]
    assert rows(ledger_path, "FROM corrections") == []


def test_as_model_is_written_for_one_model_only(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(call("my-deployment", None, provider="azure"), call())
    with pytest.raises(ValueError, match="overwrite the cost of every model"):
        ledger.recompute(as_model="gpt-4o", path=ledger_path)
    with pytest.raises(ValueError, match="'gpt-99' has no prices"):
        ledger.recompute(as_model="gpt-99", dry_run=True, path=ledger_path)
    ledger.recompute(model="my-deployment", as_model="azure/gpt-4o-mini", path=ledger_path)
    assert rows(ledger_path, "SELECT request_model, price_key FROM calls ORDER BY request_model") == [
        ("gpt-4o-mini", "gpt-4o-mini"), ("my-deployment", "azure/gpt-4o-mini"),
    ]  # fmt: skip
    assert rows(ledger_path, "SELECT reason FROM corrections") == [("recompute as azure/gpt-4o-mini",)]


def test_estimated_tokens_batches_and_searches(ledger_path: Path, writer: SpoolWriter) -> None:
    batch = call("gpt-4o", Decimal(1), call_uid="c9f1a5b0-2f3d-5a6e-9c47-3a5b6d7e8f90")
    searched = call(
        "gpt-4o-search-preview", Decimal(1), cost_breakdown={"web_search": {"quantity": "2", "rate": "1", "usd": "1"}}
    )
    estimated = call("gpt-4o", Decimal(1), usage=None, cost_status="estimated") | {
        "estimated_input_tokens": 1000, "estimated_output_tokens": 100,
    }  # fmt: skip
    writer.write(batch, searched, estimated)
    ledger.recompute(path=ledger_path)
    found = dict(
        rows(ledger_path, "SELECT cost_status || uuid_extract_version(call_uid) || request_model, cost_usd FROM calls")
    )
    plain = edgequake_obs.pricing.cost(USAGE, model="gpt-4o-search-preview", web_search_calls=2).usd
    assert found == {"priced5gpt-4o": LARGE / 2, "priced7gpt-4o-search-preview": plain, "estimated7gpt-4o": LARGE}


def test_since(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(call(cost=Decimal(1)))
    assert ledger.recompute(since="7d", path=ledger_path) == []
    assert ledger.recompute(since="2026-09-01", path=ledger_path)[0].corrected == 1


def test_a_bad_price_file_takes_no_figure_away(
    ledger_path: Path, writer: SpoolWriter, monkeypatch: pytest.MonkeyPatch, script: Any
) -> None:
    writer.write(call())
    monkeypatch.setenv("EDGEQUAKE_OBS_PRICES", "/nowhere.json")
    process = script("import sys; from edgequake_obs.ledger import recompute; recompute(path=sys.argv[1])", ledger_path)
    assert "ValueError: price source: EDGEQUAKE_OBS_PRICES: /nowhere.json" in process.communicate(timeout=60)[1]
    assert rows(ledger_path, "SELECT cost_usd FROM calls") == [(MINI,)]


def test_a_reader_is_in_the_way(ledger_path: Path, writer: SpoolWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgequake_obs.ledger.correcting._PATIENCE", 0.2)
    writer.write(call(cost=Decimal(1)))
    with ledger.connect(ledger_path), pytest.raises(ledger.LedgerBusyError):
        ledger.recompute(path=ledger_path)
    assert ledger.recompute(path=ledger_path)[0].corrected == 1


def test_reasons_of_calls_without_a_figure(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(
        call("a", None, cost_reason="audio_out has no rate: no output_cost_per_audio_token", cost_status="partial"),
        call("b", None, usage=None, cost_status="no_usage"),
        call("c", None, cost_status="partial", price_key="c"),
    )
    for _ in ("live", "folded"):
        assert rows(ledger_path, "SELECT request_model, missing FROM unpriced ORDER BY 1") == [
            ("a", "audio_out has no rate: no output_cost_per_audio_token"),
            ("b", "the response carried no usage"),
            ("c", "a part of it has no rate"),
        ]
        ledger.fold(ledger_path)


def test_a_ledger_of_schema_1_is_brought_up_to_date(ledger_path: Path, writer: SpoolWriter) -> None:
    """Made as version 1 made it; its rows and its spool files are kept."""
    ledger.ensure(ledger_path)
    with duckdb.connect(ledger_path) as connection:
        for view in ("calls", "attempts", "unpriced", "spend_daily", "corrections"):
            connection.execute(f"DROP VIEW {view}")
        connection.execute("ALTER TABLE call DROP COLUMN cost_reason")
        for column in ("cost_reason", "old_computed_cost_usd", "new_computed_cost_usd"):
            connection.execute(f"ALTER TABLE correction DROP COLUMN {column}")
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")
        connection.execute("INSERT INTO call BY NAME SELECT uuid() AS call_uid, 1 AS cost_usd, 'priced' AS cost_status")
    SpoolWriter(ledger_path, schema=1).write(call(cost=Decimal(2)))
    writer.write(call(cost=Decimal(3)))
    assert rows(ledger_path, "SELECT cost_usd FROM calls ORDER BY 1") == [(1,), (2,), (3,)]
    assert rows(ledger_path, "SELECT value FROM meta WHERE key = 'schema'") == [(str(schema.SCHEMA),)]
    assert [group.corrected for group in ledger.recompute(path=ledger_path)] == [0, 2]
