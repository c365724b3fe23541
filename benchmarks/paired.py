"""What `instrument("openai")` adds to a call and to a chunk: paired call by call inside the real package.

    python -m benchmarks.paired PORT CHUNKS CALLS STREAMS

The process holds the openai package twice, one copy patched and one not, and asks them in turn, so that each pair of
measurements shares caches, clock speed and the server's mood; a hot loop over one of them would flatter it.
Prints JSON: microseconds added per call and per chunk, by the clock and of CPU (medians of the pairs).
"""

from __future__ import annotations

import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import edgequake_obs
from benchmarks.adapters import CONTENT, MESSAGES, MODEL


class Copy:
    """The openai package, imported once more beside the copies that are there."""

    def __init__(self, port: int) -> None:
        for name in _loaded():
            del sys.modules[name]
        package = importlib.import_module("openai")
        base = f"http://127.0.0.1:{port}/v1"
        self._create = package.OpenAI(base_url=base, api_key="sk-x", max_retries=0).chat.completions.create
        self._modules = _loaded()

    def take_the_stage(self) -> Callable[..., Any]:
        """Make this the copy that imports inside functions find; its `create`."""
        # What was imported at first use belongs to the copy that was there then.
        sys.modules.update(self._modules)
        return self._create

    def leave_the_stage(self) -> None:
        """Take back what this copy has imported meanwhile."""
        self._modules = _loaded()
        for name in self._modules:
            del sys.modules[name]


def _loaded() -> dict[str, Any]:
    return {name: module for name, module in sys.modules.items() if name == "openai" or name.startswith("openai.")}


class Taken(NamedTuple):
    """Seconds: by the clock, and of this thread's CPU (which the neighbours on the machine disturb less)."""

    wall: float
    cpu: float


NOTHING = Taken(0, 0)


def call(create: Callable[..., Any]) -> Taken:
    wall, cpu = time.perf_counter(), time.thread_time()
    answer = create(model=MODEL, messages=MESSAGES)
    taken = Taken(time.perf_counter() - wall, time.thread_time() - cpu)
    assert answer.choices[0].message.content == CONTENT
    return taken


def stream(create: Callable[..., Any]) -> Taken:
    wall, cpu = time.perf_counter(), time.thread_time()
    # Asked for by the caller, so that both copies hand on the same chunks.
    for chunk in create(model=MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True}):
        if chunk.choices:
            _ = chunk.choices[0].delta.content
    return Taken(time.perf_counter() - wall, time.thread_time() - cpu)


def on_stage(copy: Copy, measure: Callable[[Callable[..., Any]], Taken]) -> Taken:
    """Measure one copy, while the other is out of its sight."""
    create = copy.take_the_stage()
    try:
        return measure(create)
    finally:
        copy.leave_the_stage()


def added(measure: Callable[[Callable[..., Any]], Taken], plain: Copy, patched: Copy, times: int) -> list[Taken]:
    """The differences of so many pairs; which copy goes first alternates."""
    for _ in range(warm_up(times)):
        on_stage(plain, measure)
        on_stage(patched, measure)
    differences: list[Taken] = []
    for number in range(times):
        if number % 2:
            without, with_ = on_stage(plain, measure), on_stage(patched, measure)
        else:
            with_, without = on_stage(patched, measure), on_stage(plain, measure)
        differences.append(Taken(with_.wall - without.wall, with_.cpu - without.cpu))
    return differences


def records() -> int:
    """How many calls this process has recorded."""
    return int(str(edgequake_obs.stats()["recorded"]))


def warm_up(times: int) -> int:
    return max(3, times // 10)


def summary(differences: list[Taken], calls_own: Taken = NOTHING, share: int = 1) -> dict[str, float]:
    """Medians in microseconds per call, or per chunk: what is left of a stream's without the call's own."""
    wall = [(taken.wall - calls_own.wall) / share * 1e6 for taken in differences]
    cpu = [(taken.cpu - calls_own.cpu) / share * 1e6 for taken in differences]
    low, middle, high = statistics.quantiles(cpu, n=4)
    return {"wall_us": statistics.median(wall), "cpu_us": middle, "cpu_low_us": low, "cpu_high_us": high}


def main(port: int, chunks: int, calls: int, streams: int) -> None:
    plain = Copy(port)
    on_stage(plain, call)
    edgequake_obs.instrument("openai")
    patched = Copy(port)
    patched.leave_the_stage()
    recorded = records()
    per_call = added(call, plain, patched, calls)
    per_stream = added(stream, plain, patched, streams)
    edgequake_obs.flush(10)
    # One record for each call through the patched copy, none for the other: else something else was measured.
    expected = calls + streams + warm_up(calls) + warm_up(streams)
    assert records() - recorded == expected
    own = Taken(*(statistics.median(values) for values in zip(*per_call, strict=True)))
    print(json.dumps({"call": summary(per_call), "chunk": summary(per_stream, own, chunks)}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]))
