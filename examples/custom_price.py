"""What a contract says a model costs, in place of the list price.

OPENAI_API_KEY=... python examples/custom_price.py
"""

import edgequake_obs

# For every call of the process, under the name that answers carry; EDGEQUAKE_OBS_PRICES names such a file of JSON.
contract = {"input_cost_per_token": "0.000001", "output_cost_per_token": "0.000002"}
edgequake_obs.configure(prices={"prices": {"openai/gpt-4o-2024-08-06": contract}})
question = [{"role": "user", "content": "What is the capital of Mexico?"}]

answer = edgequake_obs.completion("gpt-4o-mini", question)
print(f"by the contract: {answer._hidden_params['response_cost']} USD")

# For one call alone.
answer = edgequake_obs.completion("gpt-4o-mini", question, input_cost_per_token=0, output_cost_per_token=1e-6)
print(f"by the call: {answer._hidden_params['response_cost']} USD")
