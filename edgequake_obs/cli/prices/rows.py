"""Rows of prices, in the formats of every command."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import TYPE_CHECKING

from edgequake_obs.cli.options import FORMATS, chosen_format
from edgequake_obs.cli.output import text, write
from edgequake_obs.cli.reader import nothing
from edgequake_obs.cli.table import Heading, render
from edgequake_obs.cli.terminal import shows_boxes, terminal_width

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def add_format(parser: argparse.ArgumentParser) -> None:
    """`--format`."""
    parser.add_argument(
        "--format", choices=FORMATS, help="default: table in a terminal, otherwise plain (columns separated by tabs)"
    )


def print_rows(
    arguments: argparse.Namespace, columns: Sequence[str], rows: Sequence[Sequence[object]], none: str
) -> int:
    """Prints them; `none` is said where there are none. Returns the exit status."""
    style = chosen_format(arguments)
    if style != "table":
        write(style, columns, ["VARCHAR"] * len(columns), rows, sys.stdout)
        return 0
    if not rows:
        return nothing(style, none)
    numeric = [
        all(row[place] is None or isinstance(row[place], (int, Decimal)) for row in rows)
        for place in range(len(columns))
    ]
    headings = [Heading(name, text, right=right) for name, right in zip(columns, numeric, strict=True)]
    sys.stdout.write(render(headings, rows, None, terminal_width(), ascii_only=not shows_boxes()))
    return 0
