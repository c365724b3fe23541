"""Calls, one after the other, until a line comes; then everything is sent, and how many they were is printed."""

import sys
import threading
import time

import edgequake_obs

USAGE = {"prompt_tokens": 3, "completion_tokens": 4}
enough = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), enough.set()), daemon=True).start()
print("begun", flush=True)
count = 0
while not enough.is_set():
    edgequake_obs.record(provider="openai", model="gpt-4o-mini", usage=USAGE)
    count += 1
    time.sleep(0.005)
edgequake_obs.flush(10)
print(count)
