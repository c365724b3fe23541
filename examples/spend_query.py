"""What was spent, by anything that is recorded: from Python, and in SQL.

OPENAI_API_KEY=... python examples/spend_query.py
"""

import edgequake_obs
from edgequake_obs import ledger

for feature in ("search", "chat", "chat"):
    with edgequake_obs.context(tags={"feature": feature}):
        edgequake_obs.completion("gpt-4o-mini", [{"role": "user", "content": "Say hello."}])

# A DuckDB relation: print it, fetch it, or go on with it in SQL, pandas or polars.
print(ledger.spend(by=("tags.feature", "response_model"), since="24h"))

connection = ledger.connect()  # read-only, with everything recorded up to now
slowest = "SELECT response_model, duration_ns / 1e6 AS ms, cost_usd FROM calls ORDER BY duration_ns DESC LIMIT 1"
print(connection.execute(slowest).fetchone())
connection.close()
