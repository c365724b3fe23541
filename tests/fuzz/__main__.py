"""Fuzzes for a while, with other choices each time: `python -m tests.fuzz --seconds 600`; ends at the first finding."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from .runs import problems_of_calls, problems_of_lines

_CALLS = 2_000
_LINES = 3_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the first; then the next ones")
    chosen = parser.parse_args()
    seed, calls, lines = chosen.seed, 0, 0
    until = time.monotonic() + chosen.seconds
    while time.monotonic() < until:
        with tempfile.TemporaryDirectory() as folder:
            found = problems_of_calls(Path(folder), seed, _CALLS) or problems_of_lines(Path(folder), seed, _LINES)
        if found:
            print(f"seed {seed}:", *found[:20], sep="\n  ")
            print(f"{seed - chosen.seed} passed, 1 failed")
            return 1
        seed, calls, lines = seed + 1, calls + _CALLS, lines + _LINES
        print(f"seed {seed - 1}: nothing; {calls:,} answers and {lines:,} spool lines so far", flush=True)
    print(f"{seed - chosen.seed} passed, 0 failed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
