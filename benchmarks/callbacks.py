"""What a registered callback adds to the caller's thread.

python -m benchmarks.callbacks      prints JSON, µs of CPU a call: the median call without, with, and what that adds;
                                    and what the mean call of a batch takes more, which holds what the two threads
                                    wait for each other too
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

        def batch() -> tuple[float, float]:
            taken: list[float] = []
            for _ in range(CALLS):
                began = time.thread_time()
                edgequake_obs.completion("gpt-4o-mini", MESSAGES, api_base=base, api_key="k")
                taken.append((time.thread_time() - began) * 1e6)
            edgequake_obs.flush(30)
            return statistics.median(taken), statistics.fmean(taken)

        pairs: list[tuple[tuple[float, float], tuple[float, float]]] = []
        for round_ in range(ROUNDS + 1):
            pair = [(0.0, 0.0), (0.0, 0.0)]
            for registered in (round_ % 2, 1 - round_ % 2):
                edgequake_obs.success_callback = [lambda *_: None] if registered else []
                pair[registered] = batch()
            if round_:  # the first one warms up
                pairs.append((pair[0], pair[1]))
        server.kill()
    figures = {
        "without": statistics.median(without for (without, _), _ in pairs),
        "with": statistics.median(with_ for _, (with_, _) in pairs),
        "adds": statistics.median(with_ - without for (without, _), (with_, _) in pairs),
        "adds_to_the_mean": statistics.median(with_ - without for (_, without), (_, with_) in pairs),
    }
    print(json.dumps({name: round(figure, 1) for name, figure in figures.items()}))


if __name__ == "__main__":
    main()
