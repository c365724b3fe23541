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

GRACE = 0.05  # what was handed over this long before a kill must be there


def returned(log: Path) -> dict[str, float]:
    """Of each call that a writer wrote down: when it had returned, on the machine's monotonic clock."""
    lines = log.read_text(encoding="utf-8").split("\n") if log.exists() else []
    # The last piece is empty, or what a kill cut short.
    return {name: float(at) for name, at in (line.split(" ") for line in lines[:-1])}


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


def assert_every_call_once(path: Path, logs: list[Path], killed_at: dict[Path, float]) -> None:
    rows = calls(path)
    counts = collections.Counter(map(tag, rows))
    assert None not in counts
    twice = {name: count for name, count in counts.items() if count > 1}
    assert not twice
    assert len({row["call_uid"] for row in rows}) == len(rows)
    must: list[str] = []
    for log in logs:
        latest = killed_at.get(log, float("inf")) - GRACE
        must += [name for name, at in returned(log).items() if at <= latest]
    assert len(must) > 20, "too few calls for the test to say anything"
    missing = [name for name in must if name not in counts]
    assert not missing, f"{len(missing)} of {len(must)} calls have no row: {missing[:10]}"


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_writers_lose_nothing_that_was_handed_over(seed: int, tmp_path: Path) -> None:
    path, chance = tmp_path / "ledger.duckdb", random.Random(seed)
    logs: list[Path] = []
    killed_at: dict[Path, float] = {}
    with server_process() as server:
        for round_ in range(5):
            pair: list[tuple[Path, subprocess.Popen[str]]] = []
            for n in range(2):
                log = tmp_path / f"writer-{round_}-{n}.log"
                pair.append((log, start("writer", server, log, 0, path=path)))
            until("both writers at work", lambda pair=pair: all(log.exists() and log.stat().st_size for log, _ in pair))
            for log, writer in pair:
                time.sleep(chance.uniform(0.02, 0.5))
                killed_at[log] = time.monotonic()
                writer.kill()
                writer.communicate()
                assert writer.returncode == -signal.SIGKILL, "the writer had ended by itself"
                logs.append(log)
    assert_every_call_once(path, logs, killed_at)
    ledger.fold(str(path))
    assert_every_call_once(path, logs, killed_at)


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
    assert_every_call_once(path, logs, {})
    ledger.fold(str(path))
    assert_every_call_once(path, logs, {})
