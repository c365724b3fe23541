"""`edgequake-obs fold`: moves what programs have recorded from the spool into the tables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from edgequake_obs import ledger

from .options import add_rows, chosen_format
from .output import write
from .reader import nothing

if TYPE_CHECKING:
    import argparse

NAME = "fold"
HELP = "Moves recorded calls from the spool into the tables; readers get in between two files."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this command takes."""
    add_rows(parser)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    style = chosen_format(arguments)
    fields = ledger.FoldReport._fields
    try:
        report = ledger.fold(arguments.ledger)
    except ledger.LedgerNotFoundError as error:
        return nothing(style, str(error), fields)
    if style != "table":
        write(style, fields, ["BIGINT"] * len(fields), [(*report[:-1], round(report.seconds, 3))], sys.stdout)
        return 0
    print(f"Folded {report.records:,} calls from {report.files:,} files in {report.seconds:.2f} s.")
    if report.set_aside:
        print(f"{report.set_aside:,} lines could not be read and are kept in the spool's aside/.")
    if report.busy:
        print(f"{report.busy:,} files were busy and wait for the next fold.")
    return 0
