"""litellm's names beside the calls themselves: those that are there, and what is said of those that are not."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

import edgequake_obs as litellm
from edgequake_obs.types import utils as types

from .conftest import MESSAGES
from .programs import run
from .server import Answer, Server, chat, error

PUBLIC = Path(__file__).resolve().parents[3] / "shared" / "litellm_parity" / "public_api.json"


def test_a_call_with_retries(server: Server) -> None:
    asked: Any = {"model": "openai/m", "messages": MESSAGES, "api_base": server.base, "api_key": "k"}
    server.will(Answer(500, error("once")), Answer(body=chat()), Answer(500, error("once")), Answer(body=chat()))
    assert litellm.completion_with_retries(**asked).choices[0].message.content == "Hello."
    assert asyncio.run(litellm.acompletion_with_retries(**asked)).choices[0].message.content == "Hello."
    server.will(Answer(500, error("for good")))
    with pytest.raises(litellm.InternalServerError):
        litellm.completion_with_retries(**asked, num_retries=0)


def test_a_mocked_call() -> None:
    assert litellm.mock_completion("gpt-4o", MESSAGES).choices[0].message.content == "This is a mock request"
    chunks = list(litellm.mock_completion("gpt-4o", MESSAGES, stream=True, mock_response="Hello there."))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello there."


def test_models_by_provider() -> None:
    assert "gpt-4o-mini" in litellm.models_by_provider["openai"]
    assert sum(map(len, litellm.models_by_provider.values())) == len(litellm.model_cost)


def test_classes_where_litellms_programs_import_them() -> None:
    assert types.ModelResponse is litellm.ModelResponse
    assert importlib.import_module("edgequake_obs.integrations.custom_logger").CustomLogger


def test_a_name_that_is_not_served_says_what_to_do() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'Router': .*fallbacks="):
        _ = litellm.Router
    assert not hasattr(litellm, "BudgetManager")
    with pytest.raises(AttributeError, match=r"no attribute 'nobodys_name'$"):
        _ = litellm.nobodys_name


def test_every_name_of_a_call_or_a_class_is_there_or_has_a_remedy() -> None:
    if not PUBLIC.exists():
        pytest.skip("litellm's public API does not lie beside the repository")
    groups = json.loads(PUBLIC.read_text(encoding="utf-8"))["groups"]
    without: list[str] = []
    for name in (each["name"] for group in ("calls", "classes", "caching_functions") for each in groups[group]):
        try:
            getattr(litellm, name)
        except AttributeError as unserved:
            if not re.search(f"no attribute '{name}': .+", str(unserved)):
                without.append(name)
    assert not without


def test_a_setting_that_is_not_served_is_told_once(server: Server) -> None:
    program = f"""
import logging, edgequake_obs as litellm
import edgequake_obs.fallbacks
logging.basicConfig(format="%(message)s")
litellm.max_budget = 1.5
litellm.cache = None
for _ in range(2):
    litellm.completion("m", [], api_base="{server.base}", api_key="k")
"""
    server.will(Answer(body=chat()), Answer(body=chat()))
    said = run(program, EDGEQUAKE_OBS_LEDGER="off").stderr.splitlines()
    assert [line.partition(":")[0] for line in said] == ["litellm's max_budget is set, and not served"]
