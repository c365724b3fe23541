"""Who holds the database, as DuckDB says it, and what the caller can do about it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from .errors import LedgerBusyError, LedgerError

if TYPE_CHECKING:
    import duckdb

    from .place import Place

_HELD = re.compile(r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")
# DuckDB adds this where the holder only reads.
_READER = "able to open this database in read-only mode"


def refusal(error: duckdb.Error, place: Place) -> LedgerError:
    """The error that says in one sentence why DuckDB did not open the database, and the remedy."""
    import duckdb

    # ConnectionException: open with other settings. The others, of DuckDB 2 and of 1.5: attached to another database.
    if isinstance(
        error, (duckdb.ConnectionException, duckdb.OperationalError, duckdb.BinderException)
    ) and not isinstance(error, duckdb.IOException):
        return open_here(place)
    held = _HELD.search(str(error))
    if held is None:
        return LedgerError(f"{place.database} cannot be opened: {first_line(error)}")
    who = f"{os.path.basename(held['program'])} (PID {held['pid']})"
    if _READER in str(error):
        return LedgerBusyError(
            f"{who} is reading {place.database}, so it cannot be folded: end that program and try again; "
            "until then the views show what is not folded yet"
        )
    return LedgerBusyError(
        f"{who} holds {place.database} open for writing: close it there, or open it read-only there "
        "(`duckdb -readonly`, or read_only=True)"
    )


def open_here(place: Place) -> LedgerBusyError:
    """The error where this process has the database open."""
    return LedgerBusyError(
        f"this process (PID {os.getpid()}) has {place.database} open or attached: close or detach it; "
        "two connections share it only if both were opened with read_only=True and no settings"
    )


def first_line(error: BaseException) -> str:
    """What DuckDB says went wrong, without the query it quotes below."""
    return str(error).split("\n", 1)[0]
