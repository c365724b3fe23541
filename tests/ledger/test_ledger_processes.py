"""Many processes at once: kills, two folders, readers with plain DuckDB while writers append."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import duckdb
import pytest
from spool_writer import SpoolWriter, record, spool_of

from edgequake_obs import ledger

FOLD_FOR_EVER = """
import sys
import duckdb
from edgequake_obs import ledger
duckdb.connect().execute("SELECT 1")
print("ready", flush=True)
while True:
    try:
        ledger.fold(sys.argv[1])
    except ledger.LedgerBusyError:
        pass
"""

WRITE = """
import json, sys, time
from spool_writer import SpoolWriter, record
writer, written = SpoolWriter(sys.argv[1]), 0
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    writer.write(*(record(time.time_ns(), pid=int(sys.argv[3])) for _ in range(10)))
    written += 10
    time.sleep(0.01)
print(written)
"""

# Counts of one reader never go down, and one query sees whole batches of each writer.
READ = """
import duckdb, json, sys, time
keep = sys.argv[3] == "keep"
until = time.monotonic() + float(sys.argv[2])
reads = refused = wrong = last = 0
connection = None
while time.monotonic() < until:
    try:
        connection = connection or duckdb.connect(sys.argv[1], read_only=True)
    except duckdb.IOException as error:
        assert "Conflicting lock" in str(error), error
        refused += 1
        time.sleep(0.02)
        continue
    count, distinct = connection.execute("SELECT count(*), count(DISTINCT call_uid) FROM calls").fetchall()[0]
    reads += 1
    wrong += count < last or count != distinct
    last = count
    if not keep:
        connection.close()
        connection = None
        time.sleep(0.1)
print(json.dumps([reads, refused, wrong]))
"""


def totals(path: Path) -> tuple[int, int]:
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute("SELECT count(*), count(DISTINCT call_uid) FROM calls").fetchall()[0]


def test_folders_killed_at_random_moments_count_every_call_once(ledger_path: Path, script) -> None:
    ledger.ensure(ledger_path)
    writer = SpoolWriter(ledger_path)
    written = kills = 0
    left: dict[str, int] = {"wal": 0, "named but not unlinked": 0, "some folded": 0, "all folded": 0}
    until = time.monotonic() + 15
    while time.monotonic() < until or kills < 5:
        for _ in range(6):
            writer.write(*(record() for _ in range(500)))
            os.chmod(writer.path, 0o400)
            written += 500
        names = set(spool_names(ledger_path))
        folder = script(FOLD_FOR_EVER, ledger_path)
        assert folder.stdout.readline() == "ready\n"
        time.sleep(random.uniform(0, 0.6))
        folder.send_signal(signal.SIGKILL)
        folder.wait()
        kills += 1
        waiting = set(spool_names(ledger_path))
        left["wal"] += os.path.exists(f"{ledger_path}.wal")
        left["some folded"] += bool(waiting) and waiting < names
        left["all folded"] += not waiting
        with duckdb.connect(ledger_path, read_only=True) as connection:
            named = {name for (name,) in connection.execute("SELECT name FROM folded").fetchall()}
        left["named but not unlinked"] += bool(waiting & named)
        assert totals(ledger_path) == (written, written)
    report = ledger.fold(ledger_path)
    assert totals(ledger_path) == (written, written)
    with duckdb.connect(ledger_path, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM call").fetchall() == [(written,)]
        assert connection.execute("SELECT count(*) FROM attempts").fetchall() == [(written,)]
    print(f"\n{kills} kills left behind {left}; {written:,} calls; last fold: {report}")


def spool_names(path: Path) -> list[str]:
    return [name for name in os.listdir(spool_of(path)) if name.endswith(".jsonl") and name[0] != "0"]


def test_two_folders_and_their_writers(ledger_path: Path, script) -> None:
    ledger.ensure(ledger_path)
    folders = [script(FOLD_FOR_EVER, ledger_path) for _ in range(2)]
    writers = [script(WRITE, ledger_path, 4, number) for number in range(2)]
    written = sum(int(writer.communicate(timeout=60)[0]) for writer in writers)
    for folder in folders:
        assert folder.poll() is None, folder.communicate()[1]
        folder.kill()
        folder.wait()
    ledger.fold(ledger_path)
    assert totals(ledger_path) == (written, written)
    with duckdb.connect(ledger_path, read_only=True) as connection:
        by_writer = connection.execute("SELECT pid, count(*) FROM call GROUP BY pid ORDER BY pid").fetchall()
    assert [pid for pid, _ in by_writer] == [0, 1]


@pytest.mark.parametrize("kept", [False, True], ids=["readers come and go", "one keeps its connection"])
def test_plain_readers_see_every_call_while_others_write_and_fold(ledger_path: Path, script, kept: bool) -> None:
    ledger.ensure(ledger_path)
    seconds = 5
    writers = [script(WRITE, ledger_path, seconds, number) for number in range(2)]
    readers = [script(READ, ledger_path, seconds, "keep" if kept and not number else "") for number in range(2)]
    folds = refused = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with ledger.connect(ledger_path) as connection:
                folds += connection.execute("SELECT count(*) FROM call").fetchall()[0][0] > 0
        except ledger.LedgerBusyError:
            refused += 1
        time.sleep(0.2)
    written = sum(int(writer.communicate(timeout=60)[0]) for writer in writers)
    answers = [reader.communicate(timeout=60) for reader in readers]
    assert not [error for _, error in answers if error]
    results = [json.loads(answer) for answer, _ in answers]
    print(f"\n{written:,} calls; readers' [reads, refused, wrong]: {results}")
    assert all(reads > 0 and wrong == 0 for reads, _, wrong in results)
    assert not refused
    assert totals(ledger_path) == (written, written)
    ledger.fold(ledger_path)
    assert totals(ledger_path) == (written, written)


def test_a_killed_writer_costs_at_most_its_last_line(ledger_path: Path, script) -> None:
    code = WRITE.replace("written += 10", "written += 10; print(written, flush=True)")
    for _ in range(3):
        writer = script(code, ledger_path, 30, 1)
        counted = [int(writer.stdout.readline()) for _ in range(20)][-1]
        writer.kill()
        counted = max([counted, *map(int, writer.communicate()[0].split())])
        with ledger.connect(ledger_path) as connection:
            rows = connection.execute("SELECT count(*) FROM calls").fetchall()[0][0]
            before = connection.execute("SELECT count(*) FROM calls WHERE pid = 0").fetchall()[0][0]
        assert before == 0
        assert counted <= rows <= counted + 10
        for path in ledger_path.parent.glob("ledger*"):
            if path.is_file():
                path.unlink()


def test_speed_is_printed(ledger_path: Path) -> None:
    """Figures for the eye; `pytest -s` shows them."""
    writer = SpoolWriter(ledger_path)
    ledger.ensure(ledger_path)
    count = 20_000
    writer.write(*(record(time.time_ns() + number) for number in range(count)))
    megabytes = os.path.getsize(writer.path) / 1e6
    with duckdb.connect(ledger_path, read_only=True) as connection:
        begun = time.perf_counter()
        connection.execute("SELECT response_model, sum(cost_usd) FROM calls GROUP BY 1").fetchall()
        live = time.perf_counter() - begun
    report = ledger.fold(ledger_path)
    print(f"\n{count:,} lines, {megabytes:.1f} MB: live query {live:.3f} s, fold {report.seconds:.3f} s")
    assert report.records == count
