"""`edgequake-obs prices search`: models of the price table by a part of their name."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from edgequake_obs import _native

from .rows import add_format, print_rows

if TYPE_CHECKING:
    import argparse

NAME = "search"
HELP = "Models of the price table by a part of their name."

_COLUMNS = ("key", "litellm_provider", "mode", "input_cost_per_token", "output_cost_per_token")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this action takes."""
    parser.add_argument("text", metavar="TEXT", help="a part of the name; letters may be small or capital")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    wanted = arguments.text.lower()
    rows: list[tuple[object, ...]] = []
    for key in _native.price_keys():
        if wanted in key.lower():
            entry = json.loads(_native.price_entry(key) or "{}", parse_float=Decimal)
            rows.append((key, *(entry.get(name) for name in _COLUMNS[1:])))
    return print_rows(arguments, _COLUMNS, rows, f"No model of the price table has {arguments.text!r} in its name.")
