"""Spool lines on their way into the tables: those that can be read, and those that are set aside."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from . import schema, spool

if TYPE_CHECKING:
    import duckdb

    from .place import Place


def load(connection: duckdb.DuckDBPyConnection, place: Place, name: str) -> int:
    """Reads a spool file into the temporary table `line`; lines that cannot be read are kept in `aside/`.

    Every line ends in exactly one of both. A fold that is killed and done again writes the same file in `aside/` again.

    Returns:
        How many lines were set aside.
    """
    import duckdb

    path = os.path.join(place.spool, name)
    try:
        read = _read(connection, path)
    except duckdb.InvalidInputException:  # a line that is longer than DuckDB reads
        read = -1
    if read == spool.count_lines(path):
        return 0
    os.makedirs(place.aside, mode=0o700, exist_ok=True)
    sound = os.path.join(place.aside, name + ".sound")
    try:
        return _sift(connection, path, sound, os.path.join(place.aside, name))
    finally:
        with suppress(FileNotFoundError):
            os.unlink(sound)


def _read(connection: duckdb.DuckDBPyConnection, path: str) -> int:
    source = schema.lines(schema.glob_escaped(path))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE line AS SELECT * FROM {source} WHERE {schema.IS_CALL}")
    row = schema.first_row(connection, "SELECT count(*) FROM line")
    return row[0] if row else 0


def _sift(connection: duckdb.DuckDBPyConnection, path: str, sound: str, aside: str) -> int:
    """Parts a file's lines in two and reads the sound ones; what DuckDB does not read of them goes aside as well."""
    with open(sound, "wb", opener=_private) as good, open(aside, "wb", opener=_private) as bad:
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
        if _read(connection, sound) < spool.count_lines(sound):
            read = Counter(row[0] for row in connection.execute("SELECT call_uid FROM line").fetchall())
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


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
