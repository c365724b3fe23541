"""`edgequake-obs prices explain`: how a model's prices are found, the rates, and the arithmetic of a usage."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from edgequake_obs import _native
from edgequake_obs.cli.options import FORMATS, chosen_format
from edgequake_obs.cli.output import as_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from edgequake_obs._native import Cost, Explanation

NAME = "explain"
HELP = "How a model's prices are found, what they are, and what a usage costs by them."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this action takes."""
    parser.add_argument("model", metavar="MODEL", help="as a program would call it")
    parser.add_argument("--provider", metavar="P", default="", help="litellm's id of the provider, such as openai")
    parser.add_argument("--at", metavar="DATE", help="the prices of this day or moment (UTC); default: now")
    parser.add_argument("--usage", metavar="JSON", help="a provider's own usage object, to be priced")
    parser.add_argument("--format", choices=FORMATS, help="json: one object; anything else: text")


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    import time

    from edgequake_obs._instants import instant_ns

    at_ns = time.time_ns() if arguments.at is None else instant_ns("--at", arguments.at)
    if arguments.usage is not None:
        _check_json(arguments.usage)
    found = _native.explain_price(arguments.model, arguments.provider, at_ns, arguments.usage)
    if chosen_format(arguments) == "json":
        cost = found.get("cost")
        said = {
            **found,
            "steps": [list(step) for step in found["steps"]],
            "cost": None if cost is None else _fields(cost),
        }
        print(_object(said))
    else:
        _print(found, arguments.model)
    if found["key"] is None and found["source"] is None:
        print(f"edgequake-obs: {arguments.model}: {found['reason']}; {_remedy(arguments.provider)}", file=sys.stderr)
        return 1
    return 0


def _check_json(text: str) -> None:
    import json

    try:
        json.loads(text)
    except ValueError as error:
        raise ValueError(f"--usage is not JSON: {error}") from None


def _remedy(provider: str) -> str:
    if not provider:
        return "give --provider, or look for its key with `edgequake-obs prices search`"
    return "look for its key with `edgequake-obs prices search`, or give it prices in EDGEQUAKE_OBS_PRICES"


def _fields(cost: Cost) -> dict[str, object]:
    return {
        "usd": cost.usd,
        "computed_usd": cost.computed_usd,
        "reported_usd": cost.reported_usd,
        "status": cost.status,
        "reason": cost.reason,
        "buckets": cost.buckets,
        "breakdown": cost.breakdown,
    }


def _object(value: Any) -> str:
    """JSON with exact numbers."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{as_json(name)}: {_object(item)}" for name, item in cast("dict[str, Any]", value).items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_object, cast("list[Any]", value))) + "]"
    return as_json(value)


def _print(found: Explanation, model: str) -> None:
    print(f"{model} by the prices of {found['price_version']}")
    if found["steps"]:
        print("\nlooked up:")
        _columns(found["steps"])
    if found["prices"]:
        whose = {"user": "your own", "history": "of that day"}.get(found["source"] or "", "from the table")
        print(f"\nrates in USD, {whose}, under {found['key']}:")
        _columns([(field, format(rate, "f")) for field, rate in found["prices"].items()])
    if cost := found.get("cost"):
        _print_arithmetic(cost)


def _print_arithmetic(cost: Cost) -> None:
    print("\narithmetic:")
    lines: list[tuple[str, ...]] = []
    for bucket, line in cost.breakdown.items():
        count = line.get("tokens", line.get("quantity"))
        times = f" × {line['multiplier']:f}" if "multiplier" in line else ""
        lines.append((bucket, f"{count} × {line['rate']:f}{times}", f"= {line['usd']:f}"))
    _columns(lines)
    if cost.computed_usd is not None:
        print(f"  by list price {cost.computed_usd:f} USD")
    if cost.reported_usd is not None:
        print(f"  by the provider's own word {cost.reported_usd:f} USD")
    paid = "not known" if cost.usd is None else f"{cost.usd:f} USD"
    print(f"  to pay: {paid} ({cost.status}{f': {cost.reason}' if cost.reason else ''})")


def _columns(rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
