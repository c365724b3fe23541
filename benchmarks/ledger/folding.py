"""How many records a fold moves in a second, and how much memory it takes.

python -m benchmarks.ledger.folding RECORDS FOLDER      figures in JSON; run in a process of its own
"""

from __future__ import annotations

import json
import os
import sys
import time

import duckdb

from benchmarks.ledger.lines import fill
from benchmarks.ledger.resident import most_resident
from edgequake_obs import ledger
from edgequake_obs.ledger.place import place_of
from edgequake_obs.ledger.schema import SCHEMA


def main(records: int, folder: str) -> int:
    path = os.path.join(folder, "ledger.duckdb")
    ledger.ensure(path)
    fill(place_of(path).spool, SCHEMA, records)
    duckdb.connect().execute("SELECT 1")  # importing it is not folding
    before = time.process_time()
    report = ledger.fold(path)
    cpu = time.process_time() - before
    assert (report.records, report.set_aside, report.busy) == (records, 0, 0), report
    figures = {
        "records_per_s": report.records / report.seconds,
        "records_per_cpu_s": report.records / cpu,
        "cores": cpu / report.seconds,
        "most_mb": most_resident() / 1e6,
    }
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2]))
