"""What the terminal can show."""

from __future__ import annotations

import sys


def shows_boxes() -> bool:
    """Whether standard output can show box-drawing characters."""
    try:
        "─│–…µ".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def terminal_width() -> int:
    """Cells in a line of the terminal; 0 where there is none, so that nothing is cut."""
    import os
    import shutil

    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 0
    return shutil.get_terminal_size().columns
