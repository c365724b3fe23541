"""What spans and metrics cost the caller, beside other instrumentors, in turn and in one run: `make bench-spans`.

Prints the figures against the targets, and writes them to results.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.process import Client, environment, serving
from benchmarks.report import Line, rows, table
from benchmarks.spans.ways import OWN, PEERS

HERE = Path(__file__).resolve().parent
CHUNKS = 500
WORKER = "benchmarks.spans.worker"
NATIVE, PYTHON, BARE = (
    "own, native, with metrics",
    "own, program's OpenTelemetry",
    "own, a bare span of the SDK by hand",
)
# The target of 40 µs was set where the SDK takes 24 for a span of 25 attributes: elsewhere it is this multiple.
PYTHON_PER_BARE = 40 / 24

Rounds = dict[str, dict[str, list[Any]]]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spans", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds, two at least (7)")
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="the interpreter that has the peers")
    parser.add_argument("--burst", type=int, default=100_000, help="calls while the collector is down (100000)")
    parser.add_argument("--results", type=Path, default=HERE / "results.md", help="where the figures are written")
    chosen = parser.parse_args()
    if chosen.rounds < 2:
        parser.error("--rounds: quartiles need two at least")
    return chosen


def play_rounds(clients: list[Client], rounds: int) -> Rounds:
    """Every way with and without, in turn; the first round only warms up."""
    played: Rounds = {"call": {}, "stream": {}}
    for number in range(rounds + 1):
        turn = number % len(clients)
        for scenario, (of_ours, of_others) in {"call": (400, 40), "stream": (6, 1)}.items():
            for client in clients[turn:] + clients[:turn]:
                figures = client.measure(scenario, of_ours if client.name.startswith("own") else of_others)
                if number:
                    played[scenario].setdefault(client.name, []).append(figures)
        print(f"\rround {number} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return played


def added(rounds: Rounds, scenario: str, name: str, figure: str = "thread_us") -> list[float]:
    """What a way adds to one call, in each round."""
    return [float(one["on"][figure]) - float(one["off"][figure]) for one in rounds[scenario][name]]


def per_chunk(rounds: Rounds, name: str) -> float:
    """What a way adds to a chunk: of what it adds to a stream, less what it adds to a call."""
    whole = statistics.median(added(rounds, "stream", name))
    return (whole - statistics.median(added(rounds, "call", name))) / CHUNKS


def lines_of(rounds: Rounds) -> list[Line]:
    native, python = (statistics.median(added(rounds, "call", name)) for name in (NATIVE, PYTHON))
    bare = statistics.median(added(rounds, "call", BARE))
    chunk = per_chunk(rounds, NATIVE)
    return [
        Line("native span and metrics, a call", "≤ 5 µs", native, f"{native:.1f} µs", 5, ""),
        Line(
            "span in the program's OpenTelemetry, a call",
            f"≤ {PYTHON_PER_BARE:.2f} × the SDK's bare span (40 µs where that takes 24)",
            python / bare,
            f"{python / bare:.2f} ×",
            PYTHON_PER_BARE,
            f"{python:.0f} µs; a bare span of the SDK made by hand around the same call: {bare:.0f} µs",
        ),
        Line("native, a chunk", "a timestamp: ≤ 0.1 µs", chunk, f"{chunk:.2f} µs", 0.1, ""),
    ]


def peers_table(rounds: Rounds) -> list[str]:
    """Every way's figures, and its multiple of ours."""
    lines = [
        "| | adds to a call, caller's thread | quartiles | process | to a chunk | × native | × in the program's |",
        "|---|---|---|---|---|---|---|",
    ]
    native, python = (statistics.median(added(rounds, "call", name)) for name in (NATIVE, PYTHON))
    for name in rounds["call"]:
        on_thread = added(rounds, "call", name)
        low, middle, high = statistics.quantiles(on_thread, n=4)
        process = statistics.median(added(rounds, "call", name, "process_us"))
        # Next to nothing is no measure for anything.
        times = f"{middle / max(native, 1):.0f}"
        lines.append(
            f"| {name} | {middle:.1f} µs | {low:.1f} to {high:.1f} | {process:.1f} µs "
            f"| {per_chunk(rounds, name):.2f} µs | {times} | {middle / python:.1f} |"
        )
    return lines


def burst(calls: int, folder: Path) -> list[str]:
    """The table of a burst of calls with the collector down."""
    lines = ["| | median | 99 % | 99.9 % | longest | memory | dropped |", "|---|---|---|---|---|---|---|"]
    with serving(sys.executable, CHUNKS) as port:
        for mode in ("off", "native", "python"):
            command = [sys.executable, "-m", "benchmarks.spans.burst", str(calls), str(port), mode]
            surroundings = environment(folder / f"{mode}.duckdb")
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, env=surroundings
            )
            found = json.loads(done.stdout)
            dropped = (
                found["otlp"]["dropped"]["queue_full"] if found["otlp"] and mode == "native" else "the SDK's affair"
            )
            lines.append(
                f"| {mode} | {found['median_us']:.0f} µs | {found['p99_us']:.0f} µs | {found['p999_us']:.0f} µs "
                f"| {found['max_us'] / 1e3:.1f} ms | {found['mib']:+.1f} MiB | {'' if mode == 'off' else dropped} |"
            )
    return lines


def main() -> int:
    chosen = options()
    peers = os.path.abspath(chosen.peers)
    with tempfile.TemporaryDirectory() as folder, serving(sys.executable, CHUNKS) as port:
        ledger = Path(folder) / "ledger.duckdb"
        clients = [Client(name, sys.executable, port, ledger, WORKER) for name in OWN]
        for name in PEERS:
            try:
                clients.append(Client(name, peers, port, ledger, WORKER))
            except RuntimeError as error:  # the rest says what it says all the same
                print(f"left out: {error}", file=sys.stderr)
        rounds = play_rounds(clients, chosen.rounds)
        for client in clients:
            client.kill()
        of_burst = burst(chosen.burst, Path(folder))
    lines = lines_of(rounds)
    print(table(lines))
    text = [
        "# What spans and metrics cost",
        "",
        f"CPU time of the caller's thread (and of the process) a call, with less without, in pairs; medians of "
        f"{chosen.rounds} interleaved rounds of one run of `python -m benchmarks.spans`.",
        "",
        "| | target | measured | | |",
        "|---|---|---|---|---|",
        *rows(lines),
        "",
        *peers_table(rounds),
        "",
        f"{chosen.burst} calls in a row with the collector down:",
        "",
        *of_burst,
        "",
    ]
    chosen.results.write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
