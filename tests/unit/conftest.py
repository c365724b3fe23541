from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import edgequake_obs
from edgequake_obs import _native

from .records import Ledger
from .server import PATIENCE, Server, running

MESSAGES = [{"role": "user", "content": "Say hello."}]
STRANGE = ("OPENAI_", "AZURE_", "GROQ_", "OTEL_", "EDGEQUAKE_OBS_")


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the shell's, and errors of ours raised instead of contained."""
    for name in list(os.environ):
        if name.startswith(STRANGE) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("EDGEQUAKE_OBS_RAISE_INTERNAL", "1")


@pytest.fixture(scope="package", autouse=True)
def _no_ledger_of_the_users() -> Iterator[None]:
    before = _native.ledger_path()
    edgequake_obs.configure(ledger="off")
    yield
    edgequake_obs.configure(ledger=before or "off")


@pytest.fixture(scope="package")
def _path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("unit") / "ledger.duckdb"


@pytest.fixture
def ledger(_path: Path) -> Iterator[Ledger]:
    """A ledger, with what is recorded from now on."""
    edgequake_obs.configure(ledger=str(_path))
    yield Ledger(_path, time.time_ns())
    edgequake_obs.configure(ledger="off")


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as found:
        yield found


Ask = Callable[..., Any]


def _sync(server: Server) -> Ask:
    def ask(**arguments: Any) -> Any:
        given = {"model": "gpt-4o-mini", "messages": MESSAGES, "api_base": server.base, "api_key": "sk-test"}
        return edgequake_obs.completion(**{**given, "timeout": 30, **arguments})

    return ask


@pytest.fixture
def ask(server: Server) -> Ask:
    """`completion` at the server, with arguments enough."""
    return _sync(server)


@pytest.fixture(params=["sync", "async"])
def ask_either_way(request: pytest.FixtureRequest, server: Server) -> Ask:
    """As `ask`, through `completion` and through `acompletion`."""
    if request.param == "sync":
        return _sync(server)

    def ask(**arguments: Any) -> Any:
        given = {"model": "gpt-4o-mini", "messages": MESSAGES, "api_base": server.base, "api_key": "sk-test"}
        return asyncio.run(whole(edgequake_obs.acompletion(**{**given, "timeout": 30, **arguments})))

    async def whole(call: Any) -> Any:
        try:
            return await call
        finally:
            # A loop that ends at once cancels the callbacks that it was given.
            await asyncio.to_thread(edgequake_obs.flush, PATIENCE)

    return ask
