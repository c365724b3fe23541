"""One adapter in a process of its own, which measures on command and lies still meanwhile.

    python -m benchmarks.worker ADAPTER PORT      commands on stdin, `SCENARIO TIMES` a line; figures in JSON on stdout

Times are microseconds per call or stream; CPU is user and system time of the whole process, its threads included.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

IN_FLIGHT = 64
LEAST_CHUNKS = 200

Figures = dict[str, float]


def cpu() -> float:
    """CPU seconds that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Worker:
    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter
        self._loop = asyncio.new_event_loop()

    def measure(self, scenario: str, times: int) -> Figures:
        """Run a scenario; CPU includes what the client put off for later, such as writing its records."""
        self._adapter.settle()
        before = cpu()
        figures: Figures = getattr(self, scenario)(times)
        self._adapter.settle()
        figures["cpu_us"] = (cpu() - before) / times * 1e6
        return figures

    def close(self) -> None:
        """End the loop with what clients left in it."""
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def call(self, times: int) -> Figures:
        taken: list[float] = []
        for _ in range(times):
            started = time.perf_counter()
            self._adapter.call()
            taken.append(time.perf_counter() - started)
        return {"wall_us": statistics.median(taken) * 1e6}

    def in_flight(self, times: int) -> Figures:
        async def one_after_another(calls: int) -> None:
            for _ in range(calls):
                await self._adapter.acall()

        async def all_at_once() -> None:
            await asyncio.gather(*(one_after_another(times // IN_FLIGHT) for _ in range(IN_FLIGHT)))

        assert times % IN_FLIGHT == 0
        started = time.perf_counter()
        self._loop.run_until_complete(all_at_once())
        return {"wall_us": (time.perf_counter() - started) / times * 1e6}

    def stream(self, times: int) -> Figures:
        return self._streams(times, self._adapter.stream)

    def astream(self, times: int) -> Figures:
        async def one() -> tuple[float, tuple[float, int]]:
            started = time.perf_counter()
            return started, await self._adapter.astream()

        async def many() -> list[tuple[float, float, int, float]]:
            # One loop for all: what is measured is a stream, not the start of an event loop.
            taken: list[tuple[float, float, int, float]] = []
            for _ in range(times):
                started, (first, chunks) = await one()
                taken.append((started, first, chunks, time.perf_counter()))
            return taken

        return self._summary(self._loop.run_until_complete(many()))

    def _streams(self, times: int, stream: Callable[[], tuple[float, int]]) -> Figures:
        taken: list[tuple[float, float, int, float]] = []
        for _ in range(times):
            started = time.perf_counter()
            first, chunks = stream()
            taken.append((started, first, chunks, time.perf_counter()))
        return self._summary(taken)

    def _summary(self, taken: list[tuple[float, float, int, float]]) -> Figures:
        assert min(chunks for _, _, chunks, _ in taken) >= LEAST_CHUNKS
        return {
            "first_us": statistics.median(first - started for started, first, _, _ in taken) * 1e6,
            "wall_us": statistics.median(ended - started for started, _, _, ended in taken) * 1e6,
        }


def figures_only() -> TextIO:
    """Standard output, kept for the figures: whatever else is printed goes to standard error."""
    figures = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return figures


def obey(measure: Callable[[str, int], object], figures: TextIO) -> None:
    """Measure what each line of standard input asks for, `SCENARIO TIMES`, until it ends."""
    print("ready", file=figures, flush=True)
    for line in sys.stdin:
        scenario, times = line.split()
        print(json.dumps(measure(scenario, int(times))), file=figures, flush=True)


def main() -> None:
    figures = figures_only()
    adapter = importlib.import_module(f"benchmarks.adapters.{sys.argv[1]}").Adapter(int(sys.argv[2]))
    worker = Worker(adapter)
    obey(worker.measure, figures)
    worker.close()


if __name__ == "__main__":
    main()
