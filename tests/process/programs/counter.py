"""counter.py: prints how many calls `ledger.connect` shows, and how many ids."""

from edgequake_obs import ledger

connection = ledger.connect()
print(connection.execute("SELECT count(*), count(DISTINCT call_uid) FROM calls").fetchall()[0])
connection.close()
