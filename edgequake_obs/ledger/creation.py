"""The first creation of a ledger: its spool, and the `.duckdb` file, which appears whole or not at all."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from . import schema, spool
from .errors import LedgerError
from .forks import turn
from .place import Place, place_of

if TYPE_CHECKING:
    from pathlib import Path

_WAIT = 5.0  # seconds, for another thread
_OLD = 3600.0  # seconds: no creation takes that long


def ensure(path: str | Path | None = None) -> None:
    """Makes the ledger's `.duckdb` file if it is absent; otherwise does nothing and does not import DuckDB.

    Programs that record call this once, in a background thread.

    Args:
        path: The `.duckdb` file; None: this program's ledger.

    Raises:
        LedgerError: The ledger is off, or another thread is busy with it.
        OSError: A folder or the file cannot be made.
    """
    place = place_of(path)
    if place.is_ours():
        create(place)


def create(place: Place) -> None:
    """Makes what of a ledger is absent: the folders, the empty spool file, then the database.

    Raises:
        LedgerError: It is for the owner of the spool to make them: others' files would lock the owner out.
    """
    if os.path.exists(place.database) and os.path.exists(place.empty_file):
        return
    if not place.is_ours():
        raise LedgerError(
            f"{place.database} has to be made by the owner of {place.spool}: run `edgequake-obs fold` as them"
        )
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
            spool.give(number, mode, group)
        finally:
            os.close(number)


def _create_database(place: Place) -> None:
    import duckdb

    _remove_old_drafts(place.database)
    # Under another name first: whoever opens the ledger finds all its views in it. The name says who left it behind.
    draft = f"{place.database}.{os.getpid()}-{os.urandom(4).hex()}.new"
    try:
        with duckdb.connect(draft) as connection:
            schema.migrate(connection, place.spool)
        spool.give(draft, *place.file_mode())
        # `link` fails where somebody was first: then theirs is the ledger.
        with suppress(FileExistsError):
            os.link(draft, place.database)
    finally:
        for left in (draft, draft + ".wal"):
            with suppress(FileNotFoundError):
                os.unlink(left)


def _remove_old_drafts(database: str) -> None:
    """Removes what a creation that was killed left behind."""
    folder, name = os.path.split(database)
    for entry in os.scandir(folder):
        if entry.name.startswith(name + ".") and entry.name.endswith((".new", ".new.wal")):
            with suppress(FileNotFoundError):
                if time.time() - entry.stat().st_mtime > _OLD:
                    os.unlink(entry.path)
