"""What a fold did, as its caller learns it."""

from __future__ import annotations

from typing import NamedTuple


class FoldReport(NamedTuple):
    """What a fold did.

    Attributes:
        records: Calls that are in the tables now and were not before.
        files: Spool files that were folded.
        set_aside: Lines that could not be read; they are kept in the spool's `aside/`.
        busy: Spool files that were left for the next fold, because somebody held them or the database.
        seconds: How long it took.
    """

    records: int = 0
    files: int = 0
    set_aside: int = 0
    busy: int = 0
    seconds: float = 0.0

    def plus(self, other: FoldReport) -> FoldReport:
        """Both together; the seconds are those of this one."""
        return FoldReport(
            self.records + other.records,
            self.files + other.files,
            self.set_aside + other.set_aside,
            self.busy + other.busy,
            self.seconds,
        )
