"""Opening the ledger to read: flush, fold if possible, then a read-only connection."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from . import spool
from .creation import create
from .errors import LedgerBusyError, LedgerError, LedgerNotFoundError
from .folding import fold_until
from .forks import refuse_inherited, turn
from .holder import refusal
from .place import Place, place_of

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

_FLUSH = 2.0  # seconds
_WAIT = 5.0  # seconds, for another fold and for our own
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
        raise LedgerNotFoundError(f"there is no ledger at {place.database}: nothing was recorded there yet")
    begun = time.monotonic()
    create(place)
    may_fold = place.is_ours()
    while True:
        waited = time.monotonic() - begun
        try:
            with turn(place, _WAIT - waited):
                return _attempt(place, begun + _WAIT, may_fold)
        except _AnotherFold:
            if waited >= _WAIT:
                raise
        except LedgerBusyError:
            if waited >= _WAIT_FOR_STRANGER:
                raise
        time.sleep(_STEP)


class _AnotherFold(LedgerBusyError):
    """Another process folds, and has not closed the database between two files either."""


def _attempt(place: Place, until: float, may_fold: bool) -> duckdb.DuckDBPyConnection:
    if not may_fold:
        return _open(place)
    with spool.folder_lock(place) as mine:
        if mine:
            _fold_if_free(place, until)
            return _open(place)
    # Its files may be many: get in between two of them.
    try:
        return _open(place)
    except LedgerBusyError as error:
        raise _AnotherFold(f"another process is folding {place.database}: {error}") from error


def _fold_if_free(place: Place, until: float) -> None:
    if not spool.foldable(place):
        return
    try:
        fold_until(place, until)
    except LedgerError:
        return  # a reader has it, or it is of a newer version: the views show the rest


def _open(place: Place) -> duckdb.DuckDBPyConnection:
    import duckdb

    try:
        # No settings: DuckDB shares the file with this process's other read-only connections only if they are the same.
        connection = duckdb.connect(place.database, read_only=True)
    except duckdb.Error as error:
        raise refusal(error, place) from error
    return connection
