"""ending.py HOW: three calls, and the end of the program; prints when its end began, by the machine's clock."""

import os
import signal
import sys
import time
from types import FrameType

import edgequake_obs

how = sys.argv[1]
USAGE = {"prompt_tokens": 3, "completion_tokens": 4}


def call() -> None:
    edgequake_obs.record(provider="openai", model="gpt-4o-mini", usage=USAGE)


def leave(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


call()
call()
call()
print(time.monotonic(), flush=True)
if how == "exit":
    sys.exit(0)
elif how == "exception":
    raise KeyError("mine")
elif how == "sigterm":
    signal.signal(signal.SIGTERM, leave)
    os.kill(os.getpid(), signal.SIGTERM)
elif how == "_exit":
    edgequake_obs.flush()
    os._exit(0)
