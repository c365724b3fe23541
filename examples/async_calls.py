"""Many calls at once, and what they cost together.

OPENAI_API_KEY=... python examples/async_calls.py
"""

import asyncio

import edgequake_obs

COUNTRIES = ["Mexico", "France", "Japan"]


async def capital(country: str) -> str:
    question = f"What is the capital of {country}? One word."
    answer = await edgequake_obs.acompletion("gpt-4o-mini", [{"role": "user", "content": question}])
    return answer.choices[0].message.content or ""


async def main() -> None:
    async with edgequake_obs.context(tags={"feature": "capitals"}) as run:
        for country, said in zip(COUNTRIES, await asyncio.gather(*map(capital, COUNTRIES)), strict=True):
            print(f"{country}: {said}")
        print(f"{run.calls} calls, {run.input_tokens + run.output_tokens} tokens, {run.cost_usd} USD")


asyncio.run(main())
