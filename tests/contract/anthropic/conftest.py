from __future__ import annotations

import pytest

from contract.conftest import Compare
from contract.runs import Ledger
from contract.server import Server

collect_ignore_glob: list[str] = []
try:
    import anthropic  # noqa: F401
except ImportError:
    collect_ignore_glob.append("test_*.py")


@pytest.fixture
def compare(server: Server, ledger: Ledger) -> Compare:
    return Compare(server, ledger, "anthropic")
