"""One way in a process of its own: the same work with and without it, in turn, on command.

    python -m benchmarks.spans.worker WAY PORT      commands on stdin, `SCENARIO TIMES` a line; figures as JSON

Figures are microseconds of CPU a call, of the caller's thread (the median) and of the whole process (the mean), `on`
and `off`. The clock of a busy machine says too little about microseconds.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import time
from typing import Any

from benchmarks.spans.ways import OWN, PEERS, Switch
from benchmarks.worker import cpu, figures_only, obey

WARM_UP = {"call": 5, "stream": 1}


class Worker:
    """Measures a way; which of the two sides goes first alternates."""

    def __init__(self, adapter: str, switch: Switch, port: int) -> None:
        self._adapter, self._switch, self._port = (
            importlib.import_module(f"benchmarks.adapters.{adapter}"),
            switch,
            port,
        )
        self._on_first = False

    def measure(self, scenario: str, times: int) -> dict[str, dict[str, float]]:
        self._on_first = not self._on_first
        sides = ("on", "off") if self._on_first else ("off", "on")
        figures = {side: self._side(scenario, times, side == "on") for side in sides}
        self._switch(False)
        return figures

    def _side(self, scenario: str, times: int, turned_on: bool) -> dict[str, float]:
        self._switch(turned_on)
        # Made anew: some instrumentors work on clients that are made after them.
        adapter: Any = self._adapter.Adapter(self._port)
        once = getattr(adapter, scenario)
        for _ in range(WARM_UP[scenario]):
            once()
        adapter.settle()
        whole, taken = cpu(), [0.0] * times
        for number in range(times):
            started = time.thread_time()
            once()
            taken[number] = time.thread_time() - started
        adapter.settle()
        return {
            "thread_us": statistics.median(taken) * 1e6,
            "process_us": (cpu() - whole) / times * 1e6,
        }


def main() -> None:
    figures = figures_only()
    name, port = sys.argv[1], int(sys.argv[2])
    way = {**OWN, **PEERS}[name]
    worker = Worker(*way(f"http://127.0.0.1:{port}"), port)
    obey(worker.measure, figures)


if __name__ == "__main__":
    main()
