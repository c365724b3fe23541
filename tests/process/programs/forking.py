"""forking.py SERVER CLIENT SITUATION EXIT: forks in a given situation; parent and child both make calls.

CLIENT own | patched;  SITUATION before | after | in-flight;  EXIT exit | _exit: how the child ends.
"""

import os
import sys
import threading
from typing import Any

import edgequake_obs

server, client, situation, ending = sys.argv[1:5]
MESSAGES: Any = [{"role": "user", "content": "Hello"}]
PLAIN = "openai-chat-test-dbos-agent-run-0-d00b1095"

if client == "patched":
    import openai

    edgequake_obs.instrument("openai")
    shared = openai.OpenAI(base_url=f"{server}/x/{PLAIN}/v1", api_key="sk-none", max_retries=0)


def call(name: str, option: str = "") -> None:
    base = f"{server}/x/{PLAIN}{option}/v1"
    with edgequake_obs.context(tags={"call": name}):
        if client == "own":
            edgequake_obs.completion(model="openai/gpt-4o", messages=MESSAGES, api_base=base, api_key="sk-none")
        else:
            # What is forked along is the parent's connection; a child that calls takes a client of its own.
            mine = shared if name.startswith("parent") and not option else openai.OpenAI(
                base_url=base, api_key="sk-none", max_retries=0
            )  # fmt: skip
            mine.chat.completions.create(model="gpt-4o", messages=MESSAGES)


threads: list[threading.Thread] = []
if situation != "before":
    call("parent-first")
if situation == "in-flight":
    threads = [threading.Thread(target=call, args=(f"parent-flying-{n}", "/wait-ms=700")) for n in range(3)]
    for thread in threads:
        thread.start()
    sys.stdout.write("flying\n")
    sys.stdout.flush()
    sys.stdin.readline()  # until the server has the requests

children = []
for n in range(3):
    child = os.fork()
    if child == 0:
        for k in range(3):
            call(f"child-{n}-{k}")
        if ending == "_exit":
            if not edgequake_obs.flush(5):
                os._exit(3)
            os._exit(0)
        sys.exit(0)
    children.append(child)

for k in range(3):
    call(f"parent-{k}")
statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
for thread in threads:
    thread.join()
if any(statuses):
    sys.exit(f"children ended with {statuses}")
