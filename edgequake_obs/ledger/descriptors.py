"""Which files this process has open. Nothing is opened to find out: closing it again would drop DuckDB's lock."""

from __future__ import annotations

import os
from contextlib import suppress


def times_open(path: str) -> int:
    """How many of this process's descriptors are the file at `path`; 0 where there is no such file."""
    try:
        wanted = os.stat(path)
        names = os.listdir("/dev/fd")
    except OSError:
        return 0
    count = 0
    for name in names:
        with suppress(OSError, ValueError):
            status = os.fstat(int(name))
            count += (status.st_dev, status.st_ino) == (wanted.st_dev, wanted.st_ino)
    return count
