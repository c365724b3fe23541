from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import edgequake_obs
from edgequake_obs import _native
from tests.unit.records import Ledger
from tests.unit.server import Server, running

from .receiver import Receiver, receiving
from .told import Told, use

MESSAGES = [{"role": "user", "content": "Say hello."}]

Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings of the shell's, and nothing exported that a test has not asked for."""
    for name in list(os.environ):
        if name.startswith(("OTEL_", "OPENAI_", "EDGEQUAKE_OBS_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("EDGEQUAKE_OBS_RAISE_INTERNAL", "1")
    before = _native.ledger_path()
    edgequake_obs.configure(ledger="off")
    yield
    edgequake_obs.configure(ledger=before or "off", otel="off", capture_content=False)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger that everything from now on is recorded into."""
    found = Ledger(tmp_path / "ledger.duckdb")
    edgequake_obs.configure(ledger=str(found.path))
    return found


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as found:
        yield found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def native(receiver: Receiver) -> Receiver:
    """The receiver, with the native export turned on."""
    edgequake_obs.configure(otel=receiver.url)
    return receiver


@pytest.fixture
def ask(server: Server) -> Ask:
    """`completion` at the server, with arguments enough."""

    def ask(**arguments: Any) -> Any:
        given = {"model": "gpt-4o-mini", "messages": MESSAGES, "api_base": server.base, "api_key": "sk-test"}
        return edgequake_obs.completion(**{**given, "timeout": 30, **arguments})

    return ask


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    found = Told()
    use(found, monkeypatch)
    return found
