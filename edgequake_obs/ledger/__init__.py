"""The ledger: every recorded call in one DuckDB file that any DuckDB client can open.

Programs append to a spool beside the file and never open it; whoever reads folds the spool in first, if the file is
free, and the views show what is not folded yet straight from the spool.
"""

from __future__ import annotations

from .connection import connect
from .correcting import Repriced, recompute
from .creation import ensure
from .errors import LedgerBusyError, LedgerError, LedgerNotFoundError
from .folding import fold
from .report import FoldReport
from .spending import spend

__all__ = [
    "FoldReport",
    "LedgerBusyError",
    "LedgerError",
    "LedgerNotFoundError",
    "Repriced",
    "connect",
    "ensure",
    "fold",
    "recompute",
    "spend",
]
