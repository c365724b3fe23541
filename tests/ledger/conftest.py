"""Fixtures of the ledger's tests: a ledger of its own for each test, a writer into its spool, and real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Protocol

import pytest
from spool_writer import SpoolWriter

_HERE = Path(__file__).parent


class Script(Protocol):
    def __call__(self, code: str, *arguments: object) -> subprocess.Popen[str]: ...


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.duckdb"


@pytest.fixture
def writer(ledger_path: Path) -> SpoolWriter:
    return SpoolWriter(ledger_path)


@pytest.fixture
def script() -> Any:
    """Starts Python code in a process of its own, which is ended with the test; `arguments` are its sys.argv[1:]."""
    started: list[subprocess.Popen[str]] = []
    paths = [str(_HERE), str(_HERE.parent.parent), os.environ.get("PYTHONPATH", "")]

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
