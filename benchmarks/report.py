"""Figures against the targets, as a table for a terminal and for results.md."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
import statistics
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Line:
    """One target and what was measured.

    Attributes:
        what: What is measured.
        target: The target in words.
        value: The figure that the target speaks of.
        shown: The figure as it is shown, with its unit.
        limit: The most that `value` may be.
        beside: Absolute figures and the peers', for who wants to see where the ratio comes from.
    """

    what: str
    target: str
    value: float
    shown: str
    limit: float
    beside: str

    @property
    def met(self) -> bool:
        return self.value <= self.limit


# By scenario, by client: one dict of figures for each round.
Rounds = dict[str, dict[str, list[dict[str, float]]]]


def middle(rounds: Rounds, scenario: str, client: str, figure: str) -> float:
    """The median over the rounds of one figure, in microseconds."""
    return statistics.median(one[figure] for one in rounds[scenario][client])


def ratio(rounds: Rounds, figure: str, ours_is: tuple[str, str], theirs_is: tuple[str, str]) -> float:
    """The median over the rounds of a ratio, each taken within its round; both are (scenario, client)."""
    ours, theirs = rounds[ours_is[0]][ours_is[1]], rounds[theirs_is[0]][theirs_is[1]]
    return statistics.median(a[figure] / b[figure] for a, b in zip(ours, theirs, strict=True))


def _all(rounds: Rounds, scenario: str, figure: str, to: str = "baseline", to_scenario: str | None = None) -> str:
    """Every client's figure, and its multiple of the bare socket's."""
    parts: list[str] = []
    for client in rounds[scenario]:
        times = ratio(rounds, figure, (scenario, client), (to_scenario or scenario, to))
        parts.append(f"{client} {middle(rounds, scenario, client, figure):.1f} ({times:.2f} ×)")
    return ", ".join(parts)


def lines_of(rounds: Rounds) -> list[Line]:
    """The targets that compare with the bare socket or a peer."""
    lines = [
        _line(rounds, "sync call, median", "call", "wall_us", 2.5),
        _line(rounds, "sync stream of 200 chunks, CPU", "stream", "cpu_us", 1),
        _line(rounds, "async stream of 200 chunks, CPU", "astream", "cpu_us", 1),
        _line(rounds, "time to first chunk, sync", "stream", "first_us", 3),
        _line(rounds, "time to first chunk, async", "astream", "first_us", 3),
    ]
    if "openai" in rounds["in_flight"]:
        share = ratio(rounds, "cpu_us", ("in_flight", "own"), ("in_flight", "openai"))
        beside = _all(rounds, "in_flight", "cpu_us", to="own")
        shown = f"1/{1 / share:.1f}"
        lines.insert(
            1, Line("64 async calls in flight, CPU per call", "≤ 1/25 of openai's", share, shown, 1 / 25, beside)
        )
    return lines


def _line(rounds: Rounds, what: str, scenario: str, figure: str, limit: float) -> Line:
    # The bare socket has no asynchronous form: both kinds of stream are compared with its one.
    to_scenario = "stream" if scenario == "astream" else scenario
    value = ratio(rounds, figure, (scenario, "own"), (to_scenario, "baseline"))
    beside = _all(rounds, scenario, figure, to_scenario=to_scenario)
    return Line(what, f"≤ {limit} × the bare socket", value, f"{value:.2f} ×", limit, beside)


def lines_of_import(imports: Sequence[dict[str, object]]) -> list[Line]:
    """What importing the package costs; the medians of several fresh interpreters."""

    def median(name: str) -> float:
        return statistics.median(float(str(one[name])) for one in imports)

    strange = [f"{name}: {one[name]}" for one in imports for name in ("modules", "network", "threads") if one[name]]
    found = "; ".join(sorted(set(strange))) or "no network, no thread, no asyncio or other heavy module"
    return [
        Line("import edgequake_obs, time", "≤ 30 ms", median("ms"), f"{median('ms'):.1f} ms", 30, ""),
        Line("import edgequake_obs, memory", "≤ 10 MB", median("mb"), f"{median('mb'):.1f} MB", 10, ""),
        Line("import edgequake_obs, side effects", "none", len(strange), str(len(strange)), 0, found),
    ]


def table(lines: Sequence[Line]) -> str:
    """The lines in columns."""
    cells = [("", "target", "measured", "", "µs per call or stream (and its multiple)")]
    cells += [(line.what, line.target, line.shown, "met" if line.met else "MISSED", line.beside) for line in lines]
    widths = [max(len(row[n]) for row in cells) for n in range(4)]
    return "\n".join("  ".join([*(row[n].ljust(widths[n]) for n in range(4)), row[4]]).rstrip() for row in cells)


def rows(lines: Sequence[Line]) -> list[str]:
    """The targets as rows of a Markdown table."""
    return [
        f"| {ln.what} | {ln.target} | {ln.shown} | {'met' if ln.met else '**missed**'} | {ln.beside} |" for ln in lines
    ]


def markdown(lines: Sequence[Line], rounds: int, peers: Sequence[str]) -> str:
    """results.md."""
    own = importlib.metadata.version("edgequake-obs")
    return "\n".join(
        [
            "# Results",
            "",
            f"edgequake_obs {own}; peers: {', '.join(peers)}. CPython {platform.python_version()}, "
            f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores. "
            f"Medians of {rounds} interleaved rounds of one run of `python -m benchmarks`; record, cost and ledger on.",
            "",
            "| | target | measured | | µs per call or stream, and its multiple |",
            "|---|---|---|---|---|",
            *rows(lines),
            "",
            "The multiple is of the bare socket's figure in the same round (of `own` for the calls in flight, which "
            "the bare socket cannot do).",
            "",
        ]
    )
