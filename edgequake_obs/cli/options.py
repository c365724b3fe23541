"""Options that several commands take."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

FORMATS = ("table", "plain", "json", "csv")


def add_ledger(parser: argparse.ArgumentParser) -> None:
    """`--ledger`."""
    parser.add_argument(
        "--ledger",
        metavar="PATH",
        help="the .duckdb file (default: EDGEQUAKE_OBS_LEDGER, else the user data directory)",
    )


def add_rows(parser: argparse.ArgumentParser) -> None:
    """The options of commands that print rows: `--format` and `--ledger`."""
    parser.add_argument(
        "--format", choices=FORMATS, help="default: table in a terminal, otherwise plain (columns separated by tabs)"
    )
    add_ledger(parser)


def add_bounds(parser: argparse.ArgumentParser, *, until: bool = True) -> None:
    """`--since`, `--until`, `--where`."""
    moments = "an ISO date or time (UTC unless it says otherwise), an age such as 7d or 24h, 'today', or 'month'"
    parser.add_argument("--since", metavar="WHEN", help=f"calls that started then or later: {moments}")
    if until:
        parser.add_argument("--until", metavar="WHEN", help="calls that started before then")
    parser.add_argument(
        "--where", metavar="SQL", help="a condition over the columns of calls, e.g. \"user_id = 'ann'\""
    )


def positive(text: str) -> int:
    """An argparse type: a whole number from 1."""
    import argparse

    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return number


def chosen_format(arguments: argparse.Namespace) -> str:
    """The format asked for, else what suits where the output goes."""
    return arguments.format or ("table" if sys.stdout.isatty() else "plain")
