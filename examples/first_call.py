"""A call, its cost, and the record of it.

OPENAI_API_KEY=... python examples/first_call.py

`import edgequake_obs as litellm` in a program that uses litellm is all there is to it.
"""

import edgequake_obs

answer = edgequake_obs.completion("gpt-4o-mini", [{"role": "user", "content": "What is the capital of Mexico?"}])

print(answer.choices[0].message.content)
print(f"{answer.usage.prompt_tokens} tokens in, {answer.usage.completion_tokens} out")
print(f"{answer._hidden_params['response_cost']} USD")
print("recorded: see `edgequake-obs calls` and `edgequake-obs spend`")
