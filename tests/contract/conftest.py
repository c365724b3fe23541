from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

# Before the native module looks: a ledger of the tests' own, and our own errors raised instead of contained.
os.environ.setdefault("EDGEQUAKE_OBS_LEDGER", os.path.join(tempfile.mkdtemp(prefix="contract-"), "ledger.duckdb"))
os.environ["EDGEQUAKE_OBS_RAISE_INTERNAL"] = "1"

from .runs import Both, Ledger, Situation, both
from .server import Server, running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as state:
        yield state


@pytest.fixture(scope="session")
def _ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def ledger(_ledger: Ledger) -> Ledger:
    _ledger.new()
    return _ledger


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    import openai._base_client as base

    monkeypatch.setattr(base, "INITIAL_RETRY_DELAY", 0.001)
    monkeypatch.setattr(base, "MAX_RETRY_DELAY", 0.002)


class Compare:
    """Runs a situation without and with us."""

    def __init__(self, server: Server, ledger: Ledger) -> None:
        self._server = server
        self._ledger = ledger

    def __call__(self, situation: Situation, flavour: str, raises: str | None = None) -> Both:
        """Run both; the situation raises an exception of that name, or none."""
        compared = both(situation, self._server, self._ledger, flavour)
        raised = compared.raised
        assert raises == (None if raised is None else raised.rpartition(".")[2]), compared.saw
        return compared


@pytest.fixture
def compare(server: Server, ledger: Ledger) -> Any:
    return Compare(server, ledger)
