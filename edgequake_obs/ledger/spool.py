"""The spool's files, as a fold meets them: which there are, when nobody writes into one any more, their lines."""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from .forks import descriptor
from .schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import BinaryIO

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


def newer(place: Place) -> list[SpoolFile]:
    """The files that wait for a newer version; the views show them as far as they know their columns."""
    return [file for file in files(place) if file.schema > SCHEMA]


@contextmanager
def folder_lock(place: Place) -> Generator[bool]:
    """Tries to become the one that folds this spool; yields whether it worked.

    The lock is on the folder, by a descriptor of its own: DuckDB's lock is shared by all threads of a process.
    """
    with descriptor(place.spool) as number:
        yield _locked(number)


def settle(path: str, place: Place) -> bool:
    """Makes writers move on from a spool file, and waits until no write into it is under way.

    Returns:
        False where somebody still held it after 50 ms (a stopped process may).
    """
    with descriptor(path) as number:
        mode = stat.S_IMODE(os.fstat(number).st_mode)
        is_theirs = False
        if mode & stat.S_IWUSR:
            try:
                os.fchmod(number, mode & ~stat.S_IWUSR)
            except PermissionError:  # another member of the spool's group made it
                is_theirs = True
        until = time.monotonic() + _LOCK_WAIT
        while not _locked(number):
            if time.monotonic() >= until:
                return False
            time.sleep(_LOCK_STEP)
        if is_theirs:
            _replace_by_copy(path, number, place)
        # Closing releases it, at once: writers look at the write bit and the link count after they have the lock.
        return True


def _replace_by_copy(path: str, number: int, place: Place) -> None:
    """Puts a closed file of ours with the same lines in the place of one whose write bit only its owner can clear.

    The caller has the lock, so nobody writes; the old file then has no link, which sends its writers on.
    """
    import shutil

    with open(number, "rb", closefd=False) as theirs, replacing(path, place) as ours:
        shutil.copyfileobj(theirs, ours)


@contextmanager
def replacing(path: str, place: Place) -> Generator[BinaryIO]:
    """Yields a new file, closed to writers, that stands at `path` afterwards; readers see the one or the other."""
    mode, group = place.file_mode()
    copy = path + ".copy"  # the views' glob does not match it; one that a kill left behind is written again
    with suppress(FileNotFoundError):
        os.unlink(copy)
    with open(copy, "xb", opener=private) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
        give(file.fileno(), mode & ~stat.S_IWUSR, group)
    os.rename(copy, path)


def private(path: str, flags: int) -> int:
    """An opener for `open`: nobody else gets at the file."""
    return os.open(path, flags, 0o600)


def give(file: int | str, mode: int, group: int) -> None:
    """Sets mode and group; where the group cannot be given, nobody but the owner gets at it."""
    if group != -1:
        try:
            os.chown(file, -1, group)
        except PermissionError:
            mode &= 0o700
    os.chmod(file, mode)


def _locked(number: int) -> bool:
    import fcntl  # not on Windows, where this package can be imported at least

    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


_BLOCK = 1 << 20


def has_lines(path: str, count: int) -> bool:
    """Whether a file has exactly so many lines, without blank ones."""
    return count_at_most(path) == count or count_lines(path) == count


def count_at_most(path: str) -> int:
    """As `count_lines`, or more: it finds no blank line but those that consist of nothing, and not all of them."""
    count = 0
    last = b"\n"
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            count += block.count(b"\n") - block.count(b"\n\n") - (last == b"\n" == block[:1])
            last = block[-1:]
    return count + (last != b"\n")


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
