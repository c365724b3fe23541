"""Whom a call is made for and what it belongs to, as the call itself says and as the context around it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

import edgequake_obs

from .conftest import Ask
from .records import Ledger
from .server import Answer, Server, chat

pytestmark = pytest.mark.usefixtures("answering")


@pytest.fixture
def answering(server: Server) -> None:
    server.will(Answer(body=chat()))


def metadata_of(ledger: Ledger) -> Any:
    return json.loads(ledger.call()["metadata"])


def test_of_the_call(ask_either_way: Ask, ledger: Ledger) -> None:
    ask_either_way(user="u1", metadata={"tags": ["a", "b"], "trace": 7})
    row = ledger.call()
    assert row["user_id"] == "u1"
    assert set(row["tags"]) == {"a", "b"}
    assert metadata_of(ledger)["trace"] == 7


def test_metadata_alone(ask: Ask, ledger: Ledger) -> None:
    ask(metadata={"tags": ["a"], "trace": 7})
    assert set(ledger.call()["tags"]) == {"a"}
    assert metadata_of(ledger)["trace"] == 7


def test_the_context_wins_in_user_and_tags(ask: Ask, ledger: Ledger) -> None:
    with edgequake_obs.context(user="outer", session="s", tags={"a": "context"}, metadata={"trace": 1, "more": 2}):
        ask(user="u1", metadata={"tags": ["a"], "trace": 7})
    row = ledger.call()
    assert (row["user_id"], row["session_id"]) == ("outer", "s")
    assert row["tags"]["a"] == "context"
    assert (metadata_of(ledger)["trace"], metadata_of(ledger)["more"]) == (7, 2), "the call's keys are the inner ones"


def test_the_call_fills_what_the_context_leaves(ask: Ask, ledger: Ledger) -> None:
    with edgequake_obs.context(session="s"):
        ask(user="u1", metadata={"tags": ["a"]})
    row = ledger.call()
    assert (row["user_id"], row["session_id"], set(row["tags"])) == ("u1", "s", {"a"})


def test_metadata_without_json(ask: Ask, ledger: Ledger) -> None:
    ask(metadata={"odd": object(), "fine": [1]}, temperature=0)
    assert metadata_of(ledger)["fine"] == [1]


def test_parameters(ask: Ask, ledger: Ledger) -> None:
    content = {"name": "f", "description": "secret"}
    ask(temperature=0.5, stop=["x"], max_tokens=5, tools=[content], service_tier="flex")
    row = ledger.call()
    params = json.loads(row["request_params"])
    assert (params["temperature"], params["stop"], params["max_tokens"]) == (0.5, ["x"], 5)
    assert "secret" not in str(row)
    assert row["requested_service_tier"] == "flex"


def test_the_whole_record(server: Server, ask_either_way: Ask, ledger: Ledger) -> None:
    ask_either_way()
    row = ledger.call()
    expected = {
        "origin": "native",
        "operation": "chat",
        "provider": "openai",
        "request_model": "gpt-4o-mini",
        "response_model": "gpt-4o-mini",
        "response_id": "chatcmpl-1",
        "server_address": "127.0.0.1",
        "streaming": False,
        "input_tokens": 14,
        "output_tokens": 8,
        "estimated_input_tokens": None,
        "cost_status": "priced",
        "outcome": "completed",
        "error_type": None,
        "error_message": None,
        "http_status": 200,
        "attempts": 1,
        "finish_reasons": ["stop"],
        "parent_span_id": None,
        "user_id": None,
        "session_id": None,
        "content": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert row["origin_version"] == edgequake_obs.__version__
    assert json.loads(row["usage"])["total_tokens"] == 22
    assert row["call_uid"].version == 7
    assert row["duration_ns"] > 0
    (attempt,) = ledger.attempts()
    assert (attempt["call_uid"], attempt["attempt"], attempt["http_status"]) == (row["call_uid"], 1, 200)
