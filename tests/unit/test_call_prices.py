"""What a call's row costs where its price depends on more than model and tokens."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import edgequake_obs
from edgequake_obs import pricing

from .conftest import Ask
from .programs import run
from .records import Ledger
from .server import COST, USAGE, Answer, Server, chat

# What USAGE costs at 0.001 and 0.002 USD a token.
OWN = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}
OWN_COST = Decimal("0.03")


@pytest.fixture
def prices() -> Iterator[None]:
    """Puts the shipped prices back."""
    yield
    edgequake_obs.configure(prices={})


def answers(server: Server, model: str = "gpt-4o-mini", **fields: Any) -> None:
    body = {**json.loads(chat(model=model)), **fields}
    server.will(Answer(body=json.dumps(body).encode()))


def test_prices_given_with_the_call(server: Server, ask_either_way: Ask, ledger: Ledger) -> None:
    answers(server)
    assert ask_either_way(**OWN)._hidden_params["response_cost"] == 0.03
    row = ledger.call()
    assert (row["cost_usd"], row["cost_status"], row["price_key"]) == (OWN_COST, "priced", None)
    assert not [name for name in server.request.json() if "cost" in name]


def test_prices_in_a_deployments_description(server: Server, ask: Ask, ledger: Ledger) -> None:
    answers(server)
    answers(server)
    ask(model_info=OWN)
    ask(metadata={"model_info": OWN})
    assert [row["cost_usd"] for row in ledger.calls()] == [OWN_COST] * 2
    assert "model_info" not in server.requests[0].json()


def test_a_price_that_is_none(server: Server, ask: Ask, ledger: Ledger) -> None:
    with pytest.raises(edgequake_obs.BadRequestError, match=r"input_cost_per_token.*'?cheap"):
        ask(input_cost_per_token="cheap")
    assert server.requests == []
    assert ledger.call()["outcome"] == "error"


def test_the_model_behind_a_deployment(server: Server, ask: Ask, ledger: Ledger) -> None:
    for arguments in ({}, {"base_model": "gpt-4o-mini"}, {"model_info": {"base_model": "gpt-4o-mini"}}):
        answers(server, model="eu-west")
        ask(model="azure/eu-west", **arguments)
    rows = ledger.calls()
    assert [row["cost_status"] for row in rows] == ["unpriced", "priced", "priced"]
    assert [row["price_key"] for row in rows] == [None, "azure/gpt-4o-mini", "azure/gpt-4o-mini"]
    assert "base_model" not in server.requests[1].json()


def test_an_alias_is_priced_by_the_model_that_answered(server: Server, ask: Ask, ledger: Ledger) -> None:
    answers(server, model="gpt-4o-mini-2024-07-18")
    answers(server, model="gateway-internal-7")
    ask(model="my-alias")
    ask(model="gpt-4o-mini")
    assert [row["price_key"] for row in ledger.calls()] == ["gpt-4o-mini-2024-07-18", "gpt-4o-mini"]
    assert [row["cost_usd"] for row in ledger.calls()] == [Decimal(COST)] * 2


def test_the_tier_that_served_decides(server: Server, ask: Ask, ledger: Ledger) -> None:
    for served in ("default", "priority"):
        answers(server, model="gpt-5", service_tier=served)
        ask(model="gpt-5", service_tier="priority")
    rows = ledger.calls()
    assert [row["requested_service_tier"] for row in rows] == ["priority", "priority"]
    expected = [pricing.cost(USAGE, model="gpt-5", service_tier=tier).usd for tier in ("default", "priority")]
    assert [row["cost_usd"] for row in rows] == expected
    assert len(set(expected)) == 2


def test_the_providers_own_figure(server: Server, ask: Ask, ledger: Ledger) -> None:
    answers(server, model="xai/grok-4.3", usage={**USAGE, "cost_in_usd_ticks": 12_345_678})
    ask(model="xai/grok-4.3")
    row = ledger.call()
    assert (row["cost_usd"], row["cost_status"]) == (Decimal("0.0012345678"), "reported")
    assert row["reported_cost_usd"] == row["cost_usd"] != row["computed_cost_usd"] is not None


@pytest.mark.usefixtures("prices")
def test_own_prices_aliases_and_discounts(server: Server, ask: Ask, ledger: Ledger) -> None:
    edgequake_obs.configure(
        prices={
            "prices": {"azure/eu-west": OWN, "openai/gpt-4o": {**OWN, "output_cost_per_token": Decimal("0.003")}},
            "aliases": {"my-profile": "gpt-4o-mini"},
            "discounts": [
                {"provider": "openai", "off": "0.25"},
                {"provider": "openai", "model": "my-profile", "off": "0.5"},
                {"deployment": "eu-west", "off": 0.1},
                {"key_alias": "team-a", "off": 1},
            ],
            "cost_discount_config": {"groq": 0.05},
        }
    )
    for arguments in (
        {"model": "azure/eu-west"},
        {"model": "gpt-4o"},
        {"model": "my-profile"},
        {"model": "gpt-4o-mini"},
        {"model": "azure/gpt-4o-mini", "metadata": {"user_api_key_alias": "team-a"}},
    ):
        answers(server, model=str(arguments["model"]).removeprefix("azure/"))
        ask(**arguments)
    rows = ledger.calls()
    full = [OWN_COST, Decimal("0.038"), Decimal(COST), Decimal(COST), rows[4]["computed_cost_usd"]]
    parts = ["0.9", "0.75", "0.5", "0.75", "0"]
    assert [row["computed_cost_usd"] for row in rows] == full
    assert [row["cost_usd"] for row in rows] == [a * Decimal(b) for a, b in zip(full, parts, strict=True)]
    assert rows[4]["computed_cost_usd"] > 0
    assert {row["cost_status"] for row in rows} == {"priced"}
    # Which prices these were is told by the version.
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d\+[0-9a-f]{12}~[0-9a-f]{8}", row["price_version"]) for row in rows)
    assert pricing.cost(USAGE, model="eu-west", provider="azure").price_source == "user"


def test_litellms_discounts(server: Server, ask: Ask, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edgequake_obs, "cost_discount_config", {"openai": 0.05}, raising=False)
    answers(server)
    ask()
    row = ledger.call()
    assert (row["computed_cost_usd"], row["cost_usd"]) == (Decimal(COST), Decimal(COST) * Decimal("0.95"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "no price file: price source: EOF"),
        ('{"price": {}}', "unknown field `price`"),
        ('{"prices": {"a": {"input_cost_per_smile": 1}}}', "input_cost_per_smile"),
        ('{"prices": {"a": {"input_cost_per_token": "much"}}}', "much"),
        ('{"discounts": [{"off": 1.5}]}', "1.5"),
    ],
)
def test_a_bad_price_file(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(content)
    before = pricing.cost(USAGE, model="gpt-4o-mini").price_version
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}.*{re.escape(said)}"):
        edgequake_obs.configure(prices=path)
    with pytest.raises(ValueError, match=re.escape(str(tmp_path / "none.json"))):
        edgequake_obs.configure(prices=str(tmp_path / "none.json"))
    assert pricing.cost(USAGE, model="gpt-4o-mini").price_version == before


PROGRAM = """
import os, edgequake_obs
edgequake_obs.completion("gpt-4o-mini", [], api_base=os.environ["BASE"], api_key="sk")
edgequake_obs.completion("gpt-4o-mini", [], api_base=os.environ["BASE"], api_key="sk")
"""


def called(server: Server, tmp_path: Path, content: str) -> tuple[list[dict[str, Any]], str]:
    """Rows of two calls with a price file in the environment, and what was said on stderr."""
    path = tmp_path / "prices.json"
    path.write_text(content)
    for _ in range(2):
        answers(server)
    found = Ledger(tmp_path / "ledger.duckdb")
    surroundings = {"EDGEQUAKE_OBS_PRICES": str(path), "EDGEQUAKE_OBS_LEDGER": str(found.path), "BASE": server.base}
    done = run(PROGRAM, **surroundings)
    return found.calls(), done.stderr


def test_the_price_file_of_the_environment(server: Server, tmp_path: Path) -> None:
    rows, said = called(server, tmp_path, json.dumps({"prices": {"gpt-4o-mini": OWN}}))
    assert [row["cost_usd"] for row in rows] == [OWN_COST] * 2
    assert said == ""


def test_an_unreadable_price_file_of_the_environment(server: Server, tmp_path: Path) -> None:
    """A figure by other prices than the user's could be wrong: there is none, and one warning."""
    rows, said = called(server, tmp_path, "not json")
    assert [(row["cost_usd"], row["cost_status"]) for row in rows] == [(None, "unpriced")] * 2
    assert said.count("EDGEQUAKE_OBS_PRICES") == 1
    assert str(tmp_path / "prices.json") in said


def test_a_good_configuration_replaces_a_bad_environment(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EDGEQUAKE_OBS_PRICES", "/nowhere/prices.json")
    edgequake_obs.configure(prices={})
    with caplog.at_level(logging.WARNING):
        assert pricing.cost(USAGE, model="gpt-4o-mini").usd == Decimal(COST)
    assert caplog.messages == []
