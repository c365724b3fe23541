"""`edgequake-obs recompute`: recorded calls by today's prices, or by another model's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from edgequake_obs.ledger import LedgerNotFoundError
from edgequake_obs.ledger.correcting import Repriced, recompute

from .options import add_rows, chosen_format
from .output import write
from .reader import no_ledger, nothing
from .table import Heading, render, usd, whole
from .terminal import shows_boxes, terminal_width

if TYPE_CHECKING:
    import argparse

NAME = "recompute"
HELP = "Prices recorded calls again; what differs is written beside them as a correction."

_TYPES = ["VARCHAR", "VARCHAR", *["BIGINT"] * 2, *["DECIMAL(38,12)"] * 2, *["BIGINT"] * 2]
_HEADINGS = (
    Heading("provider", spare=1),
    Heading("model"),
    Heading("calls", whole, right=True),
    Heading("corrected", whole, right=True),
    Heading("before", usd, right=True),
    Heading("after", usd, right=True),
    Heading("unpriced", whole, right=True, spare=2),
    Heading("after", whole, right=True),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this command takes."""
    parser.add_argument(
        "--since", metavar="WHEN", help="calls that started then or later: an ISO date, 7d, 24h, 'today', 'month'"
    )
    parser.add_argument("--model", metavar="M", help="only calls of this model, as asked for or as it answered")
    parser.add_argument(
        "--as-model",
        metavar="M",
        help="by the prices of this model: with --dry-run what the calls would have cost on it",
    )
    parser.add_argument("--dry-run", action="store_true", help="show the figures and write nothing")
    add_rows(parser)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    style = chosen_format(arguments)
    try:
        groups = recompute(
            arguments.since, arguments.model, arguments.as_model, arguments.dry_run, path=arguments.ledger
        )
    except LedgerNotFoundError as error:
        return no_ledger(style, error, Repriced._fields)
    if style != "table":
        write(style, Repriced._fields, _TYPES, groups, sys.stdout)
        return 0
    if not groups:
        return nothing(style, "No calls recorded there, or none that match.")
    total = ["total", None, *(_total(groups, place) for place in range(2, len(Repriced._fields)))]
    sys.stdout.write(render(_HEADINGS, groups, total, terminal_width(), ascii_only=not shows_boxes()))
    print(_conclusion(groups, arguments.dry_run))
    return 0


def _total(groups: list[Repriced], place: int) -> Any:
    values: list[Any] = [group[place] for group in groups if group[place] is not None]
    return sum(values[1:], values[0]) if values else None


def _conclusion(groups: list[Repriced], dry_run: bool) -> str:
    corrected = sum(group.corrected for group in groups)
    if not corrected:
        return "Every figure is what the prices say."
    if dry_run:
        return f"A dry run: {corrected:,} of the figures would be corrected, and none was."
    return (
        f"{corrected:,} corrections written; the rows as they were recorded are still there, see the view corrections."
    )
