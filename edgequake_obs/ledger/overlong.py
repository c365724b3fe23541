"""Spool lines that are longer than DuckDB reads: one of them would fail every query over its file.

No writer of ours makes one, since lines are cut at 1 MiB. A fold sets them aside; where nobody can fold, because
somebody reads, it is done here when the ledger is opened, so that the views work all the same.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from . import spool

if TYPE_CHECKING:
    from typing import BinaryIO

    from .place import Place

_LOOK = 1 << 16


def aside_of(place: Place, name: str) -> str:
    """Where the over-long lines of a spool file are kept; a fold's own finds have the file's name."""
    return os.path.join(place.aside, name.removesuffix(".jsonl") + ".long.jsonl")


def set_aside(place: Place) -> None:
    """Takes over-long lines out of the spool's files; a file that somebody holds stays as it is.

    The caller owns the spool and has the folder's lock.
    """
    for file in spool.foldable(place):
        path = os.path.join(place.spool, file.name)
        with suppress(FileNotFoundError, PermissionError):
            if _has_one(path) and spool.settle(path, place):
                _part(place, file.name, path)


def _has_one(path: str) -> bool:
    """Goes from newline to newline in steps as long as the longest line, and so reads next to nothing."""
    size = os.path.getsize(path)
    start = 0
    with open(path, "rb") as file:
        while size - start > spool.LONGEST_LINE:
            last = _last_newline(file, start, start + spool.LONGEST_LINE)
            if last is None:
                return True
            start = last + 1
    return False


def _last_newline(file: BinaryIO, start: int, end: int) -> int | None:
    while end > start:
        begin = max(start, end - _LOOK)
        file.seek(begin)
        found = file.read(end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found
        end = begin
    return None


def _part(place: Place, name: str, path: str) -> None:
    os.makedirs(place.aside, mode=0o700, exist_ok=True)
    with spool.replacing(path, place) as kept, open(aside_of(place, name), "wb", opener=spool.private) as bad:
        over_long = False
        for piece in spool.raw_lines(path):
            (bad if over_long or spool.is_open(piece) else kept).write(piece)
            over_long = spool.is_open(piece)
