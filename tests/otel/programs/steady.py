"""steady.py [PAUSE]: calls, one after the other, until a line comes; then all is sent, and what came of it printed."""

import json
import sys
import threading
import time

import edgequake_obs

PAUSE = float(sys.argv[1]) if len(sys.argv) > 1 else 0.005
USAGE = {"prompt_tokens": 3, "completion_tokens": 4}
enough = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), enough.set()), daemon=True).start()
print("begun", flush=True)
count = 0
while not enough.is_set():
    edgequake_obs.record(provider="openai", model="gpt-4o-mini", usage=USAGE)
    count += 1
    time.sleep(PAUSE)
edgequake_obs.flush(10)
print(json.dumps({"calls": count, "otlp": edgequake_obs.stats()["otlp"]}))
