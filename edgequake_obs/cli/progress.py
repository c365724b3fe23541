"""A line on the terminal that says how far something long has come; for nobody but a person who waits."""

from __future__ import annotations

import sys
import time

_LONG = 0.5  # seconds before there is anything to see
_CELLS = 30
_ERASE = "\r\x1b[K"


class Progress:
    """Written to standard error, and only if that is a terminal."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._begun = time.monotonic()
        self._shown = False
        self._wanted = sys.stderr.isatty()

    def tell(self, share: float, records: int) -> None:
        """How much is done, from 0 to 1, and how many calls that are."""
        if not self._wanted or (not self._shown and time.monotonic() - self._begun < _LONG):
            return
        full = round(share * _CELLS)
        sys.stderr.write(f"{_ERASE}{self._doing} [{'#' * full}{'.' * (_CELLS - full)}] {share:4.0%}  {records:,} calls")
        sys.stderr.flush()
        self._shown = True

    def end(self) -> None:
        """Leaves nothing of it on the terminal."""
        if self._shown:
            sys.stderr.write(_ERASE)
            sys.stderr.flush()
            self._shown = False
