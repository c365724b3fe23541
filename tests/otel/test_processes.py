"""Forks, ends and collectors that fail: each record is exported exactly once, and nobody waits for a collector."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.unit.programs import ROOT, run
from tests.unit.records import Ledger
from tests.unit.server import PATIENCE

from .receiver import Behaviour, Receiver

PROGRAMS = Path(__file__).with_name("programs")
# By design 2 s; a process that takes longer has waited for a collector.
LONGEST_END = 5.0


def settings(receiver_url: str, ledger: Path) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver_url, "EDGEQUAKE_OBS_LEDGER": str(ledger)}


@pytest.mark.parametrize("how", ["end", "exit", "exception", "sigterm", "_exit"])
def test_the_end_of_a_program(how: str, receiver: Receiver, tmp_path: Path) -> None:
    status = 1 if how == "exception" else 0
    run(PROGRAMS / "ending.py", how, status=status, **settings(receiver.url, tmp_path / "l.duckdb"))
    assert len(receiver.spans) == 3
    assert "edgequake.cost" in receiver.metrics()


@pytest.mark.parametrize(
    ("how", "when"),
    [
        ("fork", "before"),
        ("fork", "after"),
        ("_exit", "before"),
        ("_exit", "after"),
        ("mp-fork", "before"),
        ("mp-fork", "after"),
        ("mp-spawn", "before"),
        ("mp-spawn", "after"),
        ("mp-forkserver", "before"),
        ("mp-forkserver", "after"),
        ("pool", "after"),
    ],
)
def test_children(how: str, when: str, receiver: Receiver, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.duckdb")
    run(PROGRAMS / "children.py", how, when, **settings(receiver.url, ledger.path))
    once_each(receiver, ledger, 3 * 4 + (3 if when == "after" else 0))
    assert len({span.resource["process.pid"] for span in receiver.spans}) == 4


@pytest.mark.parametrize("when", ["before", "after"])
def test_children_of_a_program_with_opentelemetry(when: str, receiver: Receiver, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.duckdb")
    run(PROGRAMS / "forking_sdk.py", receiver.url, when, EDGEQUAKE_OBS_LEDGER=str(ledger.path))
    once_each(receiver, ledger, 3 * 4 + (3 if when == "after" else 0))


def test_workers_that_are_replaced(receiver: Receiver, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.duckdb")
    done = run(PROGRAMS / "prefork.py", 12, **settings(receiver.url, ledger.path))
    once_each(receiver, ledger, int(done.stdout))
    assert len({span.resource["process.pid"] for span in receiver.spans}) == 7


@pytest.mark.parametrize("preload", [True, False])
def test_gunicorn(preload: bool, receiver: Receiver, tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    ledger = Ledger(tmp_path / "l.duckdb")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "preloaded:app", "--workers", "2", "--bind", f"127.0.0.1:{port}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings(receiver.url, ledger.path)}
    with subprocess.Popen(
        [*command, *["--preload"][: int(preload)]], cwd=PROGRAMS, env=environment, stderr=subprocess.DEVNULL
    ) as gunicorn:
        deadline = time.monotonic() + PATIENCE
        answered: set[bytes] = set()
        asked = 0
        # Both workers are to have answered, whichever the kernel chooses.
        while asked < 10 or len(answered) < 2:
            assert time.monotonic() < deadline
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=PATIENCE) as answer:
                    answered.add(answer.read())
                asked += 1
            except ConnectionError:
                time.sleep(0.05)
            except urllib.error.URLError:
                time.sleep(0.05)
        gunicorn.terminate()
        gunicorn.wait(PATIENCE)
    once_each(receiver, ledger, asked + (1 if preload else 2))
    pids = {span.resource["process.pid"] for span in receiver.spans}
    assert {int(pid) for pid in answered} == pids - {gunicorn.pid}


def once_each(receiver: Receiver, ledger: Ledger, expected: int) -> None:
    """Each call is one row and one span, whose ids no other has."""
    rows = sorted((row["trace_id"], row["span_id"]) for row in ledger.calls())
    spans = sorted((span.trace_id, span.span_id) for span in receiver.spans)
    assert spans == rows
    assert len({trace for trace, _ in spans}) == len({span for _, span in spans}) == len(spans) == expected


@pytest.mark.parametrize("behaviour", ["down", "silent", "refusing", "busy", "garbage", "slow"])
def test_a_collector_that_fails_keeps_nobody(behaviour: str, receiver: Receiver, tmp_path: Path) -> None:
    receiver.always = {
        "refusing": Behaviour(403),
        "busy": Behaviour(503),
        "garbage": Behaviour(garbage=True),
        "slow": Behaviour(delay=30),
    }.get(behaviour, Behaviour())
    silent = socket.create_server(("127.0.0.1", 0))  # connections are made and nothing is ever read
    url = receiver.url if behaviour != "silent" else f"http://127.0.0.1:{silent.getsockname()[1]}"
    if behaviour == "down":
        receiver.close()
    # A busy machine may keep a program for long; one that waits for a collector is late each time.
    for attempt in range(3):
        ledger = Ledger(tmp_path / f"{attempt}.duckdb")
        done = run(PROGRAMS / "ending.py", "end", **settings(url, ledger.path))
        took = time.monotonic() - float(done.stdout)
        print(f"{behaviour}: {took:.2f} s")
        assert len(ledger.calls()) == 3
        if took < LONGEST_END:
            break
    silent.close()
    assert took < LONGEST_END
    assert ("cannot send" in done.stderr) == (behaviour not in ("garbage", "slow", "silent")), done.stderr


def test_importing_costs_nothing_more(tmp_path: Path) -> None:
    program = "import sys, edgequake_obs; print([m for m in sys.modules if 'opentelemetry' in m or '_otel' in m])"
    assert run(program, **settings("http://127.0.0.1:9", tmp_path / "l.duckdb")).stdout.strip() == "[]"
