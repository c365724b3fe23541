"""Who pays for a call, and what it is for: on the call itself, as litellm's programs say it.

OPENAI_API_KEY=... python examples/tags_and_users.py
"""

import edgequake_obs
from edgequake_obs import ledger

for user, feature in [("ada", "search"), ("ada", "chat"), ("grace", "chat")]:
    edgequake_obs.completion(
        "gpt-4o-mini",
        [{"role": "user", "content": "What is the capital of Mexico?"}],
        user=user,
        metadata={"tags": [f"feature:{feature}", "beta"]},
    )

for user, feature, calls in (
    ledger.spend(by=("user_id", "tags.feature")).order("ALL").project('"user_id", "tags.feature", "calls"').fetchall()
):
    print(f"{user} {feature}: {calls}")
