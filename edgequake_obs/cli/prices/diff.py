"""`edgequake-obs prices diff`: what an update would change, or did."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from edgequake_obs import _native

from .rows import add_format, print_rows
from .tables import compiled_file

if TYPE_CHECKING:
    import argparse

NAME = "diff"
HELP = "Prices that a newer table would change; without --from, those that the last update changed."

_COLUMNS = ("key", "field", "before", "after")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this action takes."""
    parser.add_argument("--from", dest="source", metavar="FILE", help="a price table in litellm's form")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    snapshot = None if arguments.source is None else compiled_file(arguments.source).snapshot
    changes = _native.price_changes(snapshot)
    rows = [
        (key, field, None if before is None else Decimal(before), None if after is None else Decimal(after))
        for key, field, before, after in changes
    ]
    return print_rows(arguments, _COLUMNS, rows, "No price differs.")
