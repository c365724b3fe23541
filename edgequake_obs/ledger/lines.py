"""Spool lines on their way into the tables: those that can be read, and those that are set aside."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from . import overlong, schema, spool

if TYPE_CHECKING:
    import duckdb

    from .place import Place


def load(connection: duckdb.DuckDBPyConnection, place: Place, names: list[str]) -> dict[str, int]:
    """Reads spool files into the temporary table `line`; lines that cannot be read are kept in `aside/`.

    Every line ends in exactly one of both. A fold that is killed and done again writes the same into `aside/` again.

    Returns:
        Of each file, how many of its lines were set aside.
    """
    import duckdb

    paths = {name: os.path.join(place.spool, name) for name in names}
    connection.execute(f"CREATE OR REPLACE TEMP TABLE line AS SELECT * FROM {_source(list(paths.values()))} LIMIT 0")
    try:
        # Together: a file by itself has too few pieces to keep every thread busy.
        _read(connection, _source(list(paths.values())))
    except duckdb.InvalidInputException:  # a line that is longer than DuckDB reads, in one of them
        for path in paths.values():
            with suppress(duckdb.InvalidInputException):
                _read(connection, _source([path]))
    found: dict[str, int] = dict(
        connection.execute("SELECT spool_file, count(*) FROM line GROUP BY spool_file").fetchall()
    )
    return {
        name: set_aside_before(place, name)
        + (0 if spool.has_lines(path, found.get(name, 0)) else _set_aside(connection, place, name))
        for name, path in paths.items()
    }


def _source(paths: list[str], name: str | None = None) -> str:
    """SQL for the lines of files, which say the name of their file, or `name`."""
    shown = "parse_filename(spool_file)" if name is None else schema.literal(name)
    return f"(SELECT * REPLACE ({shown} AS spool_file) FROM {schema.lines(*map(schema.glob_escaped, paths))})"


def _read(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    connection.execute(f"INSERT INTO line SELECT * FROM {source} WHERE {schema.IS_CALL}")


def set_aside_before(place: Place, name: str) -> int:
    """How many over-long lines of a file a reader has set aside, who could not count them in the database."""
    try:
        return spool.count_lines(overlong.aside_of(place, name))
    except FileNotFoundError:
        return 0


def _set_aside(connection: duckdb.DuckDBPyConnection, place: Place, name: str) -> int:
    """Reads a file of which not every line is in `line`, once more; returns how many were set aside."""
    connection.execute("DELETE FROM line WHERE spool_file = ?", [name])
    os.makedirs(place.aside, mode=0o700, exist_ok=True)
    sound = os.path.join(place.aside, name + ".sound")
    try:
        return _sift(connection, os.path.join(place.spool, name), sound, os.path.join(place.aside, name))
    finally:
        with suppress(FileNotFoundError):
            os.unlink(sound)


def _sift(connection: duckdb.DuckDBPyConnection, path: str, sound: str, aside: str) -> int:
    """Parts a file's lines in two and reads the sound ones; what DuckDB does not read of them goes aside as well."""
    name = os.path.basename(path)
    with open(sound, "wb", opener=spool.private) as good, open(aside, "wb", opener=spool.private) as bad:
        count = 0
        over_long = False
        for piece in spool.raw_lines(path):
            if over_long or spool.is_open(piece) or call_uid(piece) is None:
                bad.write(piece)
                count += not over_long
                over_long = spool.is_open(piece)
            else:
                good.write(piece)
        good.flush()
        _read(connection, _source([sound], name))
        read = Counter(
            row[0] for row in connection.execute("SELECT call_uid FROM line WHERE spool_file = ?", [name]).fetchall()
        )
        if sum(read.values()) < spool.count_lines(sound):
            for line in spool.raw_lines(sound):
                uid = call_uid(line)
                if read[uid] > 0:
                    read[uid] -= 1
                else:
                    bad.write(line)
                    count += 1
        return count


def call_uid(line: bytes) -> UUID | None:
    """The id of the call that a line records; None where the line cannot be read or records something else."""
    try:
        record: Any = json.loads(line.decode())
        if not isinstance(record, dict) or cast("dict[str, Any]", record).get("kind") is not None:
            return None
        return UUID(cast("dict[str, Any]", record)["call_uid"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
