"""Answers each connection's one request with bytes made beforehand, and hangs up."""

from __future__ import annotations

import itertools
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def answering(answer: Callable[[int], bytes]) -> Iterator[str]:
    """Serves `answer(n)` under `<base>/<n>/...`; yields the base URL."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                connection.settimeout(5)
                with connection:
                    _answer(connection, answer)

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        # Wakes them on every system, which closing the listener does not.
        for _ in threads:
            with suppress(OSError):
                socket.create_connection(listener.getsockname()).close()
        for thread in threads:
            thread.join()
        listener.close()


def _answer(connection: socket.socket, answer: Callable[[int], bytes]) -> None:
    with connection.makefile("rb") as request:
        target = request.readline().split(b" ")
        if len(target) < 2:
            return
        length = 0
        while (line := request.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        request.read(length)
        with suppress(OSError):
            number = int(target[1].split(b"/")[1])
            _send_in_pieces(connection, answer(number), random.Random(number))
            connection.shutdown(socket.SHUT_WR)
            request.read(1)  # until the client has gone, lest it loses what it has not read


def _send_in_pieces(connection: socket.socket, whole: bytes, pick: random.Random) -> None:
    """Cut anywhere: in the head, in an event, in a character."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    cuts = sorted(pick.randint(0, len(whole)) for _ in range(pick.choice((0, 1, 4))))
    for start, end in itertools.pairwise([0, *cuts, len(whole)]):
        connection.sendall(whole[start:end])
