"""The fold: spool files become rows, some files in one transaction, exactly once.

A kill at any moment leaves either a file that is not in the tables, or one that `folded` names: the views skip that
one, and the next fold unlinks it.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from . import spool
from .batch import FileError, fold_batch, size_of, take_batch
from .creation import create
from .descriptors import times_open
from .errors import LedgerBusyError, LedgerError, LedgerNotFoundError
from .forks import turn
from .place import Place, place_of
from .report import FoldReport
from .writable import writable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    Tell = Callable[[float, int], None]

_PATIENCE = 5.0  # seconds that a fold waits for another fold or for readers
_AT_A_STRETCH = 0.25  # seconds after which the database is closed before the next files
_BREATH = 0.05  # seconds in which readers get in then
_STEP = 0.02  # seconds between two attempts
_FULL = 66 << 20  # bytes of a full spool file, with the lines that went beyond
# Each thread should fill row groups of its own: what is left over is compressed again by a later checkpoint. More than
# eight files would need more memory than a fold may take.
_LEAST, _MOST = 2 * _FULL, 8 * _FULL
_FOR_A_READER = 4 * _FULL  # bytes in the first transaction of somebody who only wants to read
_TRANSACTION = 6.0  # seconds that one should take: other readers wait as long


def fold(path: str | Path | None = None) -> FoldReport:
    """Moves what programs have recorded from the spool into the tables.

    Nobody has to: `connect()` folds, and the views show what is not folded yet. It is for cron, and for spools that
    grow while nobody reads. Readers get in between two files.

    Args:
        path: The `.duckdb` file; None: this program's ledger.

    Returns:
        What was done. Files that somebody held are counted in `busy` and wait for the next fold.

    Raises:
        LedgerNotFoundError: There is no ledger there.
        LedgerBusyError: Somebody has the file open and kept it for 5 s: readers, another fold, or this process.
        LedgerError: The ledger is off, another user's, of a newer version, or open since before a fork.
    """
    return fold_telling(path, lambda _share, _records: None)


def fold_telling(path: str | Path | None, tell: Tell) -> FoldReport:
    """As `fold`; tells now and then how much of what waits is done (0 to 1), and how many calls that were."""
    from edgequake_obs import _native

    begun = time.monotonic()
    place = place_of(path)
    _native.flush(2.0)
    if not place.exists():
        raise LedgerNotFoundError(place.database)
    if not place.is_ours():
        raise LedgerError(
            f"{place.spool} belongs to another user: fold as its owner (UID {os.stat(place.spool).st_uid})"
        )
    create(place)
    with only_folder(place, begun + _PATIENCE):
        done = _fold_with_pauses(place, tell)
    return done._replace(seconds=time.monotonic() - begun)


@contextmanager
def only_folder(place: Place, until: float) -> Generator[None]:
    """Keeps other folders out; waits for one until then (monotonic seconds).

    Raises:
        LedgerBusyError: Another process went on folding.
    """
    while True:
        with spool.folder_lock(place) as mine:
            if mine:
                yield
                return
        if time.monotonic() >= until:
            raise LedgerBusyError(f"another process is folding {place.database}: wait until it is done")
        time.sleep(_STEP)


def _fold_with_pauses(place: Place, tell: Tell) -> FoldReport:
    """Folds all files, and closes the database between them so that readers get in."""
    waiting = spool.foldable(place)
    whole = max(sum(size_of(place, file) for file in waiting), 1)
    left = whole
    done = FoldReport()
    failed: FileError | None = None
    until = time.monotonic() + _PATIENCE
    pace = _Pace()
    while waiting:
        try:
            with turn(place, _PATIENCE), writable(place) as connection:
                opened = time.monotonic()
                while waiting and time.monotonic() - opened < _AT_A_STRETCH:
                    batch = take_batch(place, waiting, pace.size)
                    tell(1 - left / whole, done.records)
                    size = sum(size_of(place, file) for file in batch)
                    left -= size
                    try:
                        with pace.measured(size):
                            done = done.plus(fold_batch(connection, place, batch))
                    except FileError as error:
                        failed = error
            until = time.monotonic() + _PATIENCE
            if waiting:
                time.sleep(_BREATH)
        except LedgerBusyError:
            begun = done.files or done.busy
            # Another thread's connection may be short, but whoever calls this with one of their own waits in vain.
            if time.monotonic() < until and (begun or not times_open(place.database)):
                time.sleep(_STEP)
            elif begun:
                return done._replace(busy=done.busy + len(waiting))
            else:
                raise
    if failed:
        raise failed
    return done


class _Pace:
    """How many bytes one transaction takes in."""

    def __init__(self) -> None:
        self.size = _MOST

    @contextmanager
    def measured(self, size: int) -> Generator[None]:
        """Around the folding of so many bytes: finds out how many the next transaction may take in."""
        begun = time.monotonic()
        yield
        seconds = max(time.monotonic() - begun, 0.001)
        if size >= _FULL:  # what is small says little
            self.size = min(max(_LEAST, int(size / seconds * _TRANSACTION)), _MOST)


def fold_until(place: Place, until: float) -> None:
    """Folds what can be folded before `until` (monotonic seconds), the first files in any case.

    The caller has the turn and the lock of the folder.

    Raises:
        LedgerBusyError: The database could not be opened for writing.
        LedgerError: It is of a newer version.
    """
    with writable(place) as connection:
        waiting = spool.foldable(place)
        while waiting:
            with suppress(FileError):  # the views show it
                fold_batch(connection, place, take_batch(place, waiting, _FOR_A_READER))
            if time.monotonic() >= until:
                break
