"""What recording adds to calls and chunks of the openai SDK and of litellm, beside other instrumentors, in one run.

`make bench-patches`. Prints the figures against the targets, and writes them to results.md beside this file.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.patches import importing
from benchmarks.patches.ways import OURS, WAYS
from benchmarks.process import Client, environment, serving
from benchmarks.report import Line, rows, table

HERE = Path(__file__).resolve().parent
CHUNKS = 500  # so many that a call's own cost does not drown theirs
# Scenario: pairs in a round of ours, and of the others, whose figures are larger.
PAIRS = {"call": (200, 50), "stream": (16, 3)}
TARGETS = {"openai": 15.0, "litellm": 40.0}
CHUNK_TARGET, IMPORT_TARGET = 0.5, 5.0

Taken = tuple[float, float]  # by the clock, of the thread's CPU
Rounds = dict[str, dict[str, list[Taken]]]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.patches", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="interleaved rounds (11)")
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="the interpreter that has the SDKs")
    parser.add_argument("--only", action="append", choices=sorted(WAYS), help="ways to measure (all)")
    parser.add_argument("--results", type=Path, default=HERE / "results.md", help="where the figures are written")
    return parser.parse_args()


def play_rounds(clients: list[Client], rounds: int) -> Rounds:
    """Every way, in turn; the first round only warms up."""
    played: Rounds = {scenario: {client.name: [] for client in clients} for scenario in PAIRS}
    for number in range(rounds + 1):
        turn = number % len(clients)
        for scenario, (of_ours, of_others) in PAIRS.items():
            for client in clients[turn:] + clients[:turn]:
                if scenario == "stream" and WAYS[client.name].library != "openai":
                    continue  # litellm itself takes half a second for one: nothing is to be seen beside that
                found: Any = client.measure(scenario, of_ours if client.name in OURS.values() else of_others)
                if number:
                    played[scenario][client.name] += [(wall, cpu) for wall, cpu in found]
        print(f"\rround {number} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return played


def median(differences: list[Taken], figure: int = 1) -> float:
    return statistics.median(one[figure] for one in differences)


def per_chunk(rounds: Rounds, name: str) -> float:
    """Of what is added to a stream, what is not added to every call."""
    return (median(rounds["stream"][name]) - median(rounds["call"][name])) / CHUNKS


def lines_of(rounds: Rounds, milliseconds: list[float]) -> list[Line]:
    lines: list[Line] = []
    for library, name in OURS.items():
        if name not in rounds["call"]:
            continue
        value, limit = median(rounds["call"][name]), TARGETS[library]
        best = best_peer(rounds, "call", library)
        beside = "" if best is None else f"best peer {best:.0f} µs ({best / max(value, 0.1):.0f} ×)"
        lines.append(
            Line(f"added to a call through {library}", f"≤ {limit:g} µs", value, f"{value:.1f} µs", limit, beside)
        )
    if OURS["openai"] in rounds["call"]:
        value = per_chunk(rounds, OURS["openai"])
        best = best_peer(rounds, "chunk", "openai")
        beside = "" if best is None else f"best peer {best:.1f} µs"
        target = f"≤ {CHUNK_TARGET:g} µs"
        lines.append(Line("added to a chunk of openai's", target, value, f"{value:.2f} µs", CHUNK_TARGET, beside))
    taken = statistics.median(milliseconds)
    target = f"≤ {IMPORT_TARGET:g} ms"
    lines.append(
        Line("putting the hooks of openai and litellm in", target, taken, f"{taken:.1f} ms", IMPORT_TARGET, "")
    )
    return lines


def best_peer(rounds: Rounds, what: str, library: str) -> float | None:
    """The least that another instrumentor of the library adds."""
    peers = [name for name in rounds["call"] if WAYS[name].library == library and name not in OURS.values()]
    figures = [per_chunk(rounds, name) if what == "chunk" else median(rounds["call"][name]) for name in peers]
    return min(figures, default=None)


def peers_table(rounds: Rounds) -> list[str]:
    """Every way's figures, and its multiple of ours with the same library."""
    lines = [
        "| | adds to a call, CPU | quartiles | by the clock | × ours | to a chunk |",
        "|---|---|---|---|---|---|",
    ]
    for name, differences in rounds["call"].items():
        low, middle, high = statistics.quantiles([cpu for _, cpu in differences], n=4)
        ours = rounds["call"].get(OURS[WAYS[name].library])
        times = "" if ours is None else f"{middle / max(median(ours), 0.1):.1f}"
        lines.append(
            f"| {name} | {middle:.1f} µs | {low:.1f} to {high:.1f} | {median(differences, 0):.1f} µs | {times} "
            f"| {f'{per_chunk(rounds, name):.2f} µs' if rounds['stream'][name] else ''} |"
        )
    return lines


def main() -> int:
    chosen = options()
    python = os.path.abspath(chosen.peers)
    with tempfile.TemporaryDirectory() as folder, serving(sys.executable, CHUNKS) as port:
        ledger = Path(folder) / "ledger.duckdb"
        names = chosen.only or list(WAYS)
        clients = [Client(name, python, port, ledger, "benchmarks.patches.worker") for name in names]
        rounds = play_rounds(clients, chosen.rounds)
        for client in clients:
            client.kill()  # what their exporters still want to send is of no interest
        surroundings = {**environment(ledger), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        milliseconds = [importing.once(python, surroundings, *OURS) for _ in range(max(3, chosen.rounds))]
    lines = lines_of(rounds, milliseconds)
    print(table(lines))
    text = [
        "# What the patches add",
        "",
        f"edgequake_obs {importlib.metadata.version('edgequake-obs')}, record, cost and ledger on. "
        f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} "
        f"cores. CPU time of the caller's thread, in pairs of calls with and without; medians of {chosen.rounds} "
        "interleaved rounds of one run of `python -m benchmarks.patches`.",
        "",
        "| | target | measured | | |",
        "|---|---|---|---|---|",
        *rows(lines),
        "",
        *peers_table(rounds),
        "",
    ]
    chosen.results.write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
