"""`edgequake-obs prices`: why a model costs what it costs, and the table that says so. One file for each action."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from edgequake_obs.cli import Command

NAME = "prices"
HELP = "The prices: explain, show, search, diff, conflicts, update."


def actions() -> tuple[Command, ...]:
    """The registry: every action, in the order of the help."""
    from . import conflicts, diff, explain, search, show, update

    return (explain, show, search, diff, conflicts, update)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions, each with what it takes."""
    subparsers = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action in actions():
        action.add_arguments(
            subparsers.add_parser(action.NAME, help=action.HELP, description=action.HELP, allow_abbrev=False)
        )


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    return {action.NAME: action for action in actions()}[arguments.action].run(arguments)
