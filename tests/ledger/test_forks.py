"""What a fork waits for, and in which order."""

from __future__ import annotations

import threading

import pytest

from edgequake_obs import _process
from edgequake_obs.ledger import forks

PATIENCE = 30.0


def test_a_fork_lets_the_ledger_be_made_first(monkeypatch: pytest.MonkeyPatch) -> None:
    awaited, turns = threading.Event(), []

    class Maker(threading.Thread):
        def run(self) -> None:
            assert awaited.wait(PATIENCE)
            turns.append(forks._turn.lock.acquire(timeout=PATIENCE))
            forks._turn.lock.release()

        def join(self, timeout: float | None = None) -> None:
            awaited.set()
            super().join(PATIENCE)

    maker = Maker(daemon=True)
    maker.start()
    monkeypatch.setattr(_process, "_maker", maker)
    forks._before()
    try:
        assert turns == [True]  # and not when the fork had given it back
    finally:
        forks._after_in_parent()
