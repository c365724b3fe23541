"""The first creation of a ledger: its spool, and the `.duckdb` file, which appears whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from . import schema
from .forks import turn
from .place import Place, place_of

if TYPE_CHECKING:
    from pathlib import Path

_WAIT = 5.0


def ensure(path: str | Path | None = None) -> None:
    """Makes the ledger's `.duckdb` file if it is absent; otherwise does nothing and does not import DuckDB.

    Programs that record call this once, in a background thread.

    Args:
        path: The `.duckdb` file; None: this program's ledger.

    Raises:
        LedgerError: The ledger is off, or another thread is busy with it.
        OSError: A folder or the file cannot be made.
    """
    create(place_of(path))


def create(place: Place) -> None:
    """Makes what of a ledger is absent: the folders, the empty spool file, then the database."""
    if os.path.exists(place.database) and os.path.exists(place.empty_file):
        return
    os.makedirs(os.path.dirname(place.database), mode=0o700, exist_ok=True)
    with suppress(FileExistsError):
        os.mkdir(place.spool, 0o700)
    _create_empty_file(place)
    if not os.path.exists(place.database):
        with turn(place, _WAIT):
            if not os.path.exists(place.database):
                _create_database(place)


def _create_empty_file(place: Place) -> None:
    mode, group = place.file_mode()
    with suppress(FileExistsError):
        number = os.open(place.empty_file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            _give(number, mode, group)
        finally:
            os.close(number)


def _create_database(place: Place) -> None:
    import duckdb

    # Under another name first: whoever opens the ledger finds all its views in it. The name says who left it behind.
    draft = f"{place.database}.{os.getpid()}-{os.urandom(4).hex()}.new"
    try:
        with duckdb.connect(draft) as connection:
            schema.migrate(connection, place.spool)
        _give(draft, *place.file_mode())
        # `link` fails where somebody was first: then theirs is the ledger.
        with suppress(FileExistsError):
            os.link(draft, place.database)
    finally:
        for left in (draft, draft + ".wal"):
            with suppress(FileNotFoundError):
                os.unlink(left)


def _give(file: int | str, mode: int, group: int) -> None:
    """Sets mode and group; where the group cannot be given, the file stays its owner's alone."""
    if group != -1:
        try:
            os.chown(file, -1, group)
        except PermissionError:
            mode = 0o600
    os.chmod(file, mode)
