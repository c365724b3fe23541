"""The calls that come to a ledger while one looks: each once, in the order in which they ended.

Nobody can fold while a connection is open, so every look opens the ledger and closes it again.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from . import spool
from .connection import connect, open_as_it_is
from .errors import LedgerBusyError
from .place import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import duckdb

# A call may reach the spool late: the disk was full, a queue was long. Its end is looked for so far back.
_LATE_NS = 600 * 10**9
# Calls that were shown, the oldest forgotten first: more than come in that time.
_REMEMBERED = 500_000
# A look folds from here on; below it reading the spool's lines costs less than a fold.
_WORTH_FOLDING = 8 << 20
_STEP = 0.1  # seconds

Row = tuple[Any, ...]


class Follower:
    """Looks again and again, and remembers what it has shown.

    Args:
        path: The `.duckdb` file; None: this program's ledger.
        columns: The select list of what is wanted of each call.
        source: Given an open ledger, SQL for the calls that are wanted, as a subquery in parentheses.
    """

    def __init__(
        self,
        path: str | Path | None,
        columns: Sequence[str],
        source: Callable[[duckdb.DuckDBPyConnection], str],
    ) -> None:
        self._path = path
        self._place = place_of(path)
        self._columns = ", ".join(columns)
        self._source = source
        self.described: list[tuple[str, str]] = []
        """Name and DuckDB type of each wanted column, after the first look."""
        self._shown: dict[object, None] = {}
        self._last_end = 0

    def first(self, limit: int) -> list[Row]:
        """The last calls so far."""
        with connect(self._path) as connection:
            rows = self._take(connection, f"ORDER BY ended_ns DESC, call_uid DESC LIMIT {limit}", 0)
            # Those before the last ones must not look as if they had come since.
            ended = "start_ns + coalesce(duration_ns, 0)"
            recent = connection.execute(f"SELECT call_uid, outcome FROM calls WHERE {ended} >= {self._since()}")
            self._shown.update(dict.fromkeys(row[:2] for row in recent.fetchall()))
            return rows

    def further(self) -> list[Row]:
        """The calls that have come since."""
        with self._opened() as connection:
            rows = self._take(connection, "ORDER BY ended_ns, call_uid", self._since())
        while len(self._shown) > _REMEMBERED:
            del self._shown[next(iter(self._shown))]
        return rows

    def _since(self) -> int:
        # Where the clock is set back by an hour, calls go on ending, an hour ago.
        return min(self._last_end, time.time_ns()) - _LATE_NS

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if sum(self._sizes()) >= _WORTH_FOLDING:
            return connect(self._path)
        while True:
            try:
                return open_as_it_is(self._place)
            except LedgerBusyError:  # a fold, which is short; connect() says who else it is
                time.sleep(_STEP)
                if not self._is_being_folded():
                    return connect(self._path)

    def _sizes(self) -> Iterator[int]:
        for file in spool.files(self._place):
            try:
                yield os.path.getsize(os.path.join(self._place.spool, file.name))
            except FileNotFoundError:
                continue

    def _is_being_folded(self) -> bool:
        with spool.folder_lock(self._place) as free:
            return not free

    def _take(self, connection: duckdb.DuckDBPyConnection, order: str, since: int) -> list[Row]:
        query = (
            "SELECT call_uid, outcome, start_ns + coalesce(duration_ns, 0) AS ended_ns, "
            f"{self._columns} FROM {self._source(connection)} WHERE ended_ns >= {since} {order}"
        )
        rows = connection.execute(query).fetchall()
        self.described = [(column[0], str(column[1])) for column in connection.description or []][3:]
        # A call that is made in the background comes again with its outcome.
        found = [row for row in rows if row[:2] not in self._shown]
        found.sort(key=lambda row: row[2])
        for uid, outcome, ended, *_ in found:
            self._shown[uid, outcome] = None
            self._last_end = max(self._last_end, ended)
        return [row[3:] for row in found]
