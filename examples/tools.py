"""A tool of the program's, which the model asks for, and whose result it gets.

OPENAI_API_KEY=... python examples/tools.py
"""

import json

import edgequake_obs

CITIES = {"CDMX": "Mexico City", "GDL": "Guadalajara"}

lookup = {
    "type": "function",
    "function": {
        "name": "city_of_code",
        "description": "The name of the city with this code.",
        "parameters": {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]},
    },
}
messages = [{"role": "user", "content": "What is the capital of Mexico? Look its code up."}]

answer = edgequake_obs.completion("gpt-4o-mini", messages, tools=[lookup])
while answer.tool_calls:
    messages.append(answer.choices[0].message)
    for call in answer.tool_calls:
        code = json.loads(call.function.arguments)["code"]
        messages.append({"role": "tool", "tool_call_id": call.id, "content": CITIES.get(code, "no such city")})
    answer = edgequake_obs.completion("gpt-4o-mini", messages, tools=[lookup])

print(answer.content)
