"""litellm's functions about costs and models, on the exact engine."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import edgequake_obs
from edgequake_obs import pricing
from edgequake_obs.exceptions import ModelNotMappedError

from .conftest import Ask
from .programs import run
from .server import USAGE, Answer, Server, chat

CHAT = {"model": "gpt-4o-mini-2024-07-18", "object": "chat.completion", "usage": USAGE}
COST = 0.0000069

pytestmark = pytest.mark.usefixtures("shipped_models")


class Dumps(SimpleNamespace):
    """Stands for the models of pydantic that clients answer with."""

    def model_dump(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


@pytest.mark.parametrize(
    ("response", "arguments", "usd"),
    [
        (CHAT, {}, "0.0000069"),
        (Dumps(**CHAT), {}, "0.0000069"),
        (SimpleNamespace(**CHAT), {}, "0.0000069"),
        # litellm's: writes to a cache under Anthropic's names, inside of prompt_tokens.
        (
            {
                "model": "claude-sonnet-4-5-20250929",
                "usage": {
                    "prompt_tokens": 1000, "completion_tokens": 10, "cache_creation_input_tokens": 600,
                    "cache_read_input_tokens": 300,
                },
            },
            {"custom_llm_provider": "anthropic"},
            str(100 * 3 / 10**6 + 600 * 3.75 / 10**6 + 300 * 0.3 / 10**6 + 10 * 15 / 10**6),
        ),
        # Anthropic's own: input_tokens beside the cache, not around it.
        (
            {
                "type": "message", "model": "claude-sonnet-4-5-20250929",
                "usage": {
                    "input_tokens": 100, "cache_creation_input_tokens": 600, "cache_read_input_tokens": 300,
                    "output_tokens": 10,
                },
            },
            {},
            str(100 * 3 / 10**6 + 600 * 3.75 / 10**6 + 300 * 0.3 / 10**6 + 10 * 15 / 10**6),
        ),
        # Gemini's own.
        (
            {
                "modelVersion": "gemini-2.5-flash",
                "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110},
            },
            {"custom_llm_provider": "gemini"},
            "0.000055",
        ),
        # Bedrock's own, which does not name its model.
        (
            {"usage": {"inputTokens": 100, "outputTokens": 10, "totalTokens": 110}},
            {"model": "bedrock/us.amazon.nova-pro-v1:0"},
            "0.000112",
        ),
        ({**CHAT, "service_tier": "priority"}, {"model": "gpt-4o-mini"}, str(14 * 0.25 / 10**6 + 8 * 1 / 10**6)),
        (CHAT, {"custom_cost_per_token": {"input_cost_per_token": 0.1, "output_cost_per_token": 0.2}}, "3"),
        (None, {"model": "x", "custom_cost_per_second": 0.001, "total_time": 2500}, "0.0025"),
        (
            {"model": "openai/gpt-4o-mini", "usage": {**USAGE, "cost": 0.5}},
            {"custom_llm_provider": "openrouter"},
            "0.5",
        ),
    ],
)  # fmt: skip
def test_completion_cost(response: Any, arguments: dict[str, Any], usd: str) -> None:
    assert edgequake_obs.completion_cost(response, **arguments) == pytest.approx(float(usd), rel=1e-12)


def test_our_own_answer_costs_what_its_call_cost(server: Server, ask: Ask) -> None:
    server.will(Answer(body=chat()), Answer(body=chat()))
    answer = ask(input_cost_per_token=0.001, output_cost_per_token=0.001)
    assert edgequake_obs.completion_cost(answer) == answer._hidden_params["response_cost"] == 0.022
    assert edgequake_obs.completion_cost(completion_response=answer, model="gpt-4o-mini") == COST
    assert edgequake_obs.completion_cost(ask()) == COST


def test_an_unknown_model_raises_what_litellm_raises() -> None:
    with pytest.raises(ModelNotMappedError, match="model=openai/gpt-99, custom_llm_provider=openai"):
        edgequake_obs.completion_cost({"model": "openai/gpt-99", "usage": USAGE})
    with pytest.raises(edgequake_obs.BadRequestError, match=r"LLM Provider NOT provided.*gpt-99"):
        edgequake_obs.cost_per_token("gpt-99", 1, 1)
    with pytest.raises(ValueError, match="needs a model"):
        edgequake_obs.completion_cost({"usage": USAGE})


def test_an_unknown_price_is_none_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    usage = {**USAGE, "completion_tokens_details": {"audio_tokens": 5}}
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert edgequake_obs.completion_cost({"model": "gpt-4o-mini", "usage": usage}) is None
    assert caplog.messages == [
        "the cost is not known, and not 0: gpt-4o-mini: audio_out has no rate: no output_cost_per_audio_token"
    ]


def test_cost_per_token() -> None:
    cost = edgequake_obs.cost_per_token
    assert cost("gpt-4o-mini", 1000, 100) == (0.00015, 0.00006)
    assert cost("gpt-4o-mini", 1000, 100, cache_read_input_tokens=400) == (0.00012, 0.00006)
    assert cost(model="openai/gpt-4o-mini", prompt_tokens=1000) == (0.00015, 0)
    assert cost("x", custom_cost_per_second=0.01, response_time_ms=1000) == (0, 0.01)
    assert cost("gpt-4o-mini", usage_object=USAGE) == (14 * 15e-8, 8 * 6e-7)
    assert cost("cohere/rerank-v3.5", number_of_queries=2) == (0.004, 0)
    # No price for writes to a cache: unknown, where litellm bills them as input.
    assert cost("gpt-4o-mini", 1000, 100, cache_creation_input_tokens=10) == (None, None)


def test_model_cost_is_a_mapping_of_the_table() -> None:
    table = edgequake_obs.model_cost
    assert "gpt-4o-mini" in table
    assert table["gpt-4o-mini"]["input_cost_per_token"] == 1.5e-07
    assert table.get("no-such-model") is None
    assert len(table) == len(list(table)) == len(edgequake_obs.model_list) > 4000
    with pytest.raises(KeyError):
        table["no-such-model"]
    table["mine"] = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}
    assert edgequake_obs.completion_cost({"model": "mine", "usage": USAGE}) == 0.03
    assert "mine" in list(table)


def test_the_shipped_table_is_litellms() -> None:
    """Entry by entry: the same fields, and the same figures but for the noise of floats."""
    theirs = json.loads(
        (Path(__file__).parents[2] / "pricing/sources/litellm_model_prices.json").read_text(encoding="utf-8")
    )
    for key in ("sample_spec", "fallback_generalizations"):
        del theirs[key]
    table = edgequake_obs.model_cost
    assert set(table) == set(theirs)
    for key, entry in theirs.items():
        ours = table[key]
        assert ours.keys() == entry.keys(), key
        for name, value in entry.items():
            if isinstance(value, (dict, list)):
                continue
            close = isinstance(value, float) and ours[name] == pytest.approx(value, rel=1e-14, abs=0)
            assert ours[name] == value or close, (key, name)


def test_register_model() -> None:
    given = {
        "mine": {
            "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06, "litellm_provider": "openai",
            "max_output_tokens": 77,
        },
        "gpt-4o-mini": {"output_cost_per_token": 1e-06},
    }  # fmt: skip
    assert edgequake_obs.register_model(given) is given
    assert edgequake_obs.cost_per_token("mine", 1000, 1000) == (0.001, 0.002)
    # What is not said stays.
    assert edgequake_obs.cost_per_token("gpt-4o-mini", 1000, 1000) == (0.00015, 0.001)
    assert edgequake_obs.get_max_tokens("mine") == 77
    assert edgequake_obs.get_model_info("gpt-4o-mini")["max_input_tokens"] == 128000
    assert pricing.cost(USAGE, model="mine").price_source == "user"
    with pytest.raises(ValueError, match=r"prices update --from https://example\.org"):
        edgequake_obs.register_model("https://example.org/prices.json")
    with pytest.raises(ValueError, match="cheap"):
        edgequake_obs.register_model({"mine": {"input_cost_per_token": "cheap"}})


def test_the_whole_table_can_be_registered() -> None:
    """As programs do that keep a table of their own."""
    table = dict(edgequake_obs.model_cost)
    edgequake_obs.register_model(table)
    usage = {"prompt_tokens": 200_000, "completion_tokens": 10}
    by_rows = [key for key, entry in table.items() if {"tiered_pricing", "off_peak_pricing"} & entry.keys()]
    assert by_rows
    models = ("gpt-4o-mini", "gemini/gemini-2.5-pro", "claude-sonnet-4-5", *by_rows)
    registered = {model: pricing.cost(usage, model=model) for model in models}
    assert {found.price_source for found in registered.values()} == {"user"}
    edgequake_obs._native.forget_registered_prices()
    assert {model: found.usd for model, found in registered.items()} == {
        model: pricing.cost(usage, model=model).usd for model in models
    }


def test_a_registered_model_is_priced_in_calls(server: Server, ask: Ask) -> None:
    edgequake_obs.register_model({"inhouse-7b": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.001}})
    server.will(Answer(body=chat(model="inhouse-7b")))
    assert ask(model="inhouse-7b")._hidden_params["response_cost"] == 0.022


def test_get_model_info() -> None:
    info = edgequake_obs.get_model_info("openai/gpt-4o")
    assert (info["key"], info["litellm_provider"], info["mode"]) == ("gpt-4o", "openai", "chat")
    assert info["supports_vision"] is True
    assert info["input_cost_per_token_flex"] is None
    assert edgequake_obs.get_model_info("grok-4.7", custom_llm_provider="xai")["max_tokens"] == 500000
    with pytest.raises(ModelNotMappedError, match="gpt-99"):
        edgequake_obs.get_model_info("gpt-99")
    with pytest.raises(Exception, match="gpt-99 isn't mapped yet"):
        edgequake_obs.get_max_tokens("gpt-99")


def test_supports() -> None:
    assert edgequake_obs.supports_vision("gpt-4o") is True
    assert edgequake_obs.supports_function_calling(model="openai/gpt-4o-mini") is True
    assert edgequake_obs.supports_audio_input("gpt-4o-mini", custom_llm_provider="openai") is False
    assert edgequake_obs.supports_reasoning("no-such-model") is False
    assert edgequake_obs.supports_native_streaming("gpt-4o") is True
    with pytest.raises(AttributeError):
        _ = edgequake_obs.supports_telepathy


def test_nothing_of_it_is_imported_before_it_is_used() -> None:
    program = (
        "import sys, edgequake_obs; from edgequake_obs import completion\n"
        "print([name for name in sys.modules if name in "
        "('edgequake_obs.models', 'edgequake_obs.costs', 'edgequake_obs.pricing')])\n"
        "print(edgequake_obs.completion_cost.__module__)"
    )
    assert run(program).stdout == "[]\nedgequake_obs.costs\n"


def test_exact_figures_are_beside() -> None:
    found = pricing.cost(USAGE, model="gpt-4o-mini").usd
    assert found == Decimal("0.0000069") == Decimal(str(edgequake_obs.completion_cost(CHAT)))
