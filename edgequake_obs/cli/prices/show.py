"""`edgequake-obs prices show`: one entry of the price table, whole."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from edgequake_obs import _native

from .rows import add_format, print_rows

if TYPE_CHECKING:
    import argparse

NAME = "show"
HELP = "One entry of the price table: prices in USD, limits, what the model supports."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this action takes."""
    parser.add_argument("model", metavar="MODEL", help="a key of the table, or a model's name")
    parser.add_argument("--provider", metavar="P", default="", help="litellm's id of the provider, such as openai")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    key = _native.price_key(arguments.provider, arguments.model) or arguments.model
    entry = _native.price_entry(key)
    if entry is None:
        raise LookupError(
            f"the price table has no entry for {arguments.model}: look for it with `edgequake-obs prices search`"
        )
    fields: dict[str, object] = json.loads(entry, parse_float=Decimal)
    rows = [(name, _text(value)) for name, value in {"key": key, **fields}.items()]
    return print_rows(arguments, ("field", "value"), rows, "")


def _text(value: object) -> object:
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=str)
    return value
