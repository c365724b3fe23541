"""reader.py LEDGER SECONDS: what a notebook or BI tool does, without anything of ours: opens the file with DuckDB.

Prints `rows distinct-uids` for each look, or `refused` where a folder has the file.
"""

import sys
import time
from pathlib import Path

import duckdb

path, seconds = Path(sys.argv[1]), float(sys.argv[2])
deadline = time.monotonic() + seconds
while time.monotonic() < deadline:
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException:
        print("refused" if path.exists() else "absent", flush=True)
    else:
        found = connection.execute("SELECT count(*), count(DISTINCT call_uid) FROM calls").fetchone()
        # A second look through the same connection: nobody can fold now, and the spool may only grow.
        again = connection.execute("SELECT count(*), count(DISTINCT call_uid) FROM calls").fetchone()
        connection.close()
        assert found is not None
        assert again is not None
        print(*found, *again, flush=True)
    time.sleep(0.05)
