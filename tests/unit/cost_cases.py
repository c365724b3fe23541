"""The price engine's cases: a usage object and what is known of its call, and the exact amount that is right."""

from __future__ import annotations

import dataclasses
import functools
import json
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from .programs import ROOT

SAMPLE = ROOT / "pricing/tests/data/cost_cases_sample.jsonl"
WHOLE = ROOT.parent / "shared/pricing/cost_cases.jsonl"


@dataclasses.dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        usage_format: Whose usage object it is; with `.stream` behind it, `usage` is a list of events.
        options: What else is known of the call, by the names of `pricing.cost`; `at` is always given.
        dated: Whether the prices depend on `at`.
        usd: The right amount to 12 decimals; None where it is not known.
    """

    id: str
    model: str
    provider: str
    usage_format: str
    usage: Any
    options: dict[str, Any]
    dated: bool
    usd: Decimal | None
    status: str


def _read(line: str) -> Case:
    found = json.loads(line)
    options = dict(found["options"])
    dated = options.pop("timestamp", None) is not None or found["price_source"] == "price_history"
    expected = found["expected_usd"]
    return Case(
        found["id"],
        found["model"],
        found["provider"],
        found["usage_format"],
        found["usage"],
        {**options, "at": found["as_of"]},
        dated,
        None if expected is None else Decimal(expected).quantize(Decimal("1e-12"), ROUND_HALF_EVEN),
        found["status"],
    )


@functools.cache
def cases(path: Path) -> list[Case]:
    """All cases of a file."""
    return [_read(line) for line in path.read_text(encoding="utf-8").splitlines()]
