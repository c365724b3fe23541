"""Whether the ledger can be written, and read: where it is, and who holds it."""

from __future__ import annotations

import os
import tempfile
import time
from typing import TYPE_CHECKING

from .check import Check

if TYPE_CHECKING:
    from edgequake_obs.ledger.place import Place

_ELSEWHERE = "set EDGEQUAKE_OBS_LEDGER to the path of a .duckdb file in a folder that you may write"
_PATIENCE = 3.0  # seconds: a fold by another process is shorter
_STEP = 0.1  # seconds


def check(path: str | None) -> Check:
    """Looks at the ledger at a path, or at this program's own; makes nothing."""
    from edgequake_obs.ledger import LedgerError
    from edgequake_obs.ledger.place import place_of

    try:
        place = place_of(path)
    except LedgerError as error:
        return Check("ledger", "wrong", str(error), _ELSEWHERE)
    if (problem := _unwritable(place)) is not None:
        return Check("ledger", "wrong", f"{place.database} cannot be written: {problem}", _ELSEWHERE)
    if not os.path.exists(place.database):
        return Check("ledger", "ok", f"{place.database}, to be made by the first call")
    return _readable(place)


def _unwritable(place: Place) -> str | None:
    """What the system says where a program's records could not be written."""
    folder = place.spool
    while not os.path.isdir(folder):
        if os.path.exists(folder):
            return f"{folder} is no folder"
        folder = os.path.dirname(folder)
    try:
        # A real one, which nobody else sees: rights alone do not tell of a full disk or a system that refuses.
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b" ")
    except OSError as error:
        return str(error)
    return None


def _readable(place: Place) -> Check:
    from edgequake_obs.ledger import LedgerBusyError, LedgerError, schema
    from edgequake_obs.ledger.connection import open_as_it_is

    until = time.monotonic() + _PATIENCE
    while True:
        try:
            with open_as_it_is(place) as connection:
                have = schema.number(connection)
        except LedgerBusyError as error:
            if time.monotonic() < until:
                time.sleep(_STEP)
                continue
            remedy = "end that program, or let it open the file read-only; calls are recorded all the same"
            return Check("ledger", "wrong", f"nobody can read it: {error}", remedy)
        except LedgerError as error:
            return Check("ledger", "wrong", str(error), f"move that file away, or {_ELSEWHERE}")
        break
    if have > schema.SCHEMA:
        found = f"{place.database} has schema {have}, and this version knows {schema.SCHEMA}"
        return Check("ledger", "wrong", found, "update edgequake_obs")
    return Check("ledger", "ok", f"{place.database}, held by nobody")
