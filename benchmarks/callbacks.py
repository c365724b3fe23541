"""What a registered callback adds to the caller's thread.

python -m benchmarks.callbacks      prints JSON: µs of CPU a call without, with, and the median difference of pairs
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

CALLS, ROUNDS = 300, 30
MESSAGES = [{"role": "user", "content": "What is the capital of Mexico?"}]


def main() -> None:
    os.environ["EDGEQUAKE_OBS_LEDGER"] = "off"
    import edgequake_obs

    command = [sys.executable, str(Path(__file__).with_name("server.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        base = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"

        def batch() -> float:
            began = time.thread_time()
            for _ in range(CALLS):
                edgequake_obs.completion("gpt-4o-mini", MESSAGES, api_base=base, api_key="k")
            taken = time.thread_time() - began
            edgequake_obs.flush(30)
            return taken / CALLS * 1e6

        pairs: list[tuple[float, float]] = []
        for round_ in range(ROUNDS + 1):
            pair = [0.0, 0.0]
            for registered in (round_ % 2, 1 - round_ % 2):
                edgequake_obs.success_callback = [lambda *_: None] if registered else []
                pair[registered] = batch()
            if round_:  # the first one warms up
                pairs.append((pair[0], pair[1]))
        server.kill()
    without, with_ = zip(*pairs, strict=True)
    adds = statistics.median(b - a for a, b in pairs)
    print(json.dumps({"without": statistics.median(without), "with": statistics.median(with_), "adds": adds}))


if __name__ == "__main__":
    main()
