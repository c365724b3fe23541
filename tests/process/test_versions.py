"""Two versions on one ledger: the one that wrote the schema before, as a wheel, and this one."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pytest

from edgequake_obs import ledger
from edgequake_obs.ledger.schema import SCHEMA

from . import previous
from .launch import calls, finish, server_process, start, tag, until
from .test_together import returned


@pytest.fixture(scope="module")
def old_python() -> str:
    commit = previous.commit()
    if commit is None:
        pytest.skip("the history does not have the version before: nothing to run beside this one")
    assert previous.schema(commit) < SCHEMA
    return previous.python(commit)


def counted(python: str, path: Path) -> str:
    """What `ledger.connect` of a version shows: calls, and different ids among them."""
    return finish(start("counter", path=path, python=python))[0].strip()


def test_both_write_fold_and_read(old_python: str, tmp_path: Path) -> None:
    path, seconds = tmp_path / "ledger.duckdb", 3.0
    pythons = (old_python, old_python, sys.executable, sys.executable)
    with server_process() as server:
        # The old version's ledger first, with something folded and something that waits.
        before = [tmp_path / f"before-{number}.log" for number in range(2)]
        for number, log in enumerate(before):
            finish(start("writer", server, log, 0.5, path=path, python=old_python))
            if not number:
                finish(start("folder", 0.1, path=path, python=old_python))
        logs = [tmp_path / f"writer-{number}.log" for number in range(len(pythons))]
        writers = [
            start("writer", server, log, seconds, path=path, python=python)
            for log, python in zip(logs, pythons, strict=True)
        ]
        until("the first record", lambda: any(log.exists() and log.stat().st_size for log in logs))
        folders = [start("folder", seconds, "patient", path=path, python=python) for python in pythons[1:3]]
        readers = [start("reader", path, seconds, path=path, python=python) for python in pythons[1:3]]
        for writer in writers:
            finish(writer)
        for folder in folders:
            finish(folder)
        looks = [finish(reader)[0].splitlines() for reader in readers]
        ledger.fold(path)
        # Once the new version has folded, the old one goes on writing, leaves the tables alone, and says why.
        logs.append(tmp_path / "after.log")
        finish(start("writer", server, logs[-1], 0.3, path=path, python=old_python))
        refusals = finish(start("folder", 0.1, "patient", path=path, python=old_python))[0]
    assert refusals.startswith("refused")
    assert f"has schema {SCHEMA}" in refusals
    assert "update edgequake_obs" in refusals

    made = sorted(name for log in [*before, *logs] for name in returned(log))
    for look in looks:
        seen = [tuple(map(int, line.split())) for line in look if line[0].isdigit()]
        assert all(rows == distinct for rows, distinct, *_ in seen)
    total = f"({len(made)}, {len(made)})"
    assert counted(old_python, path) == total, "the old version still reads everything"
    assert counted(sys.executable, path) == total
    assert sorted(filter(None, map(tag, calls(path)))) == made
    ledger.fold(path)
    with duckdb.connect(path, read_only=True) as connection:
        folded = connection.execute("SELECT count(*), count(DISTINCT call_uid), count(cost_usd) FROM call").fetchall()
        assert connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchall() == [(str(SCHEMA),)]
    assert folded == [(len(made),) * 3]
    assert counted(old_python, path) == total
