"""Spend by model over many folded calls and some that are not folded.

python -m benchmarks.ledger.sums FOLDED UNFOLDED FOLDER      figures in JSON
"""

from __future__ import annotations

import json
import os
import sys
import time

from benchmarks.ledger.lines import fill
from edgequake_obs import ledger
from edgequake_obs.ledger.place import place_of
from edgequake_obs.ledger.schema import SCHEMA
from edgequake_obs.ledger.spending import Bounds, spend_query
from edgequake_obs.ledger.writable import writable

_SEED = 100_000
_TIMES = 7


def main(folded: int, unfolded: int, folder: str) -> int:
    path = os.path.join(folder, "ledger.duckdb")
    place = place_of(path)
    ledger.ensure(path)
    fill(place.spool, SCHEMA, _SEED)
    ledger.fold(path)
    # The rest by copying what a fold has made, other ids and times given: folding all of it would say nothing more.
    with writable(place) as connection:
        for copy in range(1, folded // _SEED):
            connection.execute(
                "INSERT INTO call BY NAME SELECT * REPLACE (uuidv7() AS call_uid, "
                f"started_at - INTERVAL {copy} HOUR AS started_at, start_ns - {copy * 3600 * 10**9} AS start_ns) "
                f"FROM (FROM call LIMIT {_SEED})"
            )
    fill(place.spool, SCHEMA, unfolded)
    taken: list[float] = []
    # Kept open by another connection first: nothing of the ten thousand may be folded.
    from edgequake_obs.ledger.connection import open_as_it_is

    with open_as_it_is(place) as connection:
        query = spend_query(connection, ["response_model"], Bounds(None, None, None, "UTC"))
        for _ in range(_TIMES):
            begun = time.perf_counter()
            rows = connection.execute(query).fetchall()
            taken.append(time.perf_counter() - begun)
    assert sum(row[1] for row in rows) == folded + unfolded, rows
    figures = {"least_s": min(taken), "median_s": sorted(taken)[_TIMES // 2], "file_mb": os.path.getsize(path) / 1e6}
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
