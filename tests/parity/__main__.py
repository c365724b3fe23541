"""Run litellm's recorded cases against this package."""

from __future__ import annotations

import argparse
import collections
import json
import logging
import multiprocessing
import os
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from tests.parity import cases, misses

# What the machinery itself needs; anything else could be a provider's key or a setting.
_KEPT = ("PATH", "HOME", "LANG", "PYTHONPATH", "LD_LIBRARY_PATH")

# Retried calls wait most of their time: processes that share the cases wait at once.
_PROCESSES = 8


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose id contains TEXT")
    parser.add_argument("--update", action="store_true", help=f"rewrite {misses.FILE.name}; known reasons stay")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write {id: why it is a miss, or null} to FILE")
    options = parser.parse_args()
    if options.update and options.only:
        parser.error("--update needs all cases: leave --only out")
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    os.environ.clear()
    # litellm sends a stream's request as it is; asking for its usage is ours, and has a test of its own.
    os.environ.update(kept, EDGEQUAKE_OBS_LEDGER="off", EDGEQUAKE_OBS_STREAM_USAGE="off", NO_PROXY="*")
    logging.disable(logging.CRITICAL)
    results = _run(options.only)
    if options.json is not None:
        options.json.write_text(json.dumps(results), encoding="utf-8")
    found = {case: why for case, why in results.items() if why is not None}
    if options.update:
        misses.write(found)
    known = misses.read()
    for case, why in found.items():
        if options.only or case not in known:
            print(f"{case}\n    {why[:600]}")
    return 0


def _run(only: str) -> dict[str, str | None]:
    chosen = [case for case in cases.ours() if only in case["id"]]
    context = multiprocessing.get_context("fork")
    shares = [chosen[number::_PROCESSES] for number in range(min(_PROCESSES, len(chosen)))]
    ends = []
    for share in shares:
        here, there = context.Pipe(duplex=False)
        context.Process(target=_judge, args=(share, there), daemon=True).start()
        ends.append(here)
    judged = {case: why for end in ends for case, why in end.recv().items()}
    results = {case["id"]: judged[case["id"]] for case in chosen}
    passed: collections.Counter[str] = collections.Counter()
    of: collections.Counter[str] = collections.Counter()
    for case in chosen:
        for name in (f"provider {case['provider']}", f"group {case['group']}", f"op {case['op']}"):
            of[name] += 1
            passed[name] += results[case["id"]] is None
    for name in sorted(of):
        print(f"{name:60s} {passed[name]:5d} of {of[name]}")
    total = sum(why is None for why in results.values())
    print(f"passed {total} of {len(results)}")
    return results


def _judge(share: list[cases.Case], end: Connection) -> None:
    import edgequake_obs

    judge = cases.judge(edgequake_obs)
    end.send({case["id"]: judge(case) for case in share})
    os._exit(0)  # the server's threads and half-read streams are nobody's business any more


if __name__ == "__main__":
    sys.exit(main())
