"""What `import edgequake_obs` costs, in a fresh interpreter.

python -m benchmarks.importing      prints JSON: milliseconds, megabytes, and what it did that an import must not do
"""

from __future__ import annotations

import json
import subprocess
import sys

PROBE = """
import json, os, sys, time

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024

touched = []
sys.addaudithook(lambda event, _: touched.append(event) if event.startswith("socket.") else None)
known, memory, started = set(sys.modules), resident(), time.perf_counter()
import edgequake_obs
taken = time.perf_counter() - started
added = resident() - memory
heavy = [name for name in ("asyncio", "duckdb", "wrapt", "openai", "litellm", "opentelemetry", "pydantic")
         if name in sys.modules and name not in known]
sockets = [fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")
           and os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")]
print(json.dumps({"ms": taken * 1e3, "mb": added, "modules": heavy, "network": touched + sockets,
                  "threads": len(os.listdir("/proc/self/task")) - 1}))
"""


def once() -> dict[str, object]:
    """One fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", PROBE], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    print(json.dumps(once()))
