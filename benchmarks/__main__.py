"""Measures our package beside its peers, in one run and in turn: `python -m benchmarks`.

Prints the figures against the targets, and writes them to results.md beside this file.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import importing, report
from benchmarks.process import HERE, Client, serving

CHUNKS = 200
# Scenario: calls per round of a fast client, of a slow one.
TIMES = {"call": (300, 60), "in_flight": (1280, 128), "stream": (40, 10), "astream": (40, 10)}
SLOW = {"openai", "litellm"}
WITHOUT_ASYNC = {"baseline"}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds (15)")
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="the interpreter that has the peers")
    parser.add_argument("--without", action="append", default=[], choices=sorted(SLOW), help="leave a peer out")
    parser.add_argument("--results", type=Path, default=HERE / "results.md", help="where the figures are written")
    return parser.parse_args()


def versions(python: str, names: list[str]) -> list[str]:
    """Which peers there are, with their versions."""
    script = f"import importlib.metadata as m; print(*(f'{{n}} {{m.version(n)}}' for n in {names!r}), sep='\\n')"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def play_rounds(clients: list[Client], rounds: int) -> report.Rounds:
    """Every client, every scenario, in turn; the first round only warms up."""
    played: report.Rounds = {scenario: {} for scenario in TIMES}
    for number in range(rounds + 1):
        for scenario, (fast, slow) in TIMES.items():
            # Another order each round: nobody always measures in the wake of the same neighbour.
            turn = number % len(clients)
            for client in clients[turn:] + clients[:turn]:
                if client.name in WITHOUT_ASYNC and scenario in ("in_flight", "astream"):
                    continue
                figures = client.measure(scenario, slow if client.name in SLOW else fast)
                if number:
                    played[scenario].setdefault(client.name, []).append(figures)
        print(f"\rround {number} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    # In a fixed order, whoever happened to be first.
    order = [client.name for client in clients]
    return {scenario: {name: by[name] for name in order if name in by} for scenario, by in played.items()}


def main() -> int:
    chosen = options()
    peers = [name for name in ("openai", "litellm") if name not in chosen.without]
    found = versions(chosen.peers, peers)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger.duckdb"
        with serving(sys.executable, CHUNKS) as port:
            pythons = {"baseline": sys.executable, "own": sys.executable, **dict.fromkeys(peers, chosen.peers)}
            clients = [Client(name, python, port, ledger) for name, python in pythons.items()]
            rounds = play_rounds(clients, chosen.rounds)
            for client in clients:
                client.stop()
        lines = report.lines_of(rounds)
        lines += report.lines_of_import([importing.once() for _ in range(max(3, chosen.rounds))])
    print(report.table(lines))
    chosen.results.write_text(report.markdown(lines, chosen.rounds, found), encoding="utf-8")
    print(f"{time.monotonic() - started:.0f} s; {os.path.relpath(chosen.results)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
