"""`pricing.cost`: every case exactly, and what it says where there is nothing to price."""

from __future__ import annotations

import inspect
import json
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edgequake_obs import pricing

from .cost_cases import SAMPLE, WHOLE, cases

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}


@pytest.mark.parametrize("told_by_shape", [False, True], ids=["by_format", "by_shape"])
@pytest.mark.parametrize("path", [SAMPLE, WHOLE], ids=["sample", "whole"])
def test_every_case_is_exact(path: Path, told_by_shape: bool) -> None:
    if not path.exists():
        pytest.skip("the corpus does not lie beside the repository: only the sample was priced")
    wrong: list[str] = []
    for case in cases(path):
        usage_format = None if told_by_shape else case.usage_format
        found = pricing.cost(
            case.usage, model=case.model, provider=case.provider, usage_format=usage_format, **case.options
        )
        if (found.usd, found.status) != (case.usd, case.status):
            wrong.append(f"{case.id}: {found}, not {case.usd} {case.status}")
        lines = sum((Decimal(line["usd"]) for line in found.breakdown.values()), Decimal())
        if found.status == "priced" and round(lines, 12) != found.computed_usd:
            wrong.append(f"{case.id}: the lines of {found} add up to {lines}")
    assert not wrong, "\n".join(wrong)
    assert len(cases(path)) >= 60


def test_the_signature_is_the_documented_one() -> None:
    """../shared/design/public_api.md."""
    names = (
        "usage, model, provider, usage_format, at, service_tier, requested_service_tier, batch, data_residency, "
        "vertex_location, base_model, custom_pricing, web_search_calls"
    )
    parameters = inspect.signature(pricing.cost).parameters
    assert ", ".join(parameters) == names
    assert [name for name, one in parameters.items() if one.kind is not one.KEYWORD_ONLY] == ["usage"]


def test_the_proof() -> None:
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 400}}
    found = pricing.cost(usage, model="gpt-4o-mini", provider="openai")
    assert found.buckets == {"text_in": 600, "cache_read": 400, "text_out": 100}
    assert found.breakdown["cache_read"] == {
        "tokens": 400, "rate": Decimal("0.000000075"), "usd": Decimal("0.00003"),
    }  # fmt: skip
    assert found.usd == found.computed_usd == Decimal("0.00018")
    assert (found.status, found.price_key, found.price_source) == ("priced", "gpt-4o-mini", "table")
    assert found.price_version.startswith("20")
    assert (found.reason, found.reported_usd) == (None, None)
    assert json.loads(found.breakdown_json)["text_out"]["rate"] == "0.0000006"
    assert repr(found) == "Cost(usd=Decimal('0.00018'), status='priced', price_key='gpt-4o-mini', reason=None)"


@pytest.mark.parametrize(
    ("usage", "model", "status", "reason"),
    [
        (None, "gpt-4o", "no_usage", "no usage"),
        ({}, "gpt-4o", "no_usage", "unknown shape"),
        (USAGE, "gpt-999", "unpriced", "no prices for this model"),
        ({**USAGE, "prompt_tokens": -1}, "gpt-4o", "no_usage", "-1"),
        ({**USAGE, "prompt_tokens": 10**30}, "gpt-4o", "no_usage", "malformed"),
        ({**USAGE, "prompt_tokens_details": {"cached_tokens": 5000}}, "gpt-4o", "no_usage", "parts add up to 5000"),
        ({**USAGE, "completion_tokens_details": {"audio_tokens": 10}}, "gpt-4o", "partial", "audio_out has no rate"),
    ],
)
def test_no_figure_has_a_reason(usage: Any, model: str, status: str, reason: str) -> None:
    found = pricing.cost(usage, model=model, provider="openai")
    assert (found.usd, found.status) == (None, status)
    assert reason in (found.reason or "")


def test_the_providers_own_figure_wins_and_ours_stays_beside_it() -> None:
    usage = {**USAGE, "cost": 0.0005}
    found = pricing.cost(usage, model="openai/gpt-4o-mini", provider="openrouter", base_model="openai/gpt-4o-mini")
    assert (found.usd, found.reported_usd, found.status) == (Decimal("0.0005"), Decimal("0.0005"), "reported")
    assert found.computed_usd == Decimal("0.00021")


def test_the_model_may_name_its_provider() -> None:
    for model in ("gpt-4o-mini", "openai/gpt-4o-mini"):
        assert pricing.cost(USAGE, model=model).usd == Decimal("0.00021")


@pytest.mark.parametrize(
    "at", ["2025-01-01", date(2025, 1, 1), datetime(2025, 1, 1), datetime(2025, 1, 1, tzinfo=timezone.utc)]
)
def test_points_in_time(at: Any) -> None:
    before, now = (pricing.cost(USAGE, model="o3", provider="openai", at=when) for when in (at, "2026-11-01"))
    assert (before.price_source, now.price_source) == ("history", "table")
    assert before.usd is not None
    assert now.usd is not None
    assert before.usd > now.usd


def test_the_tier_asked_for_never_decides() -> None:
    def of(**tiers: str) -> Decimal | None:
        return pricing.cost(USAGE, model="gpt-5", provider="openai", **tiers).usd

    assert of(requested_service_tier="priority") == of() != of(service_tier="priority")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"usage_format": "openai.smile"}, ValueError, "openai.chat"),
        ({"at": "soon"}, ValueError, "at='soon' is not a point in time"),
        ({"custom_pricing": {"input_cost_per_smile": 1}}, ValueError, "input_cost_per_smile"),
        ({"custom_pricing": {"input_cost_per_token": -1}}, ValueError, "input_cost_per_token.*-1"),
        ({"custom_pricing": {"input_cost_per_token": True}}, ValueError, "bool"),
        ({"custom_pricing": "cheap"}, TypeError, "dict of price fields"),
        ({"model": None}, TypeError, "str"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        pricing.cost(USAGE, **{"model": "gpt-4o", **arguments})


def test_floats_count_by_their_shortest_digits() -> None:
    prices = {"input_cost_per_token": 1.5e-07, "output_cost_per_token": Decimal("6E-7")}
    assert pricing.cost(USAGE, model="mine", custom_pricing=prices).usd == Decimal("0.00021")
