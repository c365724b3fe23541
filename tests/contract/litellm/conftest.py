from __future__ import annotations

import os

import pytest

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else its import asks the network

from contract.conftest import Compare
from contract.runs import Ledger
from contract.server import Server

collect_ignore_glob: list[str] = []
try:
    import litellm
except ImportError:
    collect_ignore_glob.append("test_*.py")
else:
    litellm.suppress_debug_info = True


@pytest.fixture
def compare(server: Server, ledger: Ledger) -> Compare:
    return Compare(server, ledger, "litellm")


@pytest.fixture(scope="session", autouse=True)
def _loaded() -> None:
    """litellm loads much, with warnings, at its first call."""
    made_up = {"messages": [{"role": "user", "content": "hi"}], "mock_response": "hello"}
    litellm.completion("openai/gpt-4o", **made_up).model_dump()
    for chunk in litellm.completion("openai/gpt-4o", stream=True, **made_up):
        chunk.model_dump()
