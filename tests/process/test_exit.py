"""The interpreter ends while streams are open: it does so at once and in good order, and each stream is a row."""

from __future__ import annotations

import collections
import time
from pathlib import Path

import pytest

from edgequake_obs.demo.recording import load
from edgequake_obs.demo.server import running

from .launch import PLAIN, calls, finish, start, tag, until

REPETITIONS = 8


@pytest.mark.parametrize("flavour", ["sync", "async", "thread"])
@pytest.mark.parametrize("client", ["own", "patched"])
def test_open_streams_are_rows_and_keep_nobody(client: str, flavour: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    taken: list[float] = []
    with running(load()) as server:
        for repetition in range(REPETITIONS):
            program = start("leaving", server.base_url, client, flavour, path=path)
            assert program.stdout is not None
            assert program.stdin is not None
            if flavour == "thread":
                assert program.stdout.readline() == "waiting\n"
                until(
                    "the plain request",
                    lambda n=repetition: PLAIN in server.received and server.received[PLAIN].count > n,
                )
                program.stdin.write("go\n")
                program.stdin.flush()
            line = program.stdout.readline()
            leaving = time.monotonic()
            _, err = finish(program)
            taken.append(time.monotonic() - leaving)
            assert line == "leaving\n", err
            assert "Fatal Python error" not in err
            # An unpatched openai package leaves tracebacks of httpx2's generators behind here; ours leaves none.
            assert ("Traceback" if client == "own" else "edgequake_obs") not in err, err
    print(f"{client} {flavour}: at most {max(taken):.2f} s to leave")
    # The next event of each stream was a minute away: whoever waited for it is far beyond this.
    assert max(taken) < 20
    rows = calls(path)
    names = ["stream-0", "stream-1", "stream-2", *(["plain"] if flavour == "thread" else [])]
    assert collections.Counter(map(tag, rows)) == dict.fromkeys(names, REPETITIONS)
    unfinished = {"abandoned", "closed_early", "error"}
    assert {row["outcome"] for row in rows} <= unfinished
