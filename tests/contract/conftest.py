from __future__ import annotations

import gc
import ssl
from collections.abc import Iterator

import openai._base_client as base
import pytest

import edgequake_obs
from edgequake_obs import _native

from .runs import Both, Ledger, Situation, both
from .server import Server, running


@pytest.fixture(scope="package", autouse=True)
def _surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A ledger of the tests' own, and errors of ours raised instead of contained."""
    before = _native.ledger_path()
    path = str(tmp_path_factory.mktemp("contract") / "ledger.duckdb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEQUAKE_OBS_LEDGER", path)  # for the programs that the tests start
        patch.setenv("EDGEQUAKE_OBS_RAISE_INTERNAL", "1")
        edgequake_obs.configure(ledger=path)
        # Nothing here is encrypted; reading the authorities' certificates for each client took two fifths of the time.
        shared = ssl.create_default_context()
        patch.setattr(ssl, "create_default_context", lambda *_, **__: shared)
        gc.freeze()  # each comparison collects several times: not the modules, again and again
        yield
        gc.unfreeze()
        edgequake_obs.configure(ledger=before or "off")


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
    monkeypatch.setattr(base, "INITIAL_RETRY_DELAY", 0.001)
    monkeypatch.setattr(base, "MAX_RETRY_DELAY", 0.002)


class Compare:
    """Runs a situation without and with us."""

    def __init__(self, server: Server, ledger: Ledger, library: str = "openai") -> None:
        self._server = server
        self._ledger = ledger
        self._library = library

    def __call__(self, situation: Situation, flavour: str, raises: str | None = None) -> Both:
        """Run both; the situation raises an exception of that name, or none."""
        compared = both(situation, self._server, self._ledger, flavour, self._library)
        raised = compared.raised
        assert raises == (None if raised is None else raised.rpartition(".")[2]), compared.saw
        return compared


@pytest.fixture
def compare(server: Server, ledger: Ledger) -> Compare:
    return Compare(server, ledger)
