"""The fold: exactly once, whatever was killed, repeated, torn or held."""

from __future__ import annotations

import json
import os
import shutil
import stat
import uuid
from pathlib import Path

import duckdb
import pytest
from spool_writer import START_NS, SpoolWriter, encoded, record, spool_of, uuid7

from edgequake_obs import ledger
from edgequake_obs.ledger.place import Place


def counts(path: Path) -> tuple[int, int]:
    """Rows of the view, and of the table."""
    with duckdb.connect(path, read_only=True) as connection:
        rows = connection.execute("SELECT (SELECT count(*) FROM calls), (SELECT count(*) FROM call)").fetchall()
    return rows[0]


def spool_files(path: Path) -> list[str]:
    return sorted(name for name in os.listdir(spool_of(path)) if name.endswith(".jsonl") and name[0] != "0")


def aside_lines(path: Path) -> list[bytes]:
    folder = Path(spool_of(path), "aside")
    return [line for file in sorted(folder.iterdir()) for line in file.read_bytes().split(b"\n") if line]


def test_everything_becomes_rows_and_the_files_go(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(*(record(START_NS + number) for number in range(100)))
    report = ledger.fold(ledger_path)
    assert report._replace(seconds=0) == (100, 1, 0, 0, 0)
    assert 0 < report.seconds < 60
    assert spool_files(ledger_path) == []
    assert counts(ledger_path) == (100, 100)
    assert ledger.fold(ledger_path)._replace(seconds=0) == (0, 0, 0, 0, 0)


def test_writers_move_on_and_lose_nothing(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(record())
    before = writer.path
    ledger.fold(ledger_path)
    writer.write(record())
    assert writer.path != before
    assert counts(ledger_path) == (2, 1)


def test_the_write_bit_is_cleared_before_the_file_is_read(
    ledger_path: Path, writer: SpoolWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgequake_obs.ledger import straight

    writer.write(record())
    seen: list[int] = []

    def watch(connection: object, place: object, names: list[str]) -> dict[str, int]:
        seen.append(os.stat(writer.path).st_mode & stat.S_IWUSR)
        raise KeyboardInterrupt

    monkeypatch.setattr(straight, "look", watch)
    with pytest.raises(KeyboardInterrupt):
        ledger.fold(ledger_path)
    assert seen == [0]
    assert counts(ledger_path) == (1, 0)


def test_connect_folds(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(record())
    with ledger.connect(ledger_path) as connection:
        assert connection.execute("SELECT count(*) FROM call").fetchall() == [(1,)]
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute("DELETE FROM call")


def test_names_in_folded_are_skipped_unlinked_and_forgotten(ledger_path: Path, writer: SpoolWriter) -> None:
    # What a kill between the commit and the unlink leaves.
    writer.write(record(), record())
    copy = writer.path + ".copy"
    shutil.copy(writer.path, copy)
    ledger.fold(ledger_path)
    os.rename(copy, writer.path)
    os.chmod(writer.path, 0o400)
    assert counts(ledger_path) == (2, 2)
    writer.write(record())
    assert len(spool_files(ledger_path)) == 2
    assert ledger.fold(ledger_path).records == 1
    assert spool_files(ledger_path) == []
    assert counts(ledger_path) == (3, 3)
    with duckdb.connect(ledger_path, read_only=True) as connection:
        (names,) = connection.execute("SELECT list(name) FROM folded").fetchall()[0]
    assert names == [os.path.basename(writer.path)], "only the file of the last fold is still remembered"


def test_a_call_is_never_twice_in_the_table(ledger_path: Path, writer: SpoolWriter) -> None:
    calls = [record(START_NS + number * 10**9) for number in range(50)]
    batch_result = record(call_uid=str(uuid.uuid5(uuid.NAMESPACE_URL, "x")))
    writer.write(*calls, batch_result, calls[7], batch_result)
    assert ledger.fold(ledger_path).records == 51
    SpoolWriter(ledger_path).write(*calls[40:], record(START_NS + 60 * 10**9), batch_result)
    assert ledger.fold(ledger_path).records == 1
    assert counts(ledger_path) == (52, 52)
    with duckdb.connect(ledger_path, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM attempts").fetchall() == [(52,)]


ODD = {
    "torn": b'{"call_uid":"018f2b6e-0000-7000-8000-0000000000',
    "nothing but NUL": b"\0" * 4096,
    "invalid UTF-8": encoded(record()).replace(b"search", b"\xff\xfe"),
    "no id": b'{"start_ns": 1}',
    "an id that is none": b'{"call_uid": "yesterday"}',
    "a list": b"[1, 2]",
    "a string": b'"text"',
    "two glued together": encoded(record()) + encoded(record()),
    "something behind it": encoded(record()) + b" and more",
    "a lone surrogate": encoded(record()).replace(b"search", b"\\ud800"),
    "an unknown kind": encoded(record() | {"kind": "novelty"}),
    "NUL inside": encoded(record()).replace(b"search", b"sea\0rch"),
    "an id that only Python reads": encoded(record()).replace(b'"call_uid": "', b'"call_uid": "urn:uuid:'),
}


@pytest.mark.parametrize("line", ODD.values(), ids=ODD.keys())
def test_lines_that_cannot_be_read_are_kept_aside(ledger_path: Path, writer: SpoolWriter, line: bytes) -> None:
    writer.write(record())
    writer.append(b"\n" + line)  # torn: without its newline
    writer.write(record(), record())
    ledger.ensure(ledger_path)
    assert counts(ledger_path) == (3, 0)
    assert ledger.fold(ledger_path)._replace(seconds=0) == (3, 1, 1, 0, 0)
    assert counts(ledger_path) == (3, 3)
    assert aside_lines(ledger_path) == [line]
    with duckdb.connect(ledger_path, read_only=True) as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'set_aside'").fetchall() == [("1",)]


def test_lines_set_aside_add_up(ledger_path: Path, writer: SpoolWriter) -> None:
    for _ in range(2):
        writer.append(b"\n" + b"\n".join(ODD.values()) + b"\n" + encoded(record()) + b"\n")
        report = ledger.fold(ledger_path)
        assert (report.records, report.set_aside) == (1, len(ODD))
    assert len(aside_lines(ledger_path)) == 2 * len(ODD)
    assert all(name.endswith(".jsonl") for name in os.listdir(Path(spool_of(ledger_path), "aside")))
    with duckdb.connect(ledger_path, read_only=True) as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'set_aside'").fetchall() == [(str(2 * len(ODD)),)]
        history = connection.execute("SELECT value FROM meta WHERE key = 'fold' ORDER BY noted_at").fetchall()
    assert [(json.loads(value)["records"], json.loads(value)["set_aside"]) for (value,) in history] == [(1, 13)] * 2


def test_a_line_longer_than_duckdb_reads_stops_nobody_for_long(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(record())
    huge = encoded(record(error_message="x" * (50 << 20)))
    writer.append(b"\n" + huge + b"\n")
    writer.write(record())
    assert ledger.fold(ledger_path)._replace(seconds=0) == (2, 1, 1, 0, 0)
    assert counts(ledger_path) == (2, 2)
    assert aside_lines(ledger_path) == [huge]


def test_a_value_that_does_not_cast_is_null_and_the_call_stays(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(record(cost_usd="a lot", tags=[1]), record())
    assert ledger.fold(ledger_path).records == 2
    with duckdb.connect(ledger_path, read_only=True) as connection:
        assert connection.execute("SELECT count(*), count(cost_usd), count(tags) FROM calls").fetchall() == [(2, 1, 1)]


def test_a_file_that_somebody_holds_waits(ledger_path: Path, writer: SpoolWriter, script) -> None:
    writer.write(record())
    holder = script(
        """
        import fcntl, os, sys
        number = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
        fcntl.flock(number, fcntl.LOCK_SH)
        print("held", flush=True)
        sys.stdin.read()
        """,
        writer.path,
    )
    assert holder.stdout.readline() == "held\n"
    other = SpoolWriter(ledger_path)
    other._open()
    os.chmod(writer.path, 0o400)
    free = SpoolWriter(ledger_path)
    free.write(record())
    assert free.path != writer.path
    report = ledger.fold(ledger_path)
    assert (report.records, report.files, report.busy) == (1, 1, 1)
    assert counts(ledger_path) == (2, 1)
    holder.communicate()
    assert ledger.fold(ledger_path).records == 1


def test_files_of_a_newer_schema_are_left_alone(ledger_path: Path, writer: SpoolWriter) -> None:
    newer = SpoolWriter(ledger_path, schema=3)
    newer.write(record())
    writer.write(record())
    assert ledger.fold(ledger_path).files == 1
    assert spool_files(ledger_path) == [os.path.basename(newer.path)]
    assert stat.S_IMODE(os.stat(newer.path).st_mode) == 0o600


def test_a_database_of_a_newer_schema_is_read_and_not_folded_into(ledger_path: Path, writer: SpoolWriter) -> None:
    ledger.ensure(ledger_path)
    with duckdb.connect(ledger_path) as connection:
        connection.execute("UPDATE meta SET value = '3' WHERE key = 'schema'")
    writer.write(record())
    with pytest.raises(ledger.LedgerError, match="schema 3 and this version knows 2"):
        ledger.fold(ledger_path)
    with ledger.connect(ledger_path) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchall() == [(1,)]
        assert connection.execute("SELECT count(*) FROM call").fetchall() == [(0,)]


def test_a_moved_ledger_gets_new_views(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    path = tmp_path / "old" / "ledger.duckdb"
    SpoolWriter(path).write(record())
    ledger.fold(path)
    SpoolWriter(path).write(record())
    os.rename(tmp_path / "old", tmp_path / "new")
    moved = tmp_path / "new" / "ledger.duckdb"
    with ledger.connect(moved) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchall() == [(2,)]
    os.rename(tmp_path / "new", tmp_path / "newer")
    with ledger.connect(tmp_path / "newer" / "ledger.duckdb") as connection:  # with nothing to fold
        assert connection.execute("SELECT count(*) FROM calls").fetchall() == [(2,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_who_does_not_own_the_spool_reads_and_never_folds(ledger_path: Path, writer: SpoolWriter) -> None:
    ledger.ensure(ledger_path)
    writer.write(record())
    os.chown(spool_of(ledger_path), 65534, 65534)
    with pytest.raises(ledger.LedgerError, match=r"belongs to another user.*65534"):
        ledger.fold(ledger_path)
    with ledger.connect(ledger_path) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchall() == [(1,)]
    assert len(spool_files(ledger_path)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_who_does_not_own_the_spool_makes_no_files_in_it(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(record())
    os.chown(spool_of(ledger_path), 65534, 65534)
    ledger.ensure(ledger_path)
    with pytest.raises(ledger.LedgerError, match="has to be made by the owner"):
        ledger.connect(ledger_path)
    assert not ledger_path.exists()
    assert len(os.listdir(spool_of(ledger_path))) == 1


def test_what_a_killed_creation_left_goes_with_the_next(ledger_path: Path) -> None:
    old, young = (Path(f"{ledger_path}.1-{name}.new") for name in ("old", "young"))
    for draft in (old, young):
        draft.touch()
    os.utime(old, (0, 0))
    ledger.ensure(ledger_path)
    assert (old.exists(), young.exists()) == (False, True)


def test_one_file_that_cannot_be_folded_does_not_keep_the_others(
    ledger_path: Path, writer: SpoolWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgequake_obs.ledger import batch, lines, straight

    writer.write(record())
    bad = os.path.basename(writer.path)
    os.chmod(writer.path, 0o400)
    writer.write(record())

    def load(connection: duckdb.DuckDBPyConnection, place: Place, names: list[str]) -> dict[str, int]:
        if bad in names:
            raise OSError(28, "No space left on device")
        return lines.load(connection, place, names)

    def look(connection: duckdb.DuckDBPyConnection, place: Place, names: list[str]) -> dict[str, int] | None:
        return None if bad in names else straight_look(connection, place, names)

    straight_look = straight.look
    monkeypatch.setattr(straight, "look", look)
    monkeypatch.setattr(batch, "load", load)
    with pytest.raises(ledger.LedgerError, match=f"{bad} cannot be folded and waits .*No space left"):
        ledger.fold(ledger_path)
    assert counts(ledger_path) == (2, 1)
    with ledger.connect(ledger_path) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchall() == [(2,)]


def test_a_group_spool_makes_group_files(ledger_path: Path) -> None:
    os.mkdir(spool_of(ledger_path))
    os.chmod(spool_of(ledger_path), 0o770)
    ledger.ensure(ledger_path)
    assert stat.S_IMODE(ledger_path.stat().st_mode) == 0o660
    assert stat.S_IMODE(Path(spool_of(ledger_path), "0-none.v2.jsonl").stat().st_mode) == 0o660


def test_clocks_that_jump_change_nothing(ledger_path: Path, writer: SpoolWriter) -> None:
    hour = 3_600 * 10**9
    writer.write(*(record(START_NS + number) for number in range(10)))
    ledger.fold(ledger_path)
    old = [record(START_NS - hour + number) for number in range(10)]
    writer.write(*old, record(0, call_uid=uuid7(0)))
    ledger.fold(ledger_path)
    writer.write(*old, record(START_NS + 1000 * hour))
    assert ledger.fold(ledger_path).records == 1
    assert counts(ledger_path) == (22, 22)


def test_the_fold_history_is_bounded(ledger_path: Path, writer: SpoolWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgequake_obs.ledger import batch

    monkeypatch.setattr(batch, "_HISTORY", 3)
    for _ in range(6):
        writer.write(record())
        ledger.fold(ledger_path)
    with duckdb.connect(ledger_path, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM meta WHERE key = 'fold'").fetchall() == [(3,)]


def test_nothing_recorded_and_ledger_off(ledger_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgequake_obs import _native

    for action in (ledger.fold, ledger.connect, ledger.spend):
        with pytest.raises(ledger.LedgerNotFoundError, match="begins with the first recorded call"):
            action(path=ledger_path)
    assert not list(ledger_path.parent.iterdir()), "a mistyped path makes no ledger"
    monkeypatch.setattr(_native, "ledger_path", lambda: str(ledger_path))
    with ledger.connect() as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchall() == [(0,)]
    monkeypatch.setattr(_native, "ledger_path", lambda: None)
    with pytest.raises(ledger.LedgerError, match="EDGEQUAKE_OBS_LEDGER"):
        ledger.connect()
