"""`edgequake-obs doctor`: what is installed and hooked, whether a call gives its row, and what to do if not."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from .options import add_ledger

if TYPE_CHECKING:
    import argparse

NAME = "doctor"
HELP = (
    "Checks that calls are recorded here: what is installed, hooked, writable; exit status 1 where something is wrong."
)

LIBRARIES = ("openai", "litellm", "anthropic")
# Distributions that hook the same libraries; where their spans cannot be seen, the remedy against two is ours to say.
OTHERS = (
    "opentelemetry-instrumentation-openai",
    "opentelemetry-instrumentation-openai-v2",
    "opentelemetry-instrumentation-genai-openai",
    "openinference-instrumentation-openai",
    "openinference-instrumentation-litellm",
    "logfire",
    "langfuse",
    "langsmith",
    "ddtrace",
)
NOT_SEEN = "realtime, websockets, assistants and threads of the openai SDK"
OLD = 90  # days after which prices may have changed


class Check(NamedTuple):
    """One thing looked at.

    Attributes:
        name: What.
        status: `ok`, `note` or `wrong`.
        found: What was found.
        remedy: What to do about it, where it is wrong.
    """

    name: str
    status: str
    found: str
    remedy: str = ""


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


def _checks(ledger: str | None) -> list[Check]:
    from edgequake_obs import _native

    checks = [Check("version", "ok", f"{_native.__version__} on Python {sys.version.split()[0]}")]
    if not _native.enabled():
        remedy = "unset EDGEQUAKE_OBS_DISABLED to record calls"
        checks.append(Check("recording", "wrong", "switched off by EDGEQUAKE_OBS_DISABLED", remedy))
    checks.append(_ledger(ledger))
    checks.extend(_libraries())
    checks.extend(_others())
    checks.append(Check("not seen", "note", NOT_SEEN))
    checks.append(_prices())
    checks.extend(_collector())
    if _native.enabled():
        checks.extend(_self_tests())
    return checks


def _ledger(path: str | None) -> Check:
    from edgequake_obs.ledger import LedgerError
    from edgequake_obs.ledger.place import place_of

    try:
        place = place_of(path)
    except LedgerError as error:
        return Check("ledger", "wrong", str(error), "set EDGEQUAKE_OBS_LEDGER to the path of a .duckdb file")
    folder = os.path.dirname(place.database)
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    if not os.access(folder, os.W_OK) or (os.path.isdir(place.spool) and not os.access(place.spool, os.W_OK)):
        return Check("ledger", "wrong", f"{place.database} cannot be written", "set EDGEQUAKE_OBS_LEDGER elsewhere")
    if not os.path.exists(place.database):
        return Check("ledger", "ok", f"{place.database}, to be made by the first call")
    import duckdb

    try:
        duckdb.connect(place.database).close()
    except duckdb.Error as error:
        from edgequake_obs.ledger.holder import refusal

        # Programs record into the spool all the same.
        return Check("ledger", "note", str(refusal(error, place)))
    return Check("ledger", "ok", f"{place.database}, held by nobody")


def _libraries() -> list[Check]:
    from importlib import import_module
    from importlib.metadata import PackageNotFoundError, version

    from edgequake_obs import patches

    checks: list[Check] = []
    installed: dict[str, str] = {}
    for library in LIBRARIES:
        try:
            installed[library] = version(library)
        except PackageNotFoundError:
            checks.append(Check(library, "note", "not installed"))
    if not installed:
        remedy = "record calls by `import edgequake_obs as litellm`, or install one of them beside this package"
        return [*checks, Check("libraries", "note", "none that can be hooked", remedy)]
    patches.instrument()
    for library, its_version in installed.items():
        try:
            import_module(library)
        except Exception as error:
            remedy = f"`python -c 'import {library}'` must work"
            checks.append(Check(library, "wrong", f"{its_version} cannot be imported: {error}", remedy))
            continue
        targets = patches.hooked().get(library, {})
        missing = [name.rpartition(".")[2] for name, is_hooked in targets.items() if not is_hooked]
        found = f"{its_version}, {len(targets) - len(missing)} functions hooked"
        if not any(targets.values()):
            remedy = "this version is not known: report it, or install an older one"
            checks.append(Check(library, "wrong", f"{its_version}, nothing could be hooked", remedy))
        elif missing:
            checks.append(Check(library, "ok", f"{found}; not in this version: {', '.join(dict.fromkeys(missing))}"))
        else:
            checks.append(Check(library, "ok", found))
    return checks


def _others() -> list[Check]:
    from importlib.metadata import PackageNotFoundError, version

    checks: list[Check] = []
    for name in OTHERS:
        try:
            found = f"{name} {version(name)} is installed and may hook the same calls: each still has one row here"
            checks.append(
                Check("beside", "note", found, "two spans of one call: EDGEQUAKE_OBS_OTEL=off leaves out ours")
            )
        except PackageNotFoundError:
            continue
    return checks


def _prices() -> Check:
    import re
    from datetime import date

    from edgequake_obs import _native

    said = str(_native.price_versions())
    dates = [date.fromisoformat(text) for text in re.findall(r"\d{4}-\d{2}-\d{2}", said)]
    if not dates:
        return Check("prices", "ok", said)
    age = (date.today() - max(dates)).days
    if age > OLD:
        return Check("prices", "note", f"{age} days old", "edgequake-obs prices update --from FILE, or a newer release")
    return Check("prices", "ok", f"of {max(dates)}")


def _collector() -> list[Check]:
    from urllib.parse import urlsplit

    names = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    endpoint = next((os.environ[name] for name in names if os.environ.get(name)), None)
    if endpoint is None:
        return []
    import socket

    url = urlsplit(endpoint if "://" in endpoint else f"http://{endpoint}")
    try:
        port = url.port or (443 if url.scheme == "https" else 4318)
        socket.create_connection((url.hostname or "", port), timeout=2).close()
    except (OSError, ValueError) as error:
        remedy = "start the collector, or set OTEL_EXPORTER_OTLP_ENDPOINT to where it is"
        return [Check("collector", "wrong", f"{endpoint} cannot be reached: {error}", remedy)]
    return [Check("collector", "ok", f"{endpoint} answers")]


def _self_tests() -> list[Check]:
    """One call through each library that is there, to nobody, into a ledger that is thrown away."""
    import tempfile

    import edgequake_obs
    from edgequake_obs import _native
    from edgequake_obs.ledger import ensure

    from . import self_test

    before = _native.ledger_path()
    checks: list[Check] = []
    with tempfile.TemporaryDirectory(prefix="edgequake-obs-doctor-") as folder:
        path = os.path.join(folder, "ledger.duckdb")
        ensure(path)  # else the first call makes it, in a thread that may outlive the folder
        edgequake_obs.configure(ledger=path)
        try:
            for library, call in self_test.calls():
                rows = self_test.rows_of(call, path)
                if isinstance(rows, int) and rows == 1:
                    checks.append(Check("self-test", "ok", f"a call through {library} gave one row"))
                else:
                    remedy = "report this with the output of `edgequake-obs doctor --format json`"
                    what = rows if isinstance(rows, str) else f"{rows} rows instead of one"
                    checks.append(Check("self-test", "wrong", f"a call through {library}: {what}", remedy))
        finally:
            edgequake_obs.configure(ledger=before or "off")
    return checks
