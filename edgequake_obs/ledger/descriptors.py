"""Which files this process has open. Nothing is opened to find out: closing it again would drop DuckDB's lock."""

from __future__ import annotations

import os
from contextlib import suppress


def times_open(path: str) -> int:
    """How many of this process's descriptors are the file at `path`; 0 where there is no such file."""
    return len(_numbers(path))


def lock_again(path: str) -> None:
    """Takes DuckDB's lock on `path` again by the descriptors that are open.

    POSIX locks belong to the process and the file: they are gone when any descriptor of the file is closed.
    """
    import fcntl

    for number in _numbers(path):
        writes = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
        with suppress(OSError):  # somebody was quicker; nothing can be done about it any more
            fcntl.lockf(number, (fcntl.LOCK_EX if writes else fcntl.LOCK_SH) | fcntl.LOCK_NB)


def _numbers(path: str) -> list[int]:
    try:
        wanted = os.stat(path)
        names = os.listdir("/dev/fd")
    except OSError:
        return []
    found: list[int] = []
    for name in names:
        with suppress(OSError, ValueError):
            status = os.fstat(int(name))
            if (status.st_dev, status.st_ino) == (wanted.st_dev, wanted.st_ino):
                found.append(int(name))
    return found
