"""The short way of a fold: the same rows as by the long one, and only where nothing is odd."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from edgequake_obs import ledger
from edgequake_obs.ledger import batch, straight
from tests.ledger.spool_writer import SpoolWriter, full_record, record, uuid7

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START_NS = 1_790_000_000 * 10**9


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
            for table in ("call", "attempt")
        }


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which way each lot of files went."""
    gone: list[str] = []
    insert, load = straight.insert, batch.load

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            result = function(*args)
            gone.append(name)
            return result

        return call

    monkeypatch.setattr(straight, "insert", watched("straight", insert))
    monkeypatch.setattr(batch, "load", watched("long", load))
    return gone


def test_both_ways_make_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ways: list[str]) -> None:
    records = [
        full_record(),
        record(START_NS),
        record(START_NS + 1, attempts=[]),
        record(START_NS + 2, outcome="error"),
    ]
    made: list[dict[str, list[tuple[Any, ...]]]] = []
    for name in ("straight", "long"):
        path = tmp_path / name / "ledger.duckdb"
        path.parent.mkdir()
        for call in records:
            SpoolWriter(path).write(call)
        if name == "long":
            monkeypatch.setattr(straight, "look", lambda *_: None)
        assert ledger.fold(path)[:4] == (4, 1, 0, 0)
        made.append(rows_of(path))
    assert made[0] == made[1]
    assert len(made[0]["call"]) == 4
    assert len(made[0]["attempt"]) > 1
    assert ways == ["straight", "long"]


@pytest.mark.parametrize(
    "line",
    ['{"call_uid":"torn', f'{{"kind":"something newer","call_uid":"{uuid7(START_NS)}"}}'],
    ids=["torn", "kind"],
)
def test_an_odd_line_goes_the_long_way_and_the_others_are_there_once(
    ledger_path: Path, writer: SpoolWriter, ways: list[str], line: str
) -> None:
    writer.write(record(START_NS), record(START_NS + 1))
    writer.append(f"\n{line}\n".encode())
    report = ledger.fold(ledger_path)
    assert (report.records, report.set_aside) == (2, 1)
    assert ways == ["long"]
    assert len(rows_of(ledger_path)["call"]) == 2


def test_a_call_that_is_told_twice_is_there_once(ledger_path: Path, writer: SpoolWriter, ways: list[str]) -> None:
    call = record(START_NS)
    writer.write(call, call)
    assert ledger.fold(ledger_path).records == 1
    assert ways == ["long"]


def test_what_is_in_the_tables_is_not_put_there_again(ledger_path: Path, writer: SpoolWriter, ways: list[str]) -> None:
    call = record(START_NS)
    writer.write(call)
    assert ledger.fold(ledger_path).records == 1
    writer.write(call, record(START_NS + 1))
    assert ledger.fold(ledger_path).records == 1
    assert ways == ["straight", "long"]
    assert len(rows_of(ledger_path)["call"]) == 2


def test_one_odd_file_of_many_costs_the_others_nothing(
    ledger_path: Path, writer: SpoolWriter, ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_ODD", 1)
    for number in range(3):
        writer.write(record(START_NS + number))
        if number == 1:
            writer.append(b"\n\0\0\0\n")
        os.chmod(writer.path, 0o400)
    report = ledger.fold(ledger_path)
    assert (report.records, report.files, report.set_aside) == (3, 3, 1)
    assert sorted(ways) == ["long", "straight", "straight"]
