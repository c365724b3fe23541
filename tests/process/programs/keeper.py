"""keeper.py LEDGER SECONDS: opens the ledger once with DuckDB, keeps the connection, and looks again and again.

Prints `rows distinct-uids` for each look.
"""

import sys
import time

import duckdb

path, seconds = sys.argv[1], float(sys.argv[2])
deadline = time.monotonic() + seconds
connection = None
while connection is None:
    try:
        connection = duckdb.connect(path, read_only=True)
    except duckdb.IOException:
        time.sleep(0.02)  # it is being folded
while time.monotonic() < deadline:
    found = connection.execute("SELECT count(*), count(DISTINCT call_uid) FROM calls").fetchone()
    assert found is not None
    print(*found, flush=True)
    time.sleep(0.25)
