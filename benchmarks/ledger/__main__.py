"""Measures the ledger at size against its targets: `python -m benchmarks.ledger`; about five minutes on two cores.

Prints a line for each figure; exits with 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Figure(NamedTuple):
    """What was measured, and its target: at most, or at least."""

    name: str
    value: float
    target: float
    at_most: bool = True

    def met(self) -> bool:
        return self.value <= self.target if self.at_most else self.value >= self.target

    def line(self) -> str:
        bound = "<=" if self.at_most else ">="
        return f"{'met   ' if self.met() else 'MISSED'}  {self.name}: {self.value:,.4g} ({bound} {self.target:,.4g})"


def measured(module: str, *arguments: object) -> dict[str, Any]:
    """The figures of a benchmark in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", f"benchmarks.ledger.{module}", *map(str, arguments), folder]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EDGEQUAKE_")}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    print(f"{module} {' '.join(map(str, arguments))}: {json.dumps(figures)}", flush=True)
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the sizes that the targets name (1)")
    share = parser.parse_args().share
    waiting = measured("in_flight", round(2000 * share))
    folding = measured("folding", round(1_000_000 * share))
    sums = measured("sums", round(10_000_000 * share), round(10_000 * share))
    hour = measured("hour", max(6, round(60 * share)), max(6, round(60 * share)))
    figures = [
        Figure("memory of a waiting call, kB", waiting["kb_per_call"], 35),
        Figure("fold, records/s", folding["records_per_s"], 100_000, at_most=False),
        Figure("fold, most memory, MB", folding["most_mb"], 600),
        Figure("spend by model, s", sums["median_s"], 0.3),
        Figure("memory that an hour adds, MB", hour["hour"]["mb_at_the_end"] - hour["hour"]["mb_after_a_sixth"], 30),
        Figure(
            "memory that a minute adds, MB", hour["minute"]["mb_at_the_end"] - hour["minute"]["mb_after_a_sixth"], 10
        ),
        Figure(
            "descriptors that a minute adds",
            hour["minute"]["descriptors_at_the_end"] - hour["minute"]["descriptors_after_a_sixth"],
            16,
        ),
    ]
    print(*(figure.line() for figure in figures), sep="\n")
    return not all(figure.met() for figure in figures)


if __name__ == "__main__":
    raise SystemExit(main())
