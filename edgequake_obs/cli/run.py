"""`edgequake-obs run -- COMMAND…`: starts a program whose calls are recorded, without a change to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

NAME = "run"
HELP = (
    "Starts a program and records its calls through openai, litellm and anthropic: edgequake-obs run -- python app.py"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this command takes."""
    import argparse

    parser.add_argument("--ledger", metavar="PATH", help="where the calls are recorded (default: EDGEQUAKE_OBS_LEDGER)")
    parser.add_argument("program", nargs=argparse.REMAINDER, metavar="COMMAND", help="the program and its arguments")


def run(arguments: argparse.Namespace) -> int:
    """Becomes the program; comes back only where that cannot be started."""
    command: list[str] = arguments.program
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        raise ValueError("nothing to run: name the program, as in `edgequake-obs run -- python app.py`")
    if arguments.ledger is not None:
        os.environ["EDGEQUAKE_OBS_LEDGER"] = os.path.abspath(arguments.ledger)
    os.environ["PYTHONPATH"] = os.pathsep.join(_path())
    try:
        os.execvp(command[0], command)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no program {command[0]!r} on the PATH") from None
    except PermissionError:
        raise PermissionError(f"{command[0]!r} may not be run") from None


def _path() -> list[str]:
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    loader = os.path.join(package, "loader")
    before = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    return [loader, *(folder for folder in before if folder != loader)]
