"""`edgequake-obs fold`: moves what programs have recorded from the spool into the tables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from edgequake_obs import ledger
from edgequake_obs.ledger.folding import fold_telling
from edgequake_obs.ledger.place import place_of
from edgequake_obs.ledger.spool import newer

from .options import add_rows, chosen_format
from .output import write
from .progress import Progress
from .reader import no_ledger

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
    progress = Progress("Folding")
    try:
        report = fold_telling(arguments.ledger, progress.tell)
    except ledger.LedgerNotFoundError as error:
        return no_ledger(style, error, fields)
    finally:
        progress.end()
    if waiting := newer(place_of(arguments.ledger)):
        print(
            f"Written by a newer version of edgequake_obs and left for it: {_counted(len(waiting), 'spool file')}. "
            "Fold with that version too; until then the views show the columns that this version knows.",
            file=sys.stderr,
        )
    if style != "table":
        write(style, fields, ["BIGINT"] * len(fields), [(*report[:-1], round(report.seconds, 3))], sys.stdout)
        return 0
    files, calls = _counted(report.files, "file"), _counted(report.records, "call")
    print(f"Folded {calls} from {files} in {report.seconds:.2f} s.")
    if report.set_aside:
        are = "is" if report.set_aside == 1 else "are"
        print(f"{_counted(report.set_aside, 'line')} could not be read and {are} kept in the spool's aside/.")
    if report.busy:
        print(f"Somebody holds {_counted(report.busy, 'more file')}: the next fold takes what is left.")
    return 0


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
