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

from edgequake_obs import _process

from .descriptors import times_open
from .errors import LedgerBusyError, LedgerError

if TYPE_CHECKING:
    from collections.abc import Generator

    from .place import Place

_FORK_WAITS = 1.0  # seconds; a fork is not refused, only delayed


class _Turn:
    """A lock that a fork takes too, where it gets it in time; the child has a new one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taken_by_fork = False

    def before_fork(self) -> None:
        self.taken_by_fork = self.lock.acquire(timeout=_FORK_WAITS)

    def after_fork_in_parent(self) -> None:
        if self.taken_by_fork:
            self.lock.release()

    def after_fork_in_child(self) -> None:
        self.lock = threading.Lock()


# One at a time in a process: threads share DuckDB's file lock, so they must take turns in opening and closing.
_turn = _Turn()
# Held while a descriptor is opened or closed: a fork in between would give the child one that `_descriptors` misses.
_changing = _Turn()
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
    with _changing.lock:
        number = os.open(path, os.O_RDONLY)
        _descriptors.add(number)
    try:
        yield number
    finally:
        with _changing.lock:
            # In a forked child it is closed already, and the number may be somebody else's by now.
            if number in _descriptors:
                _descriptors.discard(number)
                os.close(number)


def _before() -> None:
    _process.wait_for_maker()  # which needs the turn: it would wait for the fork, and the fork for it
    _turn.before_fork()
    _changing.before_fork()


def _after_in_parent() -> None:
    _changing.after_fork_in_parent()
    _turn.after_fork_in_parent()


def _after_in_child() -> None:
    _turn.after_fork_in_child()
    _changing.after_fork_in_child()
    for number in _descriptors:
        with suppress(OSError):
            os.close(number)
    _descriptors.clear()
    _inherited.update(path for path in _opened if times_open(path))
    _opened.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
