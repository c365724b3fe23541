"""The command line, `edgequake-obs COMMAND`: every command is a file of its own and mirrors the library."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Protocol

    class Command(Protocol):
        """A module of this package."""

        @property
        def NAME(self) -> str: ...
        @property
        def HELP(self) -> str: ...
        def add_arguments(self, parser: argparse.ArgumentParser, /) -> None: ...
        def run(self, arguments: argparse.Namespace, /) -> int: ...


def commands() -> tuple[Command, ...]:
    """The registry: every command, in the order of the help."""
    from . import calls, demo, doctor, export, fold, prices, recompute, run, spend

    return (run, spend, calls, prices, recompute, fold, export, doctor, demo)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: The words after `edgequake-obs`; None: those of this process.

    Returns:
        Exit status: 0 done, 1 the thing asked for failed, 2 wrong usage.
    """
    import argparse
    import os

    from edgequake_obs.ledger import LedgerError

    parser = argparse.ArgumentParser(prog="edgequake-obs", description="What your LLM calls did, and what they cost.")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    known = {command.NAME: command for command in commands()}
    for command in known.values():
        command.add_arguments(
            subparsers.add_parser(command.NAME, help=command.HELP, description=command.HELP, allow_abbrev=False)
        )
    try:
        arguments = parser.parse_args(argv)
        status = known[arguments.command].run(arguments)
        sys.stdout.flush()
        return status
    except SystemExit as leaving:  # argparse: it has said why
        return leaving.code if isinstance(leaving.code, int) else 2
    except BrokenPipeError:
        # The reader has seen enough. What is still buffered must not be complained about at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except KeyboardInterrupt:
        return 130
    except ValueError as error:
        return _failed(error, 2)
    except (LedgerError, LookupError, OSError) as error:
        return _failed(error, 1)


def _failed(error: Exception, status: int) -> int:
    print(f"edgequake-obs: {error}", file=sys.stderr)
    return status
