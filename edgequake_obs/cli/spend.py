"""`edgequake-obs spend`: what the calls cost, by model or whatever else."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

from edgequake_obs.ledger import LedgerNotFoundError
from edgequake_obs.ledger.spending import FIGURES, PERIODS, Bounds, group_names, spend_query

from .options import add_bounds, add_rows, chosen_format, positive
from .output import write
from .reader import Answer, ask, no_ledger, nothing, opened
from .table import Heading, render, usd, whole
from .terminal import shows_boxes, terminal_width

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

NAME = "spend"
HELP = "Calls, tokens and cost in groups, the most expensive first."

# Shorter than the columns' names, so that a table with two of `--by` fits 80 cells.
_SPARE = {"errors": 1, "input_tokens": 2, "output_tokens": 3}
_TITLES = {"input_tokens": "input", "output_tokens": "output", "unpriced_calls": "unpriced"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this command takes."""
    parser.add_argument(
        "--by",
        metavar="COLUMNS",
        default="response_model",
        help="columns of calls, tags.KEY, metadata.KEY, hour, day, week, month; several with commas between them "
        "(default: response_model)",
    )
    add_bounds(parser)
    parser.add_argument("--top", metavar="N", type=positive, help="only the N most expensive groups")
    parser.add_argument("--tz", metavar="ZONE", default="UTC", help="time zone of hour, day, week, month and today")
    add_rows(parser)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    style = chosen_format(arguments)
    names = group_names(arguments.by)
    try:
        with opened(arguments.ledger) as connection:
            bounds = Bounds(arguments.since, arguments.until, arguments.where, arguments.tz)
            query = spend_query(connection, names, bounds)
            answer = ask(connection, query, arguments.where)
            if style == "table":
                return _print_table(answer, names, arguments.top)
            write(style, answer.columns, answer.types, islice(answer.rows, arguments.top), sys.stdout)
            return 0
    except LedgerNotFoundError as error:
        return no_ledger(style, error, [*names, *FIGURES])


def _print_table(answer: Answer, names: Sequence[str], top: int | None) -> int:
    # One query for the rows and their total: the spool grows between two.
    shown: list[Sequence[Any]] = []
    totals: list[Any] = [None] * len(FIGURES)
    left_out = 0
    for row in answer.rows:
        if top is None or len(shown) < top:
            shown.append(row)
        else:
            left_out += 1
        for index, value in enumerate(row[len(names) :]):
            if value is not None:
                totals[index] = value if totals[index] is None else totals[index] + value
    total = dict(zip(FIGURES, totals, strict=True))
    if not total["calls"]:
        return nothing("table", "No calls recorded there, or none that match.")
    if names and names[0] in PERIODS:
        shown.sort(key=lambda row: (row[0] is None, row[0]))  # stable: the most expensive first within each
    headings = [Heading(name) for name in names]
    headings += [
        Heading(_TITLES.get(name, name), usd if name == "cost_usd" else whole, right=True, spare=_SPARE.get(name, 0))
        for name in FIGURES
    ]
    last = ["total", *[None] * (len(names) - 1), *totals] if names else None
    sys.stdout.write(render(headings, shown, last, terminal_width(), ascii_only=not shows_boxes()))
    if left_out:
        print(f"{left_out:,} more groups are not shown, but are in the total.")
    if unpriced := total["unpriced_calls"]:
        calls, them = f"{unpriced:,} calls have no known cost and are", "them"
        if unpriced == 1:
            calls, them = "1 call has no known cost and is", "it"
        print(f"{calls} not in the sum: see {them} with `edgequake-obs calls --where 'cost_usd IS NULL'`.")
    return 0
