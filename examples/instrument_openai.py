"""A program that uses the openai package is recorded without a change to it.

pip install openai
OPENAI_API_KEY=... python examples/instrument_openai.py
"""

import edgequake_obs

edgequake_obs.instrument()  # or: import edgequake_obs.auto

# From here on the program as it was.
from openai import OpenAI  # noqa: E402 - it may as well be imported before

with edgequake_obs.context(user="ada") as run, OpenAI() as client:
    answer = client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "What is the capital of Mexico?"}]
    )
    print(answer.choices[0].message.content)
    print(f"{run.calls} call, {run.cost_usd} USD")
