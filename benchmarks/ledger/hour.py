"""An hour of 200 calls a second: of simulated time for the ledger, and a real minute for the client.

python -m benchmarks.ledger.hour MINUTES SECONDS FOLDER      figures in JSON; run in a process of its own
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from typing import Any

import edgequake_obs
from benchmarks.ledger.in_flight import EXCHANGE
from benchmarks.ledger.lines import fill
from benchmarks.ledger.resident import resident
from edgequake_obs import ledger
from edgequake_obs.ledger.place import place_of
from edgequake_obs.ledger.schema import SCHEMA

RATE = 200  # calls a second
_MINUTE = 60 * RATE


def simulated(minutes: int, folder: str) -> dict[str, float]:
    """Every minute its calls come to the spool and somebody reads, which folds them."""
    path = os.path.join(folder, "simulated.duckdb")
    ledger.ensure(path)
    place = place_of(path)
    start = time.time_ns() - minutes * 60 * 10**9
    held: list[int] = []
    open_files: list[int] = []
    for minute in range(minutes):
        fill(place.spool, SCHEMA, _MINUTE, start + minute * 60 * 10**9)
        with ledger.connect(path) as connection:
            count = connection.execute("SELECT count(*), count(DISTINCT call_uid) FROM calls").fetchall()[0]
        assert count == (_MINUTE * (minute + 1),) * 2, count
        held.append(resident())
        open_files.append(len(os.listdir("/proc/self/fd")))
    return {
        "calls": minutes * _MINUTE,
        "mb_after_a_sixth": held[minutes // 6] / 1e6,
        "mb_at_the_end": held[-1] / 1e6,
        "most_descriptors": max(open_files),
        "descriptors_at_the_end": open_files[-1],
        "spool_files_left": len(os.listdir(place.spool)) - 1,
    }


async def real(seconds: int, base: str) -> dict[str, float]:
    """Calls at the rate, whatever becomes of those before."""

    async def one() -> None:
        await edgequake_obs.acompletion(
            model="openai/gpt-4o-mini",
            messages=[{"role": "user", "content": "Hello"}],
            api_base=f"{base}/x/{EXCHANGE}/v1",
            api_key="sk-none",
            max_retries=0,
            timeout=30,
        )

    held: list[int] = []
    open_files: list[int] = []
    running: set[asyncio.Task[None]] = set()
    begun = time.monotonic()
    for number in range(seconds * RATE):
        await asyncio.sleep(max(0, begun + number / RATE - time.monotonic()))
        running.add(task := asyncio.create_task(one()))
        task.add_done_callback(running.discard)
        if number % RATE == 0:
            held.append(resident())
            open_files.append(len(os.listdir("/proc/self/fd")))
    await asyncio.gather(*running)
    return {
        "calls": seconds * RATE,
        "seconds": time.monotonic() - begun,
        "mb_after_a_sixth": held[seconds // 6] / 1e6,
        "mb_at_the_end": held[-1] / 1e6,
        "descriptors_after_a_sixth": open_files[seconds // 6],
        "descriptors_at_the_end": open_files[-1],
    }


def main(minutes: int, seconds: int, folder: str) -> int:
    path = os.path.join(folder, "real.duckdb")
    ledger.ensure(path)
    edgequake_obs.configure(ledger=path)
    command = [sys.executable, "-m", "edgequake_obs.demo.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        minute: dict[str, Any] = asyncio.run(real(seconds, server.stdout.readline().strip()))
        server.stdin.close()
    assert edgequake_obs.flush(30)
    with ledger.connect(path) as connection:
        minute["rows"] = connection.execute("SELECT count(*) FROM calls").fetchall()[0][0]
    assert minute["rows"] == minute["calls"], minute
    print(json.dumps({"minute": minute, "hour": simulated(minutes, folder)}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
