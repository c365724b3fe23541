"""The bare socket of baseline.py."""

from __future__ import annotations

import time

from benchmarks import baseline
from benchmarks.adapters import CONTENT


class Adapter:
    """What every other client is a multiple of; it has no asynchronous form."""

    def __init__(self, port: int) -> None:
        self._port = port

    def call(self) -> None:
        assert baseline.call(self._port) == CONTENT

    def stream(self) -> tuple[float, int]:
        chunks = -1  # it yields once more than there are chunks: at the first bytes
        first = 0.0
        for _ in baseline.stream(self._port):
            if chunks < 0:
                first = time.perf_counter()
            chunks += 1
        return first, chunks

    def settle(self) -> None:
        pass
