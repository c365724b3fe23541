"""Some spool files on their way into the tables, in one transaction: all of them or none.

A kill at any moment leaves either files that are not in the tables, or files that `folded` names: the views skip those,
and the next fold unlinks them.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from . import schema, spool
from .errors import LedgerError
from .holder import first_line
from .lines import load
from .report import FoldReport
from .writable import make_log

if TYPE_CHECKING:
    import duckdb

    from .place import Place

# Two full spool files: the rows of one keep only one thread busy, and more would need more memory.
_BYTES = 2 * (64 << 20)
_HISTORY = 1000  # entries of the fold history that `meta` keeps


class FileError(LedgerError):
    """One file could not be folded; it waits for the next fold, and the views show it."""


def take_batch(place: Place, waiting: list[spool.SpoolFile]) -> list[spool.SpoolFile]:
    """Removes from the front of `waiting` what makes one moderate transaction: one file, or several small ones."""
    taken = [waiting.pop(0)]
    total = size_of(place, taken[0])
    while waiting and total + (size := size_of(place, waiting[0])) <= _BYTES:
        taken.append(waiting.pop(0))
        total += size
    return taken


def size_of(place: Place, file: spool.SpoolFile) -> int:
    """Its bytes; 0 where it is gone."""
    try:
        return os.path.getsize(os.path.join(place.spool, file.name))
    except FileNotFoundError:
        return 0


def fold_batch(connection: duckdb.DuckDBPyConnection, place: Place, files: list[spool.SpoolFile]) -> FoldReport:
    """Folds spool files in one transaction, and unlinks them.

    Raises:
        FileError: One of them cannot be folded; the others are.
    """
    settled: list[str] = []
    busy = 0
    for file in files:
        try:
            if spool.settle(os.path.join(place.spool, file.name), place):
                settled.append(file.name)
            else:
                busy += 1
        except FileNotFoundError:
            pass
        except PermissionError:  # another user made it, and lets nobody read it
            busy += 1
    report = FoldReport(busy=busy)
    if not settled:
        return report
    try:
        return report.plus(_fold_settled(connection, place, settled))
    except FileError:
        if len(settled) == 1:
            raise
    # One of them spoils it for the others: each by itself.
    failed: FileError | None = None
    for name in settled:
        try:
            report = report.plus(_fold_settled(connection, place, [name]))
        except FileError as error:
            failed = failed or error
    if failed:
        raise failed
    return report


def _fold_settled(connection: duckdb.DuckDBPyConnection, place: Place, names: list[str]) -> FoldReport:
    import duckdb

    try:
        set_aside = load(connection, place, names)
        make_log(place)
        records = _commit(connection, set_aside)
    except (duckdb.Error, OSError) as error:
        raise FileError(
            f"{os.path.join(place.spool, names[0])} cannot be folded and waits for the next fold: {first_line(error)}"
        ) from error
    # Nobody can be reading them: readers are locked out while the database is open for writing.
    for name in names:
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(place.spool, name))
    return FoldReport(records=records, files=len(names), set_aside=sum(set_aside.values()))


def _commit(connection: duckdb.DuckDBPyConnection, set_aside: dict[str, int]) -> int:
    """Puts the loaded lines into the tables and the files' names into `folded`, both or neither."""
    import duckdb

    connection.begin()
    try:
        records = _insert(connection)
        for name, odd in set_aside.items():
            connection.execute("INSERT INTO folded VALUES (?)", [name])
            _note(connection, name, records.get(name, 0), odd)
        _forget_old_notes(connection)
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):  # there is no transaction any more after a failed commit
            connection.rollback()
        raise
    return sum(records.values())


def _insert(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Moves the temporary table `line` into the tables, without the calls that are there; how many of which file."""
    row = schema.first_row(
        connection,
        f"SELECT count(*), count(DISTINCT call_uid), count(*) FILTER (NOT {schema.IS_RECENT}), "
        f"min(call_uid) FILTER ({schema.IS_RECENT}), max(call_uid) FILTER ({schema.IS_RECENT}) FROM line",
    )
    total, distinct, timeless, first, last = row or (0, 0, 0, None, None)
    if not total:
        return {}
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
    return dict(connection.execute("SELECT spool_file, count(*) FROM line GROUP BY spool_file").fetchall())


def _note(connection: duckdb.DuckDBPyConnection, name: str, records: int, set_aside: int) -> None:
    """Adds a file to the fold history, and its unreadable lines to their count."""
    import json

    entry = json.dumps({"file": name, "records": records, "set_aside": set_aside})
    connection.execute("INSERT INTO meta VALUES ('fold', ?, make_timestamp(epoch_us(now())))", [entry])
    if set_aside:
        so_far = int(schema.get(connection, "set_aside") or 0)
        schema.put(connection, "set_aside", str(so_far + set_aside))


def _forget_old_notes(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "DELETE FROM meta WHERE key = 'fold' AND noted_at < "
        f"(SELECT min(noted_at) FROM (FROM meta WHERE key = 'fold' ORDER BY noted_at DESC LIMIT {_HISTORY}))"
    )
