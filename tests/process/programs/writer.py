"""writer.py SERVER LOG SECONDS: makes calls in four threads, and writes each down once it has returned.

Beside each it writes how many records were in the spool by then. SECONDS 0: until killed.
"""

import os
import sys
import threading
import time
from typing import Any

import edgequake_obs

server, log, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
plain = f"{server}/x/openai-chat-test-dbos-agent-run-0-d00b1095/v1"
stream = f"{server}/x/openai-chat-test-openai-simple-request-0-d4e160cb/v1"
asked: Any = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "api_key": "sk-none"}
deadline = time.monotonic() + seconds if seconds else float("inf")
written_down = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def work(thread: int) -> None:
    number = 0
    while time.monotonic() < deadline:
        name = f"{os.getpid()}-{thread}-{number}"
        with edgequake_obs.context(tags={"call": name}):
            if number % 4 == 3:
                for _ in edgequake_obs.completion(**asked, api_base=stream, stream=True):
                    pass
            else:
                edgequake_obs.completion(**asked, api_base=plain)
        os.write(written_down, f"{name} {edgequake_obs.stats()['written']}\n".encode())
        number += 1
        time.sleep(0.001)


threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
