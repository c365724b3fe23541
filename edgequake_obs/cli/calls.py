"""`edgequake-obs calls`: the recorded calls themselves, the newest first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from edgequake_obs.ledger import LedgerNotFoundError
from edgequake_obs.ledger.schema import CALLS_VIEW
from edgequake_obs.ledger.spending import Bounds, selected

from .following import follow
from .options import add_bounds, add_rows, chosen_format, positive
from .output import write
from .reader import ask, no_ledger, nothing, opened
from .table import Heading, render, seconds, usd, whole
from .terminal import shows_boxes, terminal_width

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

NAME = "calls"
HELP = "The recorded calls, the newest first."

_LIMIT = 20

# What fits a line; json and csv have every column of the view.
_SHOWN = {
    "started_at": "started_at",
    "provider": "provider",
    "model": "coalesce(response_model, request_model)",
    "operation": "operation",
    "outcome": "outcome",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cost_usd": "cost_usd",
    "duration_ns": "duration_ns",
    "error_type": "error_type",
}


def _to_the_second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


_HEADINGS = (
    Heading("started_at (UTC)", _to_the_second, right=True),
    Heading("provider", spare=2),
    Heading("model"),
    Heading("operation", spare=3),
    Heading("outcome"),
    Heading("input", whole, right=True),
    Heading("output", whole, right=True),
    Heading("cost_usd", usd, right=True),
    Heading("duration", seconds, right=True),
    Heading("error_type", spare=1),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this command takes."""
    add_bounds(parser, until=False)
    parser.add_argument(
        "--limit", metavar="N", type=positive, default=_LIMIT, help=f"at most so many (default: {_LIMIT})"
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="the newest last, and then each call as it ends, until Ctrl-C; with --format json an object a line",
    )
    add_rows(parser)


def _selected(whole_rows: bool) -> list[str]:
    return ["*"] if whole_rows else [f"{sql} AS {name}" for name, sql in _SHOWN.items()]


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    style = chosen_format(arguments)
    whole_rows = style in ("json", "csv")
    if arguments.follow:
        return follow(arguments, style, _selected(whole_rows), _HEADINGS)
    try:
        with opened(arguments.ledger) as connection:
            columns = ", ".join(_selected(whole_rows))
            source = selected(connection, Bounds(arguments.since, None, arguments.where, "UTC"))
            query = f"SELECT {columns} FROM {source} ORDER BY start_ns DESC, call_uid DESC LIMIT {arguments.limit}"
            answer = ask(connection, query, arguments.where)
            if style != "table":
                write(style, answer.columns, answer.types, answer.rows, sys.stdout)
                return 0
            found = list(answer.rows)
            if not found:
                return nothing(style, "No calls recorded there, or none that match.")
            sys.stdout.write(render(_HEADINGS, found, width=terminal_width(), ascii_only=not shows_boxes()))
            return 0
    except LedgerNotFoundError as error:
        return no_ledger(style, error, CALLS_VIEW if whole_rows else list(_SHOWN))
