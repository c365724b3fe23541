"""Opening the ledger for a command that prints rows, and saying so kindly where there is nothing to print."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from edgequake_obs.ledger import LedgerError, LedgerNotFoundError, connect
from edgequake_obs.ledger.holder import first_line
from edgequake_obs.ledger.place import Place, place_of
from edgequake_obs.ledger.spending import not_a_condition

from .output import write

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    import duckdb

_BATCH = 1000


@contextmanager
def opened(path: str | None) -> Generator[duckdb.DuckDBPyConnection]:
    """The ledger, closed afterwards; what DuckDB says about a query becomes a LedgerError."""
    place = place_of(path)
    if not place.exists():
        raise LedgerNotFoundError(place.database)
    with connect(path) as connection, understood(place, None):
        yield connection


@contextmanager
def understood(place: Place, where: str | None) -> Generator[None]:
    """Turns what DuckDB says about a query into an error of ours; `where`: the user's condition in it."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if where is not None and isinstance(error, duckdb.ProgrammingError):
            raise not_a_condition(where, error) from error
        if "maximum_object_size" in str(error):
            raise LedgerError(
                f"a line in {place.spool} is longer than DuckDB reads: run `edgequake-obs fold` as its owner"
            ) from error
        raise LedgerError(f"the query failed: {first_line(error)}") from error


class Answer(NamedTuple):
    """The answer to a query.

    Attributes:
        columns: Names.
        types: DuckDB types.
        rows: Read in batches while they are consumed, once.
    """

    columns: list[str]
    types: list[str]
    rows: Iterator[Sequence[Any]]


def ask(connection: duckdb.DuckDBPyConnection, query: str, where: str | None) -> Answer:
    """Runs a query that holds the user's condition `where`.

    Raises:
        ValueError: DuckDB does not understand it.
    """
    import duckdb

    try:
        connection.execute(query)
    except duckdb.ProgrammingError as error:
        raise not_a_condition(where, error) from error
    described = connection.description or []
    return Answer([column[0] for column in described], [str(column[1]) for column in described], _rows(connection))


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterator[Sequence[Any]]:
    while batch := connection.fetchmany(_BATCH):
        yield from batch


def no_ledger(style: str, error: LedgerNotFoundError, columns: Sequence[str]) -> int:
    """Says that there is no ledger yet, which is no error: every ledger begins like that."""
    line = str(error)
    return nothing(style, f"{line[0].upper()}{line[1:]}.", columns)


def nothing(style: str, line: str, columns: Sequence[str] = ()) -> int:
    """Says that there are no rows: a line for people, and no rows in the format that a program asked for."""
    if style == "table":
        print(line)
        return 0
    print(line, file=sys.stderr)
    if columns or style == "json":
        write(style, columns, [], [], sys.stdout)
    return 0
