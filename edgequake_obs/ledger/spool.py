"""The spool's files, as a fold meets them: which there are, when nobody writes into one any more, their lines."""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from .forks import descriptor
from .schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from .place import Place

_NAME = re.compile(r"(?!0-none\.).+\.v([0-9]+)\.jsonl")
_LOCK_WAIT = 0.05  # seconds
_LOCK_STEP = 0.002  # seconds
# DuckDB refuses a whole query over a longer line.
LONGEST_LINE = 16 * 1024 * 1024


class SpoolFile(NamedTuple):
    """A file of the spool, without its folder."""

    name: str
    schema: int


def files(place: Place) -> list[SpoolFile]:
    """The spool's files of every schema, oldest first, without those that are always empty."""
    matches = ((name, _NAME.fullmatch(name)) for name in os.listdir(place.spool))
    return sorted(SpoolFile(name, int(match[1])) for name, match in matches if match)


def foldable(place: Place) -> list[SpoolFile]:
    """The files that this version may fold: those of its schema and of older ones."""
    return [file for file in files(place) if file.schema <= SCHEMA]


@contextmanager
def folder_lock(place: Place) -> Generator[bool]:
    """Tries to become the one that folds this spool; yields whether it worked.

    The lock is on the folder, by a descriptor of its own: DuckDB's lock is shared by all threads of a process.
    """
    with descriptor(place.spool) as number:
        yield _locked(number)


def settle(path: str) -> bool:
    """Makes writers move on from a spool file, and waits until no write into it is under way.

    Returns:
        False where somebody still held it after 50 ms (a stopped process may).
    """
    with descriptor(path) as number:
        mode = stat.S_IMODE(os.fstat(number).st_mode)
        if mode & stat.S_IWUSR:
            os.fchmod(number, mode & ~stat.S_IWUSR)
        until = time.monotonic() + _LOCK_WAIT
        while not _locked(number):
            if time.monotonic() >= until:
                return False
            time.sleep(_LOCK_STEP)
        # Closing releases it, at once: writers look at the write bit after they have the lock.
        return True


def _locked(number: int) -> bool:
    import fcntl  # not on Windows, where this package can be imported at least

    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def count_lines(path: str) -> int:
    """How many lines a file has, without blank ones (every batch begins with a newline)."""
    with open(path, "rb") as file:
        return sum(1 for line in file if not line.isspace())


def raw_lines(path: str) -> Iterator[bytes]:
    """The lines of a file without blank ones, each with its newline; what DuckDB could not read comes in pieces.

    All pieces of an over-long line but the last are `LONGEST_LINE` long and have no newline.
    """
    with open(path, "rb") as file:
        piece = b""
        while line := file.readline(LONGEST_LINE):
            if len(line) < LONGEST_LINE and not line.endswith(b"\n"):
                line += b"\n"  # the last one, torn
            if not line.isspace() or is_open(piece):
                yield line
            piece = line


def is_open(piece: bytes) -> bool:
    """Whether a piece of a line is followed by another one."""
    return len(piece) == LONGEST_LINE and not piece.endswith(b"\n")
