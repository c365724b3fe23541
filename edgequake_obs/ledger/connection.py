"""Opening the ledger to read: flush, fold if possible, then a read-only connection."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from . import overlong, schema, spool
from .creation import create
from .descriptors import lock_again, times_open
from .errors import LedgerBusyError, LedgerError, LedgerNotFoundError
from .folding import fold_until
from .forks import refuse_inherited, turn
from .holder import open_here, refusal
from .place import Place, place_of
from .writable import writable

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

_FLUSH = 2.0  # seconds
_FOLD = 5.0  # seconds, after which a fold of our own stops
_WAIT = 15.0  # seconds, for another fold: two or three of its transactions
_WAIT_FOR_STRANGER = 1.0  # seconds, for somebody who writes without folding: it may be a short visit
_STEP = 0.02  # seconds between two attempts


def connect(path: str | Path | None = None) -> duckdb.DuckDBPyConnection:
    """Opens the ledger read-only; it shows everything that was recorded up to now.

    What this process has recorded is flushed first, and the spool is folded into the tables if nobody else has the
    file open. Where somebody does, the views show the rest straight from the spool, and go on growing with it.

    Args:
        path: The `.duckdb` file; None: this program's ledger.

    Returns:
        A DuckDB connection. While it is open nobody can fold, so close it when you are done.

    Raises:
        LedgerNotFoundError: There is no ledger at `path`.
        LedgerBusyError: Somebody has it open for writing; the message names the process and the remedy.
        LedgerError: The ledger is off, or was open in the process that this one was forked from.
    """
    from edgequake_obs import _native

    place = place_of(path)
    refuse_inherited(place)
    _native.flush(_FLUSH)
    if not place.exists() and path is not None:
        raise LedgerNotFoundError(place.database)
    if (copy := _exported(place)) is not None:
        return copy
    begun = time.monotonic()
    create(place)
    while True:
        waited = time.monotonic() - begun
        try:
            with turn(place, _WAIT - waited):
                return _attempt(place, begun + waited + _FOLD)
        except _AnotherFold:
            if waited >= _WAIT:
                raise
        except LedgerBusyError:
            if waited >= _WAIT_FOR_STRANGER or times_open(place.database):
                raise
        time.sleep(_STEP)


class _AnotherFold(LedgerBusyError):
    """Another process folds, and has not closed the database between two files either."""


def _exported(place: Place) -> duckdb.DuckDBPyConnection | None:
    """A copy that `export` made: it has no spool, and needs none."""
    if os.path.isdir(place.spool) or not os.path.exists(place.database):
        return None
    with turn(place, _WAIT):
        connection = open_as_it_is(place)
        if schema.has_meta(connection) and schema.get(connection, schema.EXPORTED):
            return connection
        connection.close()
        return None


def _attempt(place: Place, until: float) -> duckdb.DuckDBPyConnection:
    """Folds if it can, and opens; the caller has this process's turn."""
    if not place.is_ours():
        return _open(place, may_change=False)
    with spool.folder_lock(place) as mine:
        if mine and times_open(place.database):
            overlong.set_aside(place)
        elif mine:
            if spool.foldable(place):
                try:
                    fold_until(place, until)
                except LedgerError:  # a reader has it, or it is of a newer version: the views show the rest
                    overlong.set_aside(place)
            return _open(place, may_change=True)
    if times_open(place.database):
        return _open(place, may_change=False)
    # Its files may be many: get in between two of them.
    try:
        return _open(place, may_change=False)
    except LedgerBusyError as error:
        raise _AnotherFold(f"another process is folding {place.database}: {error}") from error


def _open(place: Place, may_change: bool) -> duckdb.DuckDBPyConnection:
    connection = open_as_it_is(place)
    have = schema.number(connection)
    shown = schema.get(connection, "spool") if have else None  # a database that is not a ledger yet
    if have > schema.SCHEMA or (have == schema.SCHEMA and shown == place.spool):
        return connection
    connection.close()
    if may_change:
        with writable(place):  # which brings it up to date
            pass
        return open_as_it_is(place)
    if have == schema.SCHEMA:
        raise LedgerBusyError(
            f"{place.database} was moved and its views still show {shown}: "
            "close the programs that have it open, then its owner opens it once with edgequake_obs"
        )
    raise LedgerBusyError(
        f"{place.database} has schema {have} and this version needs {schema.SCHEMA}: "
        "close the programs that have it open, then its owner opens it once with edgequake_obs"
    )


def open_as_it_is(place: Place) -> duckdb.DuckDBPyConnection:
    import duckdb

    before = times_open(place.database)
    try:
        # No settings: DuckDB shares the file with this process's other read-only connections only if they are the same.
        connection = duckdb.connect(place.database, read_only=True)
    except duckdb.Error as error:
        if before:
            lock_again(place.database)  # DuckDB may have looked into the file before it refused
        raise refusal(error, place) from error
    if before and times_open(place.database) > before:
        # It is attached to another database of this process: what we opened is a second descriptor, and whoever closed
        # it later would take the other one's lock away.
        connection.close()
        lock_again(place.database)
        raise open_here(place)
    return connection
