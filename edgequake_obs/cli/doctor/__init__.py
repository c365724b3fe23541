"""`edgequake-obs doctor`: what is installed and hooked, whether a call gives its row, and what to do if not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from edgequake_obs.cli.options import add_ledger

from .check import Check

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

NAME = "doctor"
HELP = (
    "Checks that calls are recorded here: what is installed, hooked, writable; exit status 1 where something is wrong."
)

NOT_SEEN = "of the openai SDK: realtime, live sessions and websockets, videos, agents, assistants and threads"
OLD = 90  # days after which prices may have changed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this command takes."""
    parser.add_argument("--format", choices=("plain", "json"), default="plain", help="default: plain")
    add_ledger(parser)


def run(arguments: argparse.Namespace) -> int:
    """Looks at everything; returns the exit status."""
    checks = list(_checks(arguments.ledger))
    if arguments.format == "json":
        import json

        print(json.dumps([check._asdict() for check in checks], indent=1))
    else:
        for check in checks:
            print(f"{check.status:5}  {check.name}: {check.found}")
            if check.remedy:
                print(f"       {check.remedy}")
    return int(any(check.status == "wrong" for check in checks))


def _checks(path: str | None) -> Iterator[Check]:
    from edgequake_obs import _native

    from . import collector, ledger, libraries, self_test

    yield Check("version", "ok", f"{_native.__version__} on Python {sys.version.split()[0]}")
    if not _native.enabled():
        remedy = "unset EDGEQUAKE_OBS_DISABLED to record calls"
        yield Check("recording", "wrong", "switched off by EDGEQUAKE_OBS_DISABLED", remedy)
    yield ledger.check(path)
    yield from libraries.checks()
    yield Check("not seen", "note", NOT_SEEN)
    yield _prices()
    yield from collector.checks()
    if _native.enabled():
        yield from self_test.checks()


def _prices() -> Check:
    import re
    from datetime import date

    from edgequake_obs import _native

    said = str(_native.price_versions())
    if problem := _native.price_problem():
        return Check("prices", "wrong", problem, "mend that file, or unset EDGEQUAKE_OBS_PRICES")
    dates = [date.fromisoformat(text) for text in re.findall(r"\d{4}-\d{2}-\d{2}", said)]
    if not dates:
        return Check("prices", "ok", said)
    age = (date.today() - max(dates)).days
    if age > OLD:
        return Check("prices", "note", f"{age} days old", "edgequake-obs prices update --from FILE, or a newer release")
    return Check("prices", "ok", f"of {max(dates)}")
