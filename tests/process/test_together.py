"""Writers, a folder and readers with plain DuckDB, all at once; and the same with kills at random moments."""

from __future__ import annotations

import collections
import random
import signal
import subprocess
import time
from pathlib import Path

import duckdb
import pytest

from edgequake_obs import ledger

from .launch import calls, finish, rows_of, server_process, start, tag, until


def returned(log: Path) -> dict[str, int]:
    """Of each call that a writer wrote down: how many of its records were in the spool when it had returned."""
    lines = log.read_text(encoding="utf-8").split("\n") if log.exists() else []
    # The last piece is empty, or what a kill cut short.
    return {name: int(written) for name, written in (line.split(" ") for line in lines[:-1])}


def test_writers_a_folder_and_readers_at_once(tmp_path: Path) -> None:
    path, seconds = tmp_path / "ledger.duckdb", 5.0
    with server_process() as server:
        logs = [tmp_path / f"writer-{n}.log" for n in range(3)]
        writers = [start("writer", server, log, seconds, path=path) for log in logs]
        until("the first record", lambda: any(log.exists() and log.stat().st_size for log in logs))
        folder = start("folder", seconds, path=path)
        readers = [start("reader", path, seconds, path=path) for _ in range(2)]
        for writer in writers:
            finish(writer)
        folds = finish(folder)[0].splitlines()
        looks = [finish(reader)[0].splitlines() for reader in readers]

    made = [name for log in logs for name in returned(log)]
    for look in looks:
        seen = [tuple(map(int, line.split())) for line in look if line not in ("refused", "absent")]
        assert seen, f"a reader never got in: {collections.Counter(look)}"
        for rows, distinct, rows_again, distinct_again in seen:
            assert rows == distinct
            assert rows_again == distinct_again >= rows
        grown = [rows for rows, *_ in seen]
        assert grown == sorted(grown), "rows that had been seen were gone later"
        assert grown[-1] <= len(made)
    assert sum(int(line.split()[0]) for line in folds) > 0, "the folder never got in"

    # All writers have ended: whoever opens the file now, without anything of ours, sees every call once.
    connection = duckdb.connect(str(path), read_only=True)
    plain = rows_of(connection.execute("SELECT call_uid, tags FROM calls"))
    connection.close()
    assert sorted(filter(None, map(tag, plain))) == sorted(made)
    ledger.fold(str(path))
    assert sorted(filter(None, map(tag, calls(path)))) == sorted(made)


def assert_every_call_once(path: Path, logs: list[Path]) -> None:
    rows = calls(path)
    counts = collections.Counter(map(tag, rows))
    assert None not in counts
    twice = {name: count for name, count in counts.items() if count > 1}
    assert not twice
    assert len({row["call_uid"] for row in rows}) == len(rows)
    made = [name for log in logs for name in returned(log)]
    assert len(made) > 20, "too few calls for the test to say anything"
    missing = [name for name in made if name not in counts]
    assert not missing, f"{len(missing)} of {len(made)} calls have no row: {missing[:10]}"


def assert_what_was_written_is_there(path: Path, logs: list[Path]) -> None:
    """Of killed writers: their rows are at least as many as they had been told."""
    rows = calls(path)
    counts = collections.Counter(map(tag, rows))
    assert max(counts.values()) == 1
    assert len({row["call_uid"] for row in rows}) == len(rows)
    told = 0
    for log in logs:
        made = returned(log)
        writer = f"{next(iter(made)).partition('-')[0]}-"
        there = sum(1 for name in counts if name is not None and name.startswith(writer))
        written = max(made.values())
        assert there >= written, f"{log.name}: {written} records were said to be written, {there} have a row"
        told += written
    made_in_all = sum(len(returned(log)) for log in logs)
    assert made_in_all > 20, "too few calls for the test to say anything"
    assert told > made_in_all / 2, "records wait for long in the writers"


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_writers_lose_nothing_that_was_written(seed: int, tmp_path: Path) -> None:
    path, chance = tmp_path / "ledger.duckdb", random.Random(seed)
    logs: list[Path] = []
    with server_process() as server:
        for round_ in range(5):
            pair: list[tuple[Path, subprocess.Popen[str]]] = []
            for n in range(2):
                log = tmp_path / f"writer-{round_}-{n}.log"
                pair.append((log, start("writer", server, log, 0, path=path)))
            until("both writers at work", lambda pair=pair: all(log.exists() and log.stat().st_size for log, _ in pair))
            for log, writer in pair:
                time.sleep(chance.uniform(0.02, 0.5))
                writer.kill()
                writer.communicate()
                assert writer.returncode == -signal.SIGKILL, "the writer had ended by itself"
                logs.append(log)
    assert_what_was_written_is_there(path, logs)
    ledger.fold(str(path))
    assert_what_was_written_is_there(path, logs)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_folder_neither_loses_nor_doubles(seed: int, tmp_path: Path) -> None:
    path, chance = tmp_path / "ledger.duckdb", random.Random(seed)
    logs = [tmp_path / f"writer-{n}.log" for n in range(2)]
    with server_process() as server:
        writers = [start("writer", server, log, 8, path=path) for log in logs]
        until("both writers at work", lambda: all(log.exists() and log.stat().st_size for log in logs))
        for _ in range(8):
            folder = start("folder", 0, path=path)
            assert folder.stdout is not None
            # Sometimes before its first fold is done, sometimes some folds later.
            if chance.random() < 0.7:
                folder.stdout.readline()
            time.sleep(chance.uniform(0, 0.3))
            folder.kill()
            _, err = folder.communicate()
            assert folder.returncode == -signal.SIGKILL, f"the folder had ended by itself:\n{err[-3000:]}"
        for writer in writers:
            finish(writer)
    assert_every_call_once(path, logs)
    ledger.fold(str(path))
    assert_every_call_once(path, logs)
