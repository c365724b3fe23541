"""The short way into the tables: straight from the files, where every line is a call and none is there yet.

It reads the files twice, once for what tells whether that holds, and so needs no copy of the lines: threads share the
work better, and it costs a quarter less than the long way (`lines`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from . import schema, spool

if TYPE_CHECKING:
    import duckdb

    from .place import Place


class OddLineError(Exception):
    """A line could not be read after all."""


def look(connection: duckdb.DuckDBPyConnection, place: Place, names: list[str]) -> dict[str, int] | None:
    """Reads ids and attempts into the temporary table `told`.

    Returns:
        How many calls each file has; None where something is odd, so that the batch has to go the long way.
    """
    columns = ("call_uid", "attempts", "kind")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE told AS SELECT call_uid, attempts "
        f"FROM {_source(place, names, columns)} WHERE {schema.IS_CALL}"
    )
    row = schema.first_row(
        connection,
        f"SELECT count(*), count(DISTINCT call_uid), count(*) FILTER ({schema.IS_RECENT}), "
        "min(call_uid), max(call_uid) FROM told",
    )
    total, distinct, recent, first, last = row or (0, 0, 0, None, None)
    if not total == distinct == recent:
        return None
    records = {name: spool.count_at_most(os.path.join(place.spool, name)) for name in names}
    if sum(records.values()) != total:
        return None
    # The bounds stand in the query as literals, so that DuckDB skips row groups without such ids.
    there = (
        f"SELECT 1 FROM call WHERE call_uid BETWEEN '{first}'::UUID AND '{last}'::UUID "
        "AND call_uid IN (SELECT call_uid FROM told) LIMIT 1"
    )
    return None if total and schema.first_row(connection, there) else records


def insert(connection: duckdb.DuckDBPyConnection, place: Place, records: dict[str, int]) -> None:
    """Puts the calls of the files that `look` counted into the tables; for the caller's transaction.

    Raises:
        OddLineError: It must be rolled back.
    """
    done = schema.first_row(
        connection,
        f"INSERT INTO call BY NAME SELECT {schema.call_from_line()} FROM {_source(place, list(records))} "
        f"WHERE {schema.IS_CALL}",
    )
    if done != (sum(records.values()),):
        raise OddLineError
    connection.execute(f"INSERT INTO attempt {schema.attempts_from_line('told')}")


def _source(place: Place, names: list[str], only: tuple[str, ...] | None = None) -> str:
    return schema.lines(*(schema.glob_escaped(os.path.join(place.spool, name)) for name in names), only=only)
