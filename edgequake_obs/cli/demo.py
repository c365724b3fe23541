"""`edgequake-obs demo`: a tour against recorded answers, with a ledger that is removed afterwards."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

NAME = "demo"
HELP = "Makes a call of each kind against recorded answers and shows what is recorded; needs no key and no network."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    from edgequake_obs import _native

    if not _native.enabled():
        print("edgequake-obs: nothing is recorded while EDGEQUAKE_OBS_DISABLED is set: unset it", file=sys.stderr)
        return 1
    from edgequake_obs.demo.program import main

    return main()
