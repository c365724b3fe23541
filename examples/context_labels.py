"""Whom calls are made for and what they belong to, from the outside in.

OPENAI_API_KEY=... python examples/context_labels.py
"""

import edgequake_obs


@edgequake_obs.context(tags={"step": "summary"})
def summarise(text: str) -> str:
    answer = edgequake_obs.completion("gpt-4o-mini", [{"role": "user", "content": f"Summarise: {text}"}])
    return answer.choices[0].message.content or ""


with edgequake_obs.context(user="ada", session="s-1", tags={"feature": "reports"}) as report:
    print(summarise("It rained."))
    with edgequake_obs.context(tags={"step": "translation"}) as translation:  # inner labels win, outer ones stay
        answer = edgequake_obs.completion("gpt-4o-mini", [{"role": "user", "content": "Translate to French: rain"}])
        print(answer.choices[0].message.content)

print(f"the report: {report.calls} calls, {report.cost_usd} USD; of it the translation: {translation.cost_usd} USD")
