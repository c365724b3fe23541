"""`edgequake-obs calls --follow`: each call on a line as it ends."""

from __future__ import annotations

import csv
import sys
import time
from typing import TYPE_CHECKING, Any

from edgequake_obs.ledger import LedgerBusyError, LedgerNotFoundError
from edgequake_obs.ledger.following import Follower
from edgequake_obs.ledger.place import place_of
from edgequake_obs.ledger.spending import Bounds, selected

from .output import json_object, plain_line, text
from .reader import understood
from .table import Heading, line
from .terminal import shows_boxes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import duckdb

_PAUSE = 1.0  # seconds between two looks
# Of the columns of `calls` in a terminal: what most of their values fit in.
_WIDTHS = (19, 10, 28, 10, 12, 9, 9, 12, 9, 20)


def follow(arguments: argparse.Namespace, style: str, columns: Sequence[str], headings: Sequence[Heading]) -> int:
    """Shows the last calls and then every further one, until it is interrupted.

    A ledger that is not there yet, or that somebody holds, is waited for; why is said once.
    """

    def source(connection: duckdb.DuckDBPyConnection) -> str:
        return selected(connection, Bounds(arguments.since, None, arguments.where, "UTC"))

    place = place_of(arguments.ledger)
    follower = Follower(arguments.ledger, columns, source)
    printer = _Printer(style, headings)
    complaint = ""
    begun = False
    while True:
        try:
            if not place.exists():
                raise LedgerNotFoundError(place.database)
            with understood(place, arguments.where):
                rows = follower.further() if begun else follower.first(arguments.limit)
            printer.show(rows, follower.described)
            begun, complaint = True, ""
        except (LedgerNotFoundError, LedgerBusyError) as error:
            if str(error) != complaint:
                complaint = str(error)
                print(f"edgequake-obs: {complaint}; waiting", file=sys.stderr, flush=True)
        time.sleep(_PAUSE)


class _Printer:
    def __init__(self, style: str, headings: Sequence[Heading]) -> None:
        self._style = style
        self._headings = headings
        self._titled = False

    def show(self, rows: Sequence[Sequence[Any]], described: Sequence[tuple[str, str]]) -> None:
        if not self._titled:
            self._titled = True
            self._print_titles([name for name, _ in described])
        for row in rows:
            self._print(row, described)
        sys.stdout.flush()

    def _print_titles(self, names: Sequence[str]) -> None:
        if self._style == "table":
            sys.stdout.write(line(self._headings, _WIDTHS, None, not shows_boxes()))
        elif self._style == "csv":
            csv.writer(sys.stdout, lineterminator="\n").writerow(names)
        elif self._style == "plain":
            sys.stdout.write(plain_line(names))

    def _print(self, row: Sequence[Any], described: Sequence[tuple[str, str]]) -> None:
        if self._style == "table":
            sys.stdout.write(line(self._headings, _WIDTHS, row, not shows_boxes()))
        elif self._style == "json":
            sys.stdout.write(json_object([name for name, _ in described], [kind for _, kind in described], row) + "\n")
        elif self._style == "csv":
            csv.writer(sys.stdout, lineterminator="\n").writerow([text(value) for value in row])
        else:
            sys.stdout.write(plain_line(row))
