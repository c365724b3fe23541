"""Record calls that a program makes with plain HTTP, here to a local model server: one line after each answer."""

from __future__ import annotations

import json
import os
import time
import urllib.request

import edgequake_obs

URL = os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1") + "/chat/completions"
body = {"model": "my-model", "messages": [{"role": "user", "content": "Hello!"}]}
request = urllib.request.Request(URL, json.dumps(body).encode(), {"content-type": "application/json"})

began = time.perf_counter()
with urllib.request.urlopen(request) as response:
    answer = json.load(response)
uid = edgequake_obs.record(
    provider="hosted_vllm",
    model="my-model",
    usage=answer.get("usage"),
    response_id=answer.get("id"),
    duration=time.perf_counter() - began,
    cost_usd=0,  # our own machine
)
print("recorded", uid)
