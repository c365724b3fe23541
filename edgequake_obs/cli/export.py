"""`edgequake-obs export`: a copy of the ledger that stands by itself."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from edgequake_obs import ledger
from edgequake_obs.ledger.exporting import export

from .options import add_ledger

if TYPE_CHECKING:
    import argparse

NAME = "export"
HELP = "Copies the ledger: into one .duckdb file of plain tables, or into a folder of Parquet files by month."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this command takes."""
    parser.add_argument(
        "--to",
        metavar="FILE.duckdb|DIR/",
        required=True,
        help="what is made: a name that ends in .duckdb, or a folder that is absent or empty",
    )
    add_ledger(parser)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    try:
        copied = export(arguments.ledger, arguments.to)
    except ledger.LedgerNotFoundError as error:
        print(f"edgequake-obs: {error}", file=sys.stderr)
        return 1
    rows = ", ".join(f"{count:,} {name}" for name, count in copied.rows.items() if count or name == "calls")
    print(f"Exported {rows} to {copied.path}.")
    return 0
