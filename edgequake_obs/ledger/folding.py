"""The fold: spool files become rows, each file in one transaction, exactly once.

A kill at any moment leaves either a file that is not in the tables, or one that `folded` names: the views skip that
one, and the next fold unlinks it.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from . import schema, spool
from .creation import create
from .descriptors import times_open
from .errors import LedgerBusyError, LedgerError, LedgerNotFoundError
from .forks import turn
from .holder import first_line, open_here, refusal
from .lines import load
from .place import Place, place_of

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    import duckdb

_PATIENCE = 5.0  # seconds that a fold waits for another fold or for readers
_AT_A_STRETCH = 0.25  # seconds after which the database is closed before the next file
_BREATH = 0.05  # seconds in which readers get in then
_STEP = 0.02  # seconds between two attempts
_MEMORY = "400MB"
# Each thread of the JSON reader has buffers of its own: with many cores they alone would pass the limit.
_THREADS = 4
_HISTORY = 1000  # entries of the fold history that `meta` keeps


class _FileError(LedgerError):
    """One file could not be folded; it waits for the next fold, and the views show it."""


class FoldReport(NamedTuple):
    """What a fold did.

    Attributes:
        records: Calls that are in the tables now and were not before.
        files: Spool files that were folded.
        set_aside: Lines that could not be read; they are kept in the spool's `aside/`.
        busy: Spool files that were left for the next fold, because somebody held them or the database.
        seconds: How long it took.
    """

    records: int = 0
    files: int = 0
    set_aside: int = 0
    busy: int = 0
    seconds: float = 0.0


def fold(path: str | Path | None = None) -> FoldReport:
    """Moves what programs have recorded from the spool into the tables.

    Nobody has to: `connect()` folds, and the views show what is not folded yet. It is for cron, and for spools that
    grow while nobody reads. Readers get in between two files.

    Args:
        path: The `.duckdb` file; None: this program's ledger.

    Returns:
        What was done. Files that somebody held are counted in `busy` and wait for the next fold.

    Raises:
        LedgerNotFoundError: There is no ledger there.
        LedgerBusyError: Somebody has the file open and kept it for 5 s: readers, another fold, or this process.
        LedgerError: The ledger is off, another user's, of a newer version, or open since before a fork.
    """
    from edgequake_obs import _native

    begun = time.monotonic()
    place = place_of(path)
    _native.flush(2.0)
    if not place.exists():
        raise LedgerNotFoundError(place.database)
    if not place.is_ours():
        raise LedgerError(
            f"{place.spool} belongs to another user: fold as its owner (UID {os.stat(place.spool).st_uid})"
        )
    create(place)
    with only_folder(place, begun + _PATIENCE):
        done = _fold_with_pauses(place)
    return done._replace(seconds=time.monotonic() - begun)


@contextmanager
def only_folder(place: Place, until: float) -> Generator[None]:
    """Keeps other folders out; waits for one until then (monotonic seconds).

    Raises:
        LedgerBusyError: Another process went on folding.
    """
    while True:
        with spool.folder_lock(place) as mine:
            if mine:
                yield
                return
        if time.monotonic() >= until:
            raise LedgerBusyError(f"another process is folding {place.database}: wait until it is done")
        time.sleep(_STEP)


def _fold_with_pauses(place: Place) -> FoldReport:
    """Folds all files, and closes the database between them so that readers get in."""
    waiting = spool.foldable(place)
    done = FoldReport()
    failed: _FileError | None = None
    until = time.monotonic() + _PATIENCE
    while waiting:
        try:
            with turn(place, _PATIENCE), writable(place) as connection:
                opened = time.monotonic()
                # Small files share one opening: it costs more than they do.
                while waiting and time.monotonic() - opened < _AT_A_STRETCH:
                    try:
                        done = _add(done, fold_file(connection, place, waiting.pop(0)))
                    except _FileError as error:
                        failed = error
            until = time.monotonic() + _PATIENCE
            if waiting:
                time.sleep(_BREATH)
        except LedgerBusyError:
            begun = done.files or done.busy
            # Another thread's connection may be short, but whoever calls this with one of their own waits in vain.
            if time.monotonic() < until and (begun or not times_open(place.database)):
                time.sleep(_STEP)
            elif begun:
                return done._replace(busy=done.busy + len(waiting))
            else:
                raise
    if failed:
        raise failed
    return done


def fold_until(place: Place, until: float) -> None:
    """Folds what can be folded before `until` (monotonic seconds), the first file in any case.

    The caller has the turn and the lock of the folder.

    Raises:
        LedgerBusyError: The database could not be opened for writing.
        LedgerError: It is of a newer version.
    """
    with writable(place) as connection:
        for file in spool.foldable(place):
            with suppress(_FileError):  # the views show it
                fold_file(connection, place, file)
            if time.monotonic() >= until:
                break


@contextmanager
def writable(place: Place) -> Generator[duckdb.DuckDBPyConnection]:
    """Opens the database for a fold, at this version's schema, and closes it.

    Raises:
        LedgerBusyError: Another process has it open, or this one.
        LedgerError: It is of a newer version.
    """
    import duckdb

    if times_open(place.database):
        raise open_here(place)
    # A setting that no other connection has: where this process has the file open, DuckDB refuses to share it.
    settings: dict[str, str | bool | int | float | list[str]] = {
        "custom_user_agent": f"edgequake_obs fold {os.urandom(8).hex()}",
        "memory_limit": _MEMORY,
        "threads": min(_THREADS, os.cpu_count() or 1),
        "autoinstall_known_extensions": False,
        "temp_directory": os.path.join(place.spool, "spill"),  # records may get into it: the spool is private
    }
    try:
        connection = duckdb.connect(place.database, config=settings)
    except duckdb.Error as error:
        raise refusal(error, place) from error
    try:
        have = schema.number(connection)
        if have > schema.SCHEMA:
            raise LedgerError(
                f"{place.database} has schema {have} and this version knows {schema.SCHEMA}: "
                "fold with the version that made it, or update edgequake_obs"
            )
        schema.migrate(connection, place.spool)
        _forget_unlinked(connection, place)
        yield connection
    finally:
        connection.close()


def _forget_unlinked(connection: duckdb.DuckDBPyConnection, place: Place) -> None:
    """Finishes what a killed fold left: unlinks what is in the tables, forgets the names of what is gone."""
    named = {row[0] for row in connection.execute("SELECT name FROM folded").fetchall()}
    if not named:
        return
    present = {file.name for file in spool.files(place)}
    for name in named & present:
        os.unlink(os.path.join(place.spool, name))
    connection.execute("DELETE FROM folded")


def fold_file(connection: duckdb.DuckDBPyConnection, place: Place, file: spool.SpoolFile) -> FoldReport:
    """Folds one spool file in one transaction, and unlinks it."""
    import duckdb

    path = os.path.join(place.spool, file.name)
    try:
        if not spool.settle(path):
            return FoldReport(busy=1)
        set_aside = load(connection, place, file.name)
        records = _commit(connection, file.name, set_aside)
    except FileNotFoundError:
        return FoldReport()
    except PermissionError:  # another member of the spool's group made it
        return FoldReport(busy=1)
    except (duckdb.Error, OSError) as error:
        raise _FileError(f"{path} cannot be folded and waits for the next fold: {first_line(error)}") from error
    # Nobody can be reading it: readers are locked out while the database is open for writing.
    with suppress(FileNotFoundError):
        os.unlink(path)
    return FoldReport(records=records, files=1, set_aside=set_aside)


def _commit(connection: duckdb.DuckDBPyConnection, name: str, set_aside: int) -> int:
    """Puts the loaded lines into the tables and the file's name into `folded`, both or neither."""
    import duckdb

    connection.begin()
    try:
        records = _insert(connection)
        connection.execute("INSERT INTO folded VALUES (?)", [name])
        _note(connection, name, records, set_aside)
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):  # there is no transaction any more after a failed commit
            connection.rollback()
        raise
    return records


def _insert(connection: duckdb.DuckDBPyConnection) -> int:
    """Moves the temporary table `line` into the tables, without the calls that are there; returns how many it moved."""
    row = schema.first_row(
        connection,
        f"SELECT count(*), count(DISTINCT call_uid), count(*) FILTER (NOT {schema.IS_RECENT}), "
        f"min(call_uid) FILTER ({schema.IS_RECENT}), max(call_uid) FILTER ({schema.IS_RECENT}) FROM line",
    )
    total, distinct, timeless, first, last = row or (0, 0, 0, None, None)
    if not total:
        return 0
    if first is not None:
        # The bounds stand in the query as literals, so that DuckDB skips row groups without such ids.
        connection.execute(
            f"DELETE FROM line WHERE {schema.IS_RECENT} AND call_uid IN "
            f"(SELECT call_uid FROM call WHERE call_uid BETWEEN '{first}'::UUID AND '{last}'::UUID)"
        )
    if timeless:
        connection.execute(f"DELETE FROM line WHERE NOT {schema.IS_RECENT} AND call_uid IN (SELECT call_uid FROM call)")
    if distinct < total:
        connection.execute("CREATE OR REPLACE TEMP TABLE line AS SELECT DISTINCT ON (call_uid) * FROM line")
    connection.execute(f"INSERT INTO call BY NAME SELECT {schema.call_from_line()} FROM line")
    connection.execute(f"INSERT INTO attempt {schema.attempts_from_line('line')}")
    counted = schema.first_row(connection, "SELECT count(*) FROM line")
    return counted[0] if counted else 0


def _note(connection: duckdb.DuckDBPyConnection, name: str, records: int, set_aside: int) -> None:
    """Adds the file to the fold history, and its unreadable lines to their count."""
    import json

    entry = json.dumps({"file": name, "records": records, "set_aside": set_aside})
    connection.execute("INSERT INTO meta VALUES ('fold', ?, make_timestamp(epoch_us(now())))", [entry])
    connection.execute(
        "DELETE FROM meta WHERE key = 'fold' AND noted_at < "
        f"(SELECT min(noted_at) FROM (FROM meta WHERE key = 'fold' ORDER BY noted_at DESC LIMIT {_HISTORY}))"
    )
    if set_aside:
        so_far = int(schema.get(connection, "set_aside") or 0)
        schema.put(connection, "set_aside", str(so_far + set_aside))


def _add(one: FoldReport, other: FoldReport) -> FoldReport:
    return one._replace(
        records=one.records + other.records,
        files=one.files + other.files,
        set_aside=one.set_aside + other.set_aside,
        busy=one.busy + other.busy,
    )
