"""Some spool files on their way into the tables, in one transaction unless one of them is odd.

A kill at any moment leaves either files that are not in the tables, or files that `folded` names: the views skip those,
and the next fold unlinks them.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from . import outcomes, schema, spool, straight
from .errors import LedgerError
from .holder import first_line
from .lines import load, set_aside_before
from .report import FoldReport
from .writable import make_log

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TypeAlias

    import duckdb

    from .place import Place

    _Counts: TypeAlias = tuple[dict[str, int], dict[str, int]]  # of each file: its calls, its lines set aside

_ODD = 128 << 20  # bytes of files that have a copy of their lines in memory at once
_HISTORY = 1000  # entries of the fold history that `meta` keeps


class FileError(LedgerError):
    """One file could not be folded; it waits for the next fold, and the views show it."""


def take_batch(place: Place, waiting: list[spool.SpoolFile], size: int) -> list[spool.SpoolFile]:
    """Removes from the front of `waiting` what makes one transaction: a file, or several of `size` bytes together."""
    taken = [waiting.pop(0)]
    total = size_of(place, taken[0])
    while waiting and total + (more := size_of(place, waiting[0])) <= size:
        taken.append(waiting.pop(0))
        total += more
    return taken


def size_of(place: Place, file: spool.SpoolFile) -> int:
    """Its bytes; 0 where it is gone."""
    try:
        return os.path.getsize(os.path.join(place.spool, file.name))
    except FileNotFoundError:
        return 0


def fold_batch(connection: duckdb.DuckDBPyConnection, place: Place, files: list[spool.SpoolFile]) -> FoldReport:
    """Folds spool files, in one transaction if there is nothing odd about them, and unlinks them.

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
    return report.plus(_fold_each(connection, place, [settled])) if settled else report


def _fold_each(connection: duckdb.DuckDBPyConnection, place: Place, parts: list[list[str]]) -> FoldReport:
    """Folds each of several lots of files; raises for those that could not be folded when the others are."""
    report = FoldReport()
    failed: FileError | None = None
    for names in parts:
        try:
            counts = _fold_straight(connection, place, names)
            report = report.plus(_unlinked(place, counts) if counts else _fold_odd(connection, place, names))
        except FileError as error:
            failed = failed or error
    if failed:
        raise failed
    return report


def _fold_odd(connection: duckdb.DuckDBPyConnection, place: Place, names: list[str]) -> FoldReport:
    import duckdb

    waiting = [spool.SpoolFile(name, schema.SCHEMA) for name in names]
    parts: list[list[str]] = []
    while waiting:
        parts.append([file.name for file in take_batch(place, waiting, _ODD)])
    if len(parts) > 1:
        return _fold_each(connection, place, parts)
    try:
        counts = _fold_sifted(connection, place, names)
    except (duckdb.Error, OSError) as error:
        if len(names) > 1:  # one of them spoils it for the others
            return _fold_each(connection, place, [[name] for name in names])
        raise FileError(
            f"{os.path.join(place.spool, names[0])} cannot be folded and waits for the next fold: {first_line(error)}"
        ) from error
    return _unlinked(place, counts)


def _unlinked(place: Place, counts: _Counts) -> FoldReport:
    """Removes the files that are in the tables. Nobody can be reading them: the database is open for writing."""
    records, set_aside = counts
    for name in records:
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(place.spool, name))
    return FoldReport(records=sum(records.values()), files=len(records), set_aside=sum(set_aside.values()))


def _fold_straight(connection: duckdb.DuckDBPyConnection, place: Place, names: list[str]) -> _Counts | None:
    import duckdb

    try:
        records = straight.look(connection, place, names)
        if records is None:
            return None
        set_aside = {name: set_aside_before(place, name) for name in names}
        with _transaction(connection, place):
            straight.insert(connection, place, records)
            _note(connection, records, set_aside)
        return records, set_aside
    except (straight.OddLineError, duckdb.Error, OSError):
        return None  # the long way finds out which line it is


def _fold_sifted(connection: duckdb.DuckDBPyConnection, place: Place, names: list[str]) -> _Counts:
    set_aside = load(connection, place, names)
    with _transaction(connection, place):
        records = _insert(connection)
        _note(connection, {name: records.get(name, 0) for name in names}, set_aside)
    return records, set_aside


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection, place: Place) -> Generator[None]:
    import duckdb

    make_log(place)
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):  # there is no transaction any more after a failed commit
            connection.rollback()
        raise


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
        outcomes.note(connection)
        connection.execute(f"DELETE FROM line WHERE NOT {schema.IS_RECENT} AND call_uid IN (SELECT call_uid FROM call)")
    if distinct < total:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE line AS SELECT DISTINCT ON (call_uid) * FROM line "
            f"ORDER BY call_uid, {schema.ignorance('outcome')}"
        )
    connection.execute(f"INSERT INTO call BY NAME SELECT {schema.call_from_line()} FROM line")
    connection.execute(f"INSERT INTO attempt {schema.attempts_from_line('line')}")
    if timeless:
        outcomes.put(connection)
    return dict(connection.execute("SELECT spool_file, count(*) FROM line GROUP BY spool_file").fetchall())


def _note(connection: duckdb.DuckDBPyConnection, records: dict[str, int], set_aside: dict[str, int]) -> None:
    """Puts the files' names into `folded` and the fold history, and their unreadable lines to their count."""
    import json

    for name, count in records.items():
        connection.execute("INSERT INTO folded VALUES (?)", [name])
        entry = json.dumps({"file": name, "records": count, "set_aside": set_aside[name]})
        connection.execute("INSERT INTO meta VALUES ('fold', ?, make_timestamp(epoch_us(now())))", [entry])
    if odd := sum(set_aside.values()):
        so_far = int(schema.get(connection, "set_aside") or 0)
        schema.put(connection, "set_aside", str(so_far + odd))
    connection.execute(
        "DELETE FROM meta WHERE key = 'fold' AND noted_at < "
        f"(SELECT min(noted_at) FROM (FROM meta WHERE key = 'fold' ORDER BY noted_at DESC LIMIT {_HISTORY}))"
    )
