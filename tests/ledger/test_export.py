"""Copies of a ledger that stand by themselves."""

from __future__ import annotations

import os
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from spool_writer import START_NS, SpoolWriter, full_record, record, spool_of

from edgequake_obs import cli, ledger
from edgequake_obs.ledger.exporting import export

MONTH = 31 * 86_400 * 10**9


@pytest.fixture
def half_folded(ledger_path: Path, writer: SpoolWriter) -> Path:
    """Six calls and seven attempts in September, three in October, of which the fold knows the first."""
    writer.write(full_record(), *(record() for _ in range(5)))
    ledger.fold(ledger_path)
    with ledger.connect(ledger_path):
        writer.write(*(record(START_NS + MONTH) for _ in range(3)))
    return ledger_path


def everything(connection: duckdb.DuckDBPyConnection, relation: str = "calls") -> list[tuple[object, ...]]:
    return connection.execute(f"SELECT * FROM {relation} ORDER BY ALL").fetchall()


def test_a_file_has_every_row_and_needs_nothing_else(half_folded: Path, tmp_path: Path) -> None:
    with ledger.connect(half_folded) as connection:
        expected = {name: everything(connection, name) for name in ("calls", "attempts", "spend_daily", "unpriced")}
    copied = export(half_folded, tmp_path / "elsewhere" / "copy.duckdb")
    assert copied.rows == {"calls": 9, "attempts": 10, "spans": 0, "corrections": 0}
    assert os.stat(copied.path).st_mode & 0o777 == 0o600
    half_folded.unlink()
    shutil.rmtree(spool_of(half_folded))
    with duckdb.connect(copied.path, read_only=True) as connection:
        assert {name: everything(connection, name) for name in expected} == expected
        kinds = dict(connection.execute("SELECT table_name, table_type FROM information_schema.tables").fetchall())
    assert kinds["calls"] == kinds["attempts"] == kinds["spans"] == kinds["corrections"] == "BASE TABLE"
    assert os.listdir(tmp_path / "elsewhere") == ["copy.duckdb"]


def test_the_copy_can_be_asked_and_takes_no_records(
    half_folded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = str(tmp_path / "copy.duckdb")
    assert cli.main(["export", "--to", copy, "--ledger", str(half_folded)]) == 0
    assert capsys.readouterr().out == f"Exported 9 calls, 10 attempts to {copy}.\n"
    assert cli.main(["spend", "--ledger", copy]) == 0
    assert "\t9\t" in capsys.readouterr().out
    assert not os.path.exists(spool_of(copy))
    SpoolWriter(copy).write(record())
    with pytest.raises(ledger.LedgerError, match=r"exported copy.*EDGEQUAKE_OBS_LEDGER"):
        ledger.fold(copy)


def test_parquet_by_month(half_folded: Path, tmp_path: Path) -> None:
    copied = export(half_folded, f"{tmp_path}/it's/")
    assert copied.rows == {"calls": 9, "attempts": 10, "spans": 0, "corrections": 0}
    assert sorted(str(path.relative_to(copied.path).parent) for path in Path(copied.path).rglob("*.parquet")) == [
        "attempts/month=2026-09",
        "attempts/month=2026-10",
        "calls/month=2026-09",
        "calls/month=2026-10",
    ]
    with ledger.connect(half_folded) as ours, duckdb.connect() as plain:
        columns = [column[0] for column in ours.execute("DESCRIBE calls").fetchall()]
        plain.execute(
            "CREATE VIEW calls AS SELECT * FROM read_parquet(?, hive_partitioning=false)".replace(
                "?", "'" + copied.path.replace("'", "''") + "/calls/*/*.parquet'"
            )
        )
        described = plain.execute("DESCRIBE calls").fetchall()
        assert [column[0] for column in described] == columns
        types = {column[0]: column[1] for column in described}
        assert (types["call_uid"], types["usage"], types["cost_usd"]) == ("VARCHAR", "VARCHAR", "DECIMAL(18,12)")
        texts = ", ".join(f"{name}::VARCHAR" for name in columns)
        query = f"SELECT {texts} FROM calls ORDER BY ALL"
        assert plain.execute(query).fetchall() == ours.execute(query).fetchall()
        assert plain.execute("SELECT sum(cost_usd) FROM calls").fetchall() == [(9 * Decimal("0.000123456789"),)]


def test_nothing_is_overwritten(half_folded: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.duckdb"
    there.write_text("mine")
    with pytest.raises(ledger.LedgerError, match="there already: remove it"):
        export(half_folded, there)
    assert there.read_text() == "mine"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(ledger.LedgerError, match="there already"):
        export(half_folded, tmp_path / "full")
    with pytest.raises(ledger.LedgerError, match="the ledger itself"):
        export(half_folded, half_folded)
    (tmp_path / "empty").mkdir()
    assert export(half_folded, tmp_path / "empty").rows["calls"] == 9
    with pytest.raises(ledger.LedgerNotFoundError):
        export(tmp_path / "none.duckdb", tmp_path / "copy.duckdb")


def test_what_cannot_be_made_leaves_nothing(half_folded: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ledger.LedgerError, match="cannot be made"):
        export(half_folded, tmp_path / "file" / "copy.duckdb")
    assert sorted(os.listdir(tmp_path)) == before


def test_an_empty_ledger(ledger_path: Path, tmp_path: Path) -> None:
    ledger.ensure(ledger_path)
    assert not any(export(ledger_path, tmp_path / "copy.duckdb").rows.values())
    assert not any(export(ledger_path, tmp_path / "parquet").rows.values())
