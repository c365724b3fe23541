"""A process that forks: every call of parent and children is one row, whatever was going on at the time."""

from __future__ import annotations

import collections
from pathlib import Path

import pytest

from edgequake_obs.demo.recording import load
from edgequake_obs.demo.server import running

from .launch import PLAIN, calls, finish, start, tag, until

CHILDREN = [f"child-{n}-{k}" for n in range(3) for k in range(3)]
PARENT = {
    "before": ["parent-0", "parent-1", "parent-2"],
    "after": ["parent-0", "parent-1", "parent-2", "parent-first"],
    "in-flight": ["parent-0", "parent-1", "parent-2", "parent-first", *(f"parent-flying-{n}" for n in range(3))],
}


@pytest.mark.parametrize("ending", ["exit", "_exit"])
@pytest.mark.parametrize("client", ["own", "patched"])
@pytest.mark.parametrize("situation", ["before", "after", "in-flight"])
def test_parent_and_children_record_each_call_once(situation: str, client: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    with running(load()) as server:
        program = start("forking", server.base_url, client, situation, ending, path=path)
        if situation == "in-flight":
            assert program.stdout is not None
            assert program.stdin is not None
            program.stdout.readline()
            # One for the first call, three in flight.
            until("three calls in flight", lambda: PLAIN in server.received and server.received[PLAIN].count >= 4)
            program.stdin.write("go\n")
            program.stdin.flush()
        finish(program)
    rows = calls(path)
    counted = collections.Counter(map(tag, rows))
    assert counted == collections.Counter(CHILDREN + PARENT[situation])
    assert {row["outcome"] for row in rows} == {"completed"}
    # Each process wrote its own: four pids, and each child's calls under one of them.
    pids = collections.defaultdict[str, set[int]](set)
    for row in rows:
        pids[(tag(row) or "").rpartition("-")[0] if (tag(row) or "").startswith("child") else "parent"].add(row["pid"])
    assert all(len(found) == 1 for found in pids.values())
    assert len(set.union(*pids.values())) == 4
