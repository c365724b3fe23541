"""Eight writers, a folder and three readers, one of which keeps its connection open, counted at the end."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import pytest

from edgequake_obs import ledger

from .launch import calls, finish, server_process, start, tag, until
from .test_together import returned

WRITERS = 8


@pytest.mark.parametrize("seconds", [4.0, pytest.param(60.0, marks=pytest.mark.long)])
def test_everybody_at_once(seconds: float, tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    ledger.ensure(path)
    logs = [tmp_path / f"writer-{number}.log" for number in range(WRITERS)]
    with server_process() as server:
        writers = [start("writer", server, log, seconds, path=path) for log in logs]
        until("the first record", lambda: any(log.exists() and log.stat().st_size for log in logs))
        folder = start("folder", seconds, "patient", path=path)
        readers = [start("reader", path, seconds, path=path) for _ in range(2)]
        # From the middle on: as long as it reads nobody can fold.
        time.sleep(seconds / 2)
        keeper = start("keeper", path, seconds / 2, path=path)
        for writer in writers:
            finish(writer, within=2 * seconds + 60)
        folds = finish(folder)[0].splitlines()
        looks = [finish(reader)[0].splitlines() for reader in readers]
        kept = [tuple(map(int, line.split())) for line in finish(keeper)[0].splitlines()]

    made = sorted(name for log in logs for name in returned(log))
    rows = calls(path)
    assert sorted(filter(None, map(tag, rows))) == made
    assert len({row["call_uid"] for row in rows}) == len(rows) == len(made)
    for look in looks:
        seen = [tuple(map(int, line.split())) for line in look if line != "refused"]
        assert seen
        assert all(rows == distinct and again == distinct_again for rows, distinct, again, distinct_again in seen)
        assert [rows for rows, *_ in seen] == sorted(rows for rows, *_ in seen)
    assert kept
    assert all(rows == distinct for rows, distinct in kept)
    assert kept == sorted(kept)
    ledger.fold(path)
    with duckdb.connect(path, read_only=True) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT call_uid) FROM call").fetchall() == [
            (len(made),) * 2
        ]
    folded = sum(int(line.split()[0]) for line in folds if not line.startswith("refused"))
    refused = sum(line.startswith("refused") for line in folds)
    print(
        f"\n{seconds:.0f} s: {len(made):,} calls by {WRITERS} writers, each once; {len(folds) - refused} folds took "
        f"{folded:,}, {refused} were refused; readers looked {[len(look) for look in [*looks, kept]]} times"
    )
