"""A response made in the background: asked for in one process, fetched in another, one row in the end."""

from __future__ import annotations

import itertools
import uuid
from pathlib import Path
from typing import Any

import pytest
from spool_writer import START_NS, SpoolWriter, record

from edgequake_obs import ledger

UID = str(uuid.UUID("5b2c9f1e-3d47-8a6b-9c10-2f3e4d5c6b7a"))  # of version 8
UNKNOWN: dict[str, Any] = dict.fromkeys(("input_tokens", "output_tokens", "cost_usd", "finish_reasons", "http_status"))
ASKED = record(
    call_uid=UID,
    session_id="s-1",
    user_id="ada",
    request_params={"temperature": 0.2},
    outcome="abandoned",
    cost_status="no_usage",
    pid=1,
    content={"messages": "asked"},
    **UNKNOWN,
)
FETCHED = record(
    call_uid=UID,
    start_ns=START_NS + 10**9,
    duration_ns=9 * 10**9,
    attempts=[],
    tags=None,
    request_model=None,
    session_id="worker",
    usage={"input_tokens": 1000},
    pid=2,
)
# What the asker's own process writes when it fetches the outcome itself.
OWN = {**ASKED, "outcome": "completed", "cost_usd": "0.000123456789", "cost_status": "priced", "input_tokens": 1000}
OTHER = record()


def row(path: Path) -> dict[str, Any]:
    with ledger.connect(path) as connection:
        found = connection.execute("SELECT * FROM calls WHERE call_uid = ?", [UID])
        names = [column[0] for column in found.description or []]
        ((values,), (count,)) = found.fetchall(), connection.execute("SELECT count(*) FROM attempts").fetchall()[0]
        return dict(zip(names, values, strict=True)) | {"all_attempts": count}


@pytest.mark.parametrize("order", list(itertools.permutations([ASKED, FETCHED, OTHER], 3)))
@pytest.mark.parametrize("folds", ["once", "after each"])
def test_both_make_one_row(ledger_path: Path, order: tuple[dict[str, Any], ...], folds: str) -> None:
    for line in order:
        SpoolWriter(ledger_path).write(line)
        if folds == "after each":
            ledger.fold(ledger_path)
    ledger.fold(ledger_path)
    found = row(ledger_path)
    assert (found["outcome"], found["input_tokens"], str(found["cost_usd"])) == ("completed", 1000, "0.000123456789")
    assert (found["session_id"], found["user_id"], found["pid"]) == ("s-1", "ada", 1), "of who asked"
    assert (found["request_model"], found["tags"], found["attempts"]) == ("gpt-5-mini", {"feature": "search"}, 1)
    assert found["duration_ns"] == 9 * 10**9
    assert found["all_attempts"] == 2, "its own and the other call's"
    assert found["content"] == '{"messages":"asked"}'
    with ledger.connect(ledger_path) as connection:
        billed = connection.execute("SELECT cost_usd, usage FROM attempts WHERE call_uid = ?", [UID]).fetchall()
        assert [(str(cost), usage) for cost, usage in billed] == [("0.000123456789", '{"input_tokens":1000}')]
        assert connection.execute("SELECT count(*), sum(cost_usd)::VARCHAR FROM calls").fetchall() == [
            (2, "0.000246913578")
        ]


def test_before_any_fold_the_outcome_is_what_shows(ledger_path: Path, writer: SpoolWriter) -> None:
    ledger.ensure(ledger_path)
    writer.write(ASKED, OTHER, FETCHED)
    with ledger.connect(ledger_path) as connection:
        found = connection.execute("SELECT outcome FROM calls WHERE call_uid = ?", [UID]).fetchall()
    assert found == [("completed",)]


def test_fetched_where_it_was_asked_for(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(ASKED, OWN)
    ledger.fold(ledger_path)
    SpoolWriter(ledger_path).write(ASKED, FETCHED, OWN)
    ledger.fold(ledger_path)
    found = row(ledger_path)
    assert (found["outcome"], found["session_id"], found["attempts"]) == ("completed", "s-1", 1)
    assert found["duration_ns"] == OWN["duration_ns"], "the first outcome stands"


@pytest.mark.parametrize("outcome", ["abandoned", "closed_early", "error"])
def test_never_fetched(ledger_path: Path, outcome: str) -> None:
    for said in ("abandoned", outcome):
        SpoolWriter(ledger_path).write({**ASKED, "outcome": said})
        ledger.fold(ledger_path)
    assert row(ledger_path)["outcome"] == outcome
