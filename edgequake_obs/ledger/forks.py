"""Forks: what a child must not share with its parent.

A fold or a first creation lets no fork happen in its middle (for up to a second), its locks are closed in the child
without being released (they belong to the parent too), and a ledger that was open at the fork cannot be opened in the
child: DuckDB would hand out the parent's database again, without a lock and without its threads.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from .descriptors import times_open
from .errors import LedgerBusyError, LedgerError

if TYPE_CHECKING:
    from collections.abc import Generator

    from .place import Place

_FORK_WAITS = 1.0  # seconds; a fork is not refused, only delayed


# One at a time in a process: threads share DuckDB's file lock, so they must take turns in opening and closing.
class _Turn:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taken_by_fork = False


_turn = _Turn()
_descriptors: set[int] = set()
_opened: set[str] = set()
_inherited: set[str] = set()


@contextmanager
def turn(place: Place, timeout: float) -> Generator[None]:
    """Holds this process's turn to open or close a ledger.

    Args:
        place: The ledger that will be opened.
        timeout: Seconds to wait for another thread.

    Raises:
        LedgerBusyError: Another thread had the turn for all that time.
        LedgerError: The ledger was open when this process was forked.
    """
    mine = _turn.lock  # a forked child gets a new one
    if not mine.acquire(timeout=max(timeout, 0)):
        raise LedgerBusyError(f"another thread of this process is folding {place.database}: try again when it is done")
    try:
        refuse_inherited(place)
        _opened.add(place.database)
        yield
    finally:
        mine.release()


def refuse_inherited(place: Place) -> None:
    """Raises LedgerError where the ledger was open in the process that this one was forked from."""
    if place.database in _inherited:
        raise LedgerError(
            f"{place.database} was open when this process (PID {os.getpid()}) was forked, and an inherited connection "
            "has no lock: open the ledger after the fork only, or start the process with multiprocessing's 'spawn'"
        )


@contextmanager
def descriptor(path: str) -> Generator[int]:
    """Opens a file or folder for a lock; a forked child closes it, and never unlocks it."""
    number = os.open(path, os.O_RDONLY)
    _descriptors.add(number)
    try:
        yield number
    finally:
        # In a forked child it is closed already, and the number may be somebody else's by now.
        if number in _descriptors:
            _descriptors.discard(number)
            os.close(number)


def _before() -> None:
    _turn.taken_by_fork = _turn.lock.acquire(timeout=_FORK_WAITS)


def _after_in_parent() -> None:
    if _turn.taken_by_fork:
        _turn.lock.release()


def _after_in_child() -> None:
    _turn.lock = threading.Lock()
    for number in _descriptors:
        with suppress(OSError):
            os.close(number)
    _descriptors.clear()
    _inherited.update(path for path in _opened if times_open(path))
    _opened.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
