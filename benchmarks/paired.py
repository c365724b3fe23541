"""What `instrument("openai")` adds to a call and to a chunk: paired call by call inside the real package.

    python -m benchmarks.paired PORT CHUNKS CALLS STREAMS

The process holds the openai package twice, one copy patched and one not, and asks them in turn, so that each pair of
measurements shares caches, clock speed and the server's mood; a hot loop over one of them would flatter it.
Prints JSON: microseconds added per call and per chunk (median of the pairs), with the spread between quartiles.
"""

from __future__ import annotations

import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import edgequake_obs
from benchmarks.adapters import CONTENT, MESSAGES, MODEL


def fresh_openai() -> Any:
    """The openai package, imported once more beside the copies that are there."""
    for name in [name for name in sys.modules if name == "openai" or name.startswith("openai.")]:
        del sys.modules[name]
    return importlib.import_module("openai")


def creator(package: Any, port: int) -> Callable[..., Any]:
    base = f"http://127.0.0.1:{port}/v1"
    return package.OpenAI(base_url=base, api_key="sk-x", max_retries=0).chat.completions.create


def call(create: Callable[..., Any]) -> float:
    started = time.perf_counter()
    answer = create(model=MODEL, messages=MESSAGES)
    taken = time.perf_counter() - started
    assert answer.choices[0].message.content == CONTENT
    return taken


def stream(create: Callable[..., Any]) -> float:
    started = time.perf_counter()
    # Asked for by the caller, so that both copies hand on the same chunks.
    for chunk in create(model=MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True}):
        if chunk.choices:
            _ = chunk.choices[0].delta.content
    return time.perf_counter() - started


def added(measure: Callable[[Callable[..., Any]], float], plain: Any, patched: Any, times: int) -> list[float]:
    """Differences of `times` pairs, in microseconds; which copy goes first alternates."""
    for _ in range(max(3, times // 10)):
        measure(plain)
        measure(patched)
    differences: list[float] = []
    for number in range(times):
        if number % 2:
            without, with_ = measure(plain), measure(patched)
        else:
            with_, without = measure(patched), measure(plain)
        differences.append((with_ - without) * 1e6)
    return differences


def summary(differences: list[float], share: int = 1) -> dict[str, float]:
    low, middle, high = statistics.quantiles(differences, n=4)
    return {"median_us": middle / share, "low_us": low / share, "high_us": high / share}


def main(port: int, chunks: int, calls: int, streams: int) -> None:
    plain = creator(fresh_openai(), port)
    call(plain)  # whatever the package imports only when it is used, it takes from this copy
    edgequake_obs.instrument("openai")
    patched = creator(fresh_openai(), port)
    recorded = edgequake_obs.stats()["recorded"]
    per_call = added(call, plain, patched, calls)
    per_stream = added(stream, plain, patched, streams)
    edgequake_obs.flush(10)
    # One record for each call through the patched copy, none for the other: else something else was measured.
    warm_up = max(3, calls // 10) + max(3, streams // 10)
    assert edgequake_obs.stats()["recorded"] - recorded == calls + streams + warm_up
    per_chunk = [difference - statistics.median(per_call) for difference in per_stream]
    print(json.dumps({"call": summary(per_call), "chunk": summary(per_chunk, chunks)}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]))
