"""`calls --follow`: every call once, as it ends, whoever folds meanwhile."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

from spool_writer import SpoolWriter, record

from edgequake_obs import ledger
from edgequake_obs.ledger import following
from edgequake_obs.ledger.following import Follower

FOLLOW = """
import sys
from edgequake_obs import cli
sys.exit(cli.main(["calls", "--follow", "--format", "json", "--limit", "2", "--ledger", sys.argv[1]]))
"""


def next_users(process: subprocess.Popen[str], number: int) -> list[str]:
    assert process.stdout is not None
    return [json.loads(process.stdout.readline())["user_id"] for _ in range(number)]


def test_every_call_is_shown_once(ledger_path: Path, writer: SpoolWriter, script) -> None:
    process = script(FOLLOW, ledger_path)
    assert "there is no ledger" in process.stderr.readline()
    now = time.time_ns()
    writer.write(*(record(now + number, user_id=str(number)) for number in range(4)))
    assert next_users(process, 2) == ["2", "3"], "the last ones, and not those before them"
    for number in range(4, 8):
        writer.write(record(time.time_ns(), user_id=str(number)))
        if number % 2:
            ledger.fold(ledger_path)
    assert next_users(process, 4) == ["4", "5", "6", "7"]
    # Nobody keeps the file between two looks.
    assert ledger.fold(ledger_path).busy == 0
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == ""
    assert process.returncode == 130


def test_a_clock_that_jumps(ledger_path: Path, writer: SpoolWriter, monkeypatch) -> None:
    hour = 3_600 * 10**9
    clock = [time.time_ns()]
    monkeypatch.setattr(following.time, "time_ns", lambda: clock[0])
    follower = Follower(ledger_path, ["user_id"], lambda _: "calls")
    writer.write(record(clock[0], user_id="before"))
    assert follower.first(5) == [("before",)]
    for step, user in ((hour, "forward"), (-2 * hour, "back"), (hour, "again")):
        clock[0] += step
        writer.write(record(clock[0], user_id=user))
        assert follower.further() == [(user,)]
        assert follower.further() == []
    assert follower.described == [("user_id", "VARCHAR")]


def test_what_is_made_in_the_background_comes_again_with_its_outcome(ledger_path: Path, writer: SpoolWriter) -> None:
    ledger.ensure(ledger_path)
    follower = Follower(ledger_path, ["outcome", "user_id"], lambda _: "calls")
    assert follower.first(10) == []
    now, uid = time.time_ns(), "5b2c9f1e-3d47-8a6b-9c10-2f3e4d5c6b7a"
    writer.write(record(now, call_uid=uid, outcome="abandoned", user_id="ada"))
    assert follower.further() == [("abandoned", "ada")]
    writer.write(record(now, call_uid=uid, user_id="ada"))
    assert follower.further() == [("completed", "ada")]
    assert follower.further() == []
