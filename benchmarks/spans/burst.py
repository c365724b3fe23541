"""A hundred thousand calls in a row while nobody listens where the spans are to go.

    python -m benchmarks.spans.burst CALLS PORT MODE      MODE: off | native | python; prints figures as JSON

A call's latency is of the clock: what counts is whether some calls wait for others' spans. Memory is the process's.
"""

from __future__ import annotations

import json
import socket
import statistics
import sys
import time
from pathlib import Path

import edgequake_obs
from benchmarks.adapters.own import Adapter
from benchmarks.spans.ways import opentelemetry

WARM_UP = 500


def resident() -> float:
    """MiB of memory that the process holds."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kib) / 1024


def nobody() -> str:
    """A URL on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def main(calls: int, port: int, mode: str) -> None:
    if mode == "python":
        opentelemetry(nobody(), metrics=True)
    adapter = Adapter(port)
    edgequake_obs.configure(otel="off")
    for _ in range(WARM_UP):
        adapter.call()
    edgequake_obs.configure(otel=nobody() if mode == "native" else mode)
    before, taken = resident(), []
    for _ in range(calls):
        started = time.perf_counter()
        adapter.call()
        taken.append(time.perf_counter() - started)
    after = resident()
    stats = edgequake_obs.stats()
    centiles = statistics.quantiles(taken, n=1000)
    figures = {"median_us": centiles[499], "p99_us": centiles[989], "p999_us": centiles[998], "max_us": max(taken)}
    otlp = stats["otlp"]
    print(
        json.dumps(
            {name: value * 1e6 for name, value in figures.items()}
            | {"mib": after - before, "recorded": stats["recorded"], "otlp": otlp},
            default=str,
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
