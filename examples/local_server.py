"""A model server of one's own: vLLM, LM Studio, llama.cpp, anything with OpenAI's endpoints.

OPENAI_BASE_URL=http://localhost:8000/v1 python examples/local_server.py
"""

import os

import edgequake_obs

answer = edgequake_obs.completion(
    "hosted_vllm/my-model",
    [{"role": "user", "content": "What is the capital of Mexico?"}],
    api_base=os.environ["OPENAI_BASE_URL"],
    # What a token is worth on one's own machine, in USD; without it the call is recorded as unpriced.
    input_cost_per_token=0.000_000_1,
    output_cost_per_token=0.000_000_2,
)

print(answer.content)
print(f"{answer._hidden_params['response_cost']} USD")
