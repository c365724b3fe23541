"""Where a ledger is: its `.duckdb` file, the spool beside it, and who may fold there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from .errors import LedgerError
from .schema import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

_GROUP_BITS = 0o070


class Place(NamedTuple):
    """The paths of one ledger, absolute.

    Attributes:
        database: The `.duckdb` file.
        spool: The folder that programs append to.
    """

    database: str
    spool: str

    @property
    def aside(self) -> str:
        """The folder of lines that could not be read."""
        return os.path.join(self.spool, "aside")

    @property
    def empty_file(self) -> str:
        """The spool file that stays empty, so that the views' glob always matches something."""
        return os.path.join(self.spool, f"0-none.v{SCHEMA}.jsonl")

    def exists(self) -> bool:
        """Whether anything of this ledger is there: the database, or a spool that waits for one."""
        return os.path.exists(self.database) or os.path.isdir(self.spool)

    def is_ours(self) -> bool:
        """Whether this process owns the spool, or nobody does yet.

        Others never fold and make no files here: the owner could not open them.
        """
        try:
            return os.stat(self.spool).st_uid == os.geteuid()
        except FileNotFoundError:
            return True

    def file_mode(self) -> tuple[int, int]:
        """Mode and group (-1: leave it) of files of this ledger: the owner's alone, unless the spool is a group's."""
        folder = os.stat(self.spool)
        return (0o660, folder.st_gid) if folder.st_mode & _GROUP_BITS else (0o600, -1)


def place_of(path: str | Path | None) -> Place:
    """The ledger at a path, or this program's own.

    Args:
        path: The `.duckdb` file. None: what `configure(ledger=...)` or `EDGEQUAKE_OBS_LEDGER` says.

    Raises:
        LedgerError: No path was given, and the program's ledger is off.
    """
    if path is None:
        from edgequake_obs import _native

        given = _native.ledger_path()
        if given is None:
            raise LedgerError(
                "the ledger is off: set EDGEQUAKE_OBS_LEDGER to the path of a .duckdb file, or pass a path"
            )
    else:
        given: str | None = os.fspath(path)
        if given.startswith("~"):
            given = os.path.expanduser(given)
    if "?" in given:
        raise LedgerError(f"DuckDB cannot use a path with a question mark: choose another than {given}")
    # The folder is resolved, so that one ledger has one spelling in its views; the file is not: if it is a link,
    # the writers' spool lies beside the link.
    folder, name = os.path.split(os.path.abspath(given))
    folder = os.path.realpath(folder)
    return Place(os.path.join(folder, name), os.path.join(folder, os.path.splitext(name)[0] + ".spool"))
