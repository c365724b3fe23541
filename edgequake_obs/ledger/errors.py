"""What a ledger may answer instead of doing what was asked."""

from __future__ import annotations


class LedgerError(Exception):
    """The ledger could not be read or folded; the message says why and what to do."""


class LedgerNotFoundError(LedgerError):
    """There is no ledger at the path: nothing was recorded there yet."""

    def __init__(self, database: str) -> None:
        super().__init__(f"there is no ledger at {database} yet: it begins with the first recorded call")


class LedgerBusyError(LedgerError):
    """Somebody else holds the ledger; the message says who, and what to do."""
