"""What an asynchronous call costs in memory while it waits for its answer: plain HTTP, records, context and ledger on.

python -m benchmarks.ledger.in_flight CALLS FOLDER      a figure in JSON; run in a process of its own
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from typing import Any

import edgequake_obs
from benchmarks.ledger.resident import resident
from edgequake_obs import ledger

EXCHANGE = "openai-chat-simple-0-2d7f3398"
_WAIT_MS = 20_000  # longer than it takes to ask all of them
_WARM = 64


def main(calls: int, folder: str) -> int:
    path = os.path.join(folder, "ledger.duckdb")
    ledger.ensure(path)  # else the first call does, for which DuckDB is imported once
    edgequake_obs.configure(ledger=path)
    command = [sys.executable, "-m", "edgequake_obs.demo.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        base = server.stdout.readline().strip()
        print(json.dumps(asyncio.run(_measure(base, calls))))
        server.stdin.close()
    return 0


async def _measure(base: str, calls: int) -> dict[str, float]:
    def ask(wait_ms: int) -> Any:
        return edgequake_obs.acompletion(
            model="openai/gpt-4o-mini",
            messages=[{"role": "user", "content": "Hello"}],
            api_base=f"{base}/x/{EXCHANGE}/wait-ms={wait_ms}/v1",
            api_key="sk-none",
            timeout=120,
            max_retries=0,
        )

    with edgequake_obs.context(user="ada", tags={"feature": "benchmark"}) as run:
        await asyncio.gather(*(ask(0) for _ in range(_WARM)))
        gc.collect()
        descriptors, before = len(os.listdir("/proc/self/fd")), resident()
        asked = [asyncio.ensure_future(ask(_WAIT_MS)) for _ in range(calls)]
        # Each has a connection of its own, and some wait from before.
        while len(os.listdir("/proc/self/fd")) < descriptors + calls - _WARM:
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        during = resident()
        assert not any(call.done() for call in asked), "some were answered before all were asked: ask fewer"
        await asyncio.gather(*asked)
    assert edgequake_obs.flush(30)
    assert run.calls == calls + _WARM
    return {"kb_per_call": (during - before) / calls / 1000, "calls": calls}


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2]))
