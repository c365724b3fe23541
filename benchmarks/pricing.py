"""Measures the price engine beside litellm's: `python -m benchmarks.pricing --peers PYTHON`.

Prints the figures against the targets, and writes them to pricing.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks import report
from benchmarks.process import HERE

# A call whose answer read a cache and reasoned: what most bills are made of.
_USAGE = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 192, "audio_tokens": 0},
}
_MODEL = "gpt-4o"

_TIMED = """
import json, sys, timeit
usage, model = json.loads(sys.argv[1]), sys.argv[2]
{setup}
call()
best = min(timeit.repeat(call, number={number}, repeat=30)) / {number}
print(best * 1e6)
"""
_OURS = """
from edgequake_obs import pricing
def call(): return pricing.cost(usage, model=model, provider="openai", usage_format="openai.chat")
"""
_OURS_BY_SHAPE = _OURS.replace(', usage_format="openai.chat"', "")
_FACADE = """
import edgequake_obs
response = {"model": model, "usage": usage}
def call(): return edgequake_obs.completion_cost(response)
"""
_LITELLM = """
import litellm
response = litellm.ModelResponse(model=model, usage=litellm.Usage(**usage))
def call(): return litellm.completion_cost(response, model=model)
"""
_FIRST = """
import resource, sys, time
from edgequake_obs import pricing
def resident():
    with open("/proc/self/statm") as file: return int(file.read().split()[1]) * resource.getpagesize()
before, started = resident(), time.perf_counter()
pricing.cost({"prompt_tokens": 1, "completion_tokens": 1}, model="gpt-4o", provider="openai").status
print((time.perf_counter() - started) * 1e3, (resident() - before) / 1e6)
"""


def _run(python: str, program: str) -> list[float]:
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "EDGEQUAKE_OBS_LEDGER": "off"}
    command = [python, "-c", program, json.dumps(_USAGE), _MODEL]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return [float(figure) for figure in done.stdout.split()]


def _timed(python: str, setup: str, number: int) -> float:
    return _run(python, _TIMED.format(setup=setup, number=number))[0]


def lines(peers: str) -> list[report.Line]:
    """What is measured, against the targets."""
    ours, by_shape = _timed(sys.executable, _OURS, 2000), _timed(sys.executable, _OURS_BY_SHAPE, 2000)
    facade, theirs = _timed(sys.executable, _FACADE, 2000), _timed(peers, _LITELLM, 100)
    firsts = [_run(sys.executable, _FIRST) for _ in range(9)]
    first, memory = (min(one[place] for one in firsts) for place in (0, 1))
    beside = f"told by its shape {by_shape:.2f} µs; litellm {theirs:.0f} µs ({theirs / ours:.0f} ×)"
    return [
        report.Line("pricing.cost of a chat usage", "≤ 3 µs", ours, f"{ours:.2f} µs", 3, beside),
        report.Line(
            "completion_cost of a dict",
            "≤ 1/5 of litellm's",
            facade,
            f"{facade:.2f} µs",
            theirs / 5,
            f"litellm {theirs:.0f} µs",
        ),
        report.Line("first price: the table opened", "≤ 1 ms", first, f"{first:.2f} ms", 1, ""),
        report.Line("first price: memory", "≤ 4 MB", memory, f"{memory:.2f} MB", 4, ""),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pricing", description=__doc__)
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="the interpreter that has litellm")
    parser.add_argument("--results", type=Path, default=HERE / "pricing.md", help="where the figures are written")
    chosen = parser.parse_args()
    found = lines(chosen.peers)
    print(report.table(found))
    rows = [
        f"| {line.what} | {line.target} | {line.shown} | {'met' if line.met else '**missed**'} | {line.beside} |"
        for line in found
    ]
    title = (
        "# The price engine\n\nThe quickest of 30 rounds, by `python -m benchmarks.pricing`; peer: litellm 1.109.1.\n\n"
    )
    chosen.results.write_text(
        title + "| | target | measured | | beside |\n|---|---|---|---|---|\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
