"""Runs drivers, each a client in a process of its own, against one replaying server and one ledger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from edgequake_obs import ledger
from edgequake_obs.demo.server import ReplayServer

from .corpus import Case

DRIVER = Path(__file__).with_name("driver.py")
WAYS = ("own-sync", "own-async", "patched-sync", "patched-async")

# Of (way, exchange id): what the caller got, and the ledger's rows.
Said = dict[tuple[str, str], dict[str, Any]]
Rows = dict[tuple[str, str], list[dict[str, Any]]]


def play(
    server: ReplayServer,
    cases: Sequence[Case],
    folder: Path,
    *,
    ways: Sequence[str] = WAYS,
    options: Sequence[str] = (),
    timeout: float = 20,
    threads: int = 1,
    fewer: Mapping[str, Sequence[Case]] | None = None,
    environment: Mapping[str, str] | None = None,
    pythons: Mapping[str, Path] | None = None,
    faults: Mapping[str, str] | None = None,
    together: bool = False,
) -> tuple[Said, Rows]:
    """Ask all cases in all ways at once; what the callers got, and what the ledger holds afterwards.

    Synchronous calls are made by so many threads; 16 asynchronous ones are under way at a time. `fewer`: what is asked
    in further ways, that are not for all cases; `environment`: of the clients' own settings; `pythons`: interpreters of
    ways that are not for this one; `faults`: of exchanges, by id, that break in a way of their own; `together`: both
    flavours of a client take turns in one process, where starting it takes longer than all else.
    """
    path = folder / "ledger.duckdb"
    ours = {"EDGEQUAKE_OBS_LEDGER": str(path), "EDGEQUAKE_OBS_RAISE_INTERNAL": "1", **(environment or {})}
    strange = [name for name in os.environ if name.startswith("OTEL_") or name.endswith("_proxy")]
    surroundings = {name: value for name, value in os.environ.items() if name not in strange} | ours
    job = {
        "server": server.base_url,
        "timeout": timeout,
        "threads": threads,
    }
    own_options = {case: [f"fault={fault}"] for case, fault in (faults or {}).items()}

    def order_of(case: Case) -> dict[str, Any]:
        return {**case.to_json(), "options": own_options.get(case.id, list(options))}

    at_once: dict[str, list[str]] = {}
    for way in ways:
        at_once.setdefault(way.rpartition("-")[0] if together else way, []).append(way)
    started: list[tuple[list[str], subprocess.Popen[str]]] = []
    for turns, asked in [
        *((turns, cases) for turns in at_once.values()),
        *(([w], c) for w, c in (fewer or {}).items()),
    ]:
        order = folder / f"{turns[0]}.json"
        order.write_text(json.dumps({**job, "ways": turns, "cases": list(map(order_of, asked))}), encoding="utf-8")
        command = [str((pythons or {}).get(turns[0], sys.executable)), str(DRIVER), str(order)]
        pipe = subprocess.PIPE
        started.append((turns, subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=surroundings)))
    said: Said = {}
    for turns, process in started:
        out, err = process.communicate(timeout=180)
        assert process.returncode == 0, f"the driver {turns} ended with {process.returncode}:\n{err[-4000:]}"
        for line in out.splitlines():
            one = json.loads(line)
            said[one["way"], one["id"]] = one
    return said, rows_of(path)


def rows_of(path: Path) -> Rows:
    """The ledger's rows, as dicts, by the tags that the driver gave its calls."""
    connection: duckdb.DuckDBPyConnection = ledger.connect(str(path))
    try:
        cursor = connection.execute("SELECT * FROM calls ORDER BY start_ns")
        names = [column[0] for column in cursor.description or []]
        rows: Rows = {}
        for values in cursor.fetchall():
            row = dict(zip(names, values, strict=True))
            tags: dict[str, str] = row["tags"] or {}
            rows.setdefault((tags.get("way", ""), tags.get("exchange", "")), []).append(row)
        return rows
    finally:
        connection.close()
