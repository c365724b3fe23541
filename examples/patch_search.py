"""Record each call of a function that is no model at all, with its price: a search API at half a cent a query."""

from __future__ import annotations

import edgequake_obs


def search(query: str) -> list[str]:
    """Stands for somebody's library."""
    return [f"a page about {query}"]


edgequake_obs.patch(search, provider="my-search", operation="search", cost_usd="0.005")

with edgequake_obs.context(tags={"feature": "research"}) as run:
    search("Rust")
    search("DuckDB")

print(run.calls, "searches for", run.cost_usd, "USD")
