"""What `instrument("openai")` adds to a call and to a chunk: paired call by call inside the real package.

    python -m benchmarks.paired PORT CHUNKS CALLS STREAMS

The hooks replace the code of the SDK's functions in place. Between two calls that code is swapped, so that each pair of
measurements shares everything else: objects, connection, caches, clock speed and the server's mood. A hot loop over
the hooks alone would flatter them. Of the pairs' differences the medians count; those of the thread's CPU time are the
figure, since the clock also measures who else wants the core.
Prints JSON: microseconds added per call and per chunk, by the clock and of CPU.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import openai

import edgequake_obs
from benchmarks.adapters import CONTENT, MESSAGES, MODEL
from edgequake_obs import patches
from edgequake_obs.patches.hooks import InPlace


class Taken(NamedTuple):
    """Seconds: by the clock, and of this thread's CPU."""

    wall: float
    cpu: float


NOTHING = Taken(0, 0)
Create = Callable[..., Any]


class Patch:
    """The hooks of the openai package, put in and taken out by a few assignments."""

    def __init__(self) -> None:
        edgequake_obs.instrument("openai")
        self._hooks = [hook for _, hook in patches._patches["openai"]._hooks if isinstance(hook, InPlace)]
        assert self._hooks

    def measured(self, measure: Callable[[Create], Taken], create: Create, *, patched: bool) -> Taken:
        for hook in self._hooks:
            hook._function.__code__ = hook._replacement if patched else hook._found
        return measure(create)

    def added(self, measure: Callable[[Create], Taken], create: Create, times: int) -> list[Taken]:
        """The differences of so many pairs; which of the two goes first alternates."""
        differences: list[Taken] = []
        for number in range(times + warm_up(times)):
            first = number % 2 == 0
            one = self.measured(measure, create, patched=first)
            other = self.measured(measure, create, patched=not first)
            with_, without = (one, other) if first else (other, one)
            differences.append(Taken(with_.wall - without.wall, with_.cpu - without.cpu))
        return differences[warm_up(times) :]


def call(create: Create) -> Taken:
    wall, cpu = time.perf_counter(), time.thread_time()
    answer = create(model=MODEL, messages=MESSAGES)
    taken = Taken(time.perf_counter() - wall, time.thread_time() - cpu)
    assert answer.choices[0].message.content == CONTENT
    return taken


def stream(create: Create) -> Taken:
    wall, cpu = time.perf_counter(), time.thread_time()
    # Asked for by the caller, so that both ways hand on the same chunks.
    for chunk in create(model=MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True}):
        if chunk.choices:
            _ = chunk.choices[0].delta.content
    return Taken(time.perf_counter() - wall, time.thread_time() - cpu)


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
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="sk-x", max_retries=0)
    create = client.chat.completions.create
    patch = Patch()
    recorded = records()
    per_call = patch.added(call, create, calls)
    per_stream = patch.added(stream, create, streams)
    edgequake_obs.flush(10)
    # One record for each patched call, none for the others: else something else was measured.
    assert records() - recorded == calls + streams + warm_up(calls) + warm_up(streams)
    own = Taken(*(statistics.median(values) for values in zip(*per_call, strict=True)))
    print(json.dumps({"call": summary(per_call), "chunk": summary(per_stream, own, chunks)}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]))
