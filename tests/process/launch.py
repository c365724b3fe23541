"""Starts the programs of these tests and reads the ledger that they left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb

from edgequake_obs import ledger

PROGRAMS = Path(__file__).with_name("programs")
PLAIN = "openai-chat-test-dbos-agent-run-0-d00b1095"
STREAM = "openai-chat-test-openai-simple-request-0-d4e160cb"
# Far more than anything here takes, and far less than what a hang would: time-outs find hangs, they judge no speed.
PATIENCE = 30.0


def environment(path: Path, **more: str) -> dict[str, str]:
    """The environment of a program that records into `path`, without what this shell may have set for others."""
    strange = ("OTEL_", "OPENAI_", "EDGEQUAKE_OBS_", "AZURE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    kept = {name: value for name, value in kept.items() if not name.lower().endswith("_proxy")}
    ours = {"EDGEQUAKE_OBS_LEDGER": str(path), "EDGEQUAKE_OBS_RAISE_INTERNAL": "1", "PYTHONFAULTHANDLER": "1"}
    return {**kept, **ours, **more}


def start(
    program: str, *arguments: object, path: Path, python: str = sys.executable, **more: str
) -> subprocess.Popen[str]:
    """Start `programs/<program>.py`, recording into the ledger at `path`."""
    command = [python, str(PROGRAMS / f"{program}.py"), *map(str, arguments)]
    pipe = subprocess.PIPE
    surroundings = environment(path, **more)
    if python != sys.executable:
        surroundings.pop("PYTHONPATH", None)  # which would lead to this version
    # A group of its own: what a hung child of it has inherited of our pipes must not hang the tests as well.
    return subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True, env=surroundings
    )


def finish(process: subprocess.Popen[str], within: float = PATIENCE) -> tuple[str, str]:
    """Wait for a program that is to end well; what it printed."""
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"{process.args} did not end:\n{out[-2000:]}\n{err[-4000:]}") from None
    assert process.returncode == 0, f"{process.args} ended with {process.returncode}:\n{out[-2000:]}\n{err[-4000:]}"
    return out, err


@contextlib.contextmanager
def server_process() -> Iterator[str]:
    """The demo's server in a process of its own, for tests whose load would slow this one down; its base URL."""
    command = [sys.executable, "-m", "edgequake_obs.demo.server"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment(Path("off"))) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate(timeout=PATIENCE)


def until(what: str, true: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        time.sleep(0.002)


def calls(path: Path) -> list[dict[str, Any]]:
    """Every row of `calls`, through our own connection."""
    connection: duckdb.DuckDBPyConnection = ledger.connect(str(path))
    try:
        return rows_of(connection.execute("SELECT * FROM calls ORDER BY start_ns"))
    finally:
        connection.close()


def rows_of(cursor: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """A result's rows as dicts."""
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def tag(row: dict[str, Any], name: str = "call") -> str | None:
    """A tag of a row."""
    return (row["tags"] or {}).get(name)
