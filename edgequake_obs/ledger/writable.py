"""The database open for writing, as a fold has it: alone, at this version's schema, and nobody else's to read."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from . import schema, spool
from .descriptors import times_open
from .errors import LedgerError
from .holder import open_here, refusal

if TYPE_CHECKING:
    from collections.abc import Generator

    import duckdb

    from .place import Place

_MEMORY = "400MB"
# Each thread of the JSON reader has buffers of its own: with many cores they alone would pass the limit.
_THREADS = 4


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
        # Keeping the order of the lines would leave the reading of a file to one thread.
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "temp_directory": os.path.join(place.spool, "spill"),  # records may get into it: the spool is private
    }
    was_killed = os.path.exists(_log(place))
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
        if schema.has_meta(connection) and schema.get(connection, schema.EXPORTED):
            raise LedgerError(
                f"{place.database} is an exported copy, into which nothing is recorded: "
                "set EDGEQUAKE_OBS_LEDGER to another path"
            )
        if was_killed:
            # A log that ends in half a transaction is not removed by a commit that goes past the log, as large ones do,
            # and from then on DuckDB refuses the file. A commit that goes into the log cuts that half off.
            schema.put(connection, "recovered", "a fold that was killed")
        make_log(place)
        schema.migrate(connection, place.spool)
        _forget_unlinked(connection, place)
        yield connection
        with suppress(FileNotFoundError):
            # Ours, and unused; as long as the connection is open nobody else can have one.
            if not os.path.getsize(_log(place)):
                os.unlink(_log(place))
    finally:
        connection.close()


def _log(place: Place) -> str:
    return place.database + ".wal"


def make_log(place: Place) -> None:
    """Makes DuckDB's write-ahead log before DuckDB does, which would let everybody read it that the umask lets.

    To be called before each transaction, since every checkpoint removes it.
    """
    mode, group = place.file_mode()
    with suppress(FileExistsError):
        number = os.open(_log(place), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            spool.give(number, mode, group)
        finally:
            os.close(number)


def _forget_unlinked(connection: duckdb.DuckDBPyConnection, place: Place) -> None:
    """Finishes what a killed fold left: unlinks what is in the tables, forgets the names of what is gone."""
    named = {row[0] for row in connection.execute("SELECT name FROM folded").fetchall()}
    if not named:
        return
    present = {file.name for file in spool.files(place)}
    for name in named & present:
        os.unlink(os.path.join(place.spool, name))
    make_log(place)
    connection.execute("DELETE FROM folded")
