"""What putting the hooks in costs, in a fresh interpreter that has imported the libraries: prints milliseconds."""

from __future__ import annotations

import subprocess

PROBE = """
import sys, time
import edgequake_obs
for library in sys.argv[1:]:
    __import__(library)
started = time.perf_counter()
edgequake_obs.instrument(*sys.argv[1:])
print((time.perf_counter() - started) * 1e3)
"""


def once(python: str, environment: dict[str, str], *libraries: str) -> float:
    """Milliseconds of `instrument` in one fresh interpreter."""
    command = [python, "-c", PROBE, *libraries]
    # As installed packages are imported: compiled.
    environment = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(done.stdout)


if __name__ == "__main__":
    import os
    import sys

    print(once(sys.executable, dict(os.environ), *sys.argv[1:]))
