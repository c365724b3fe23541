"""Which of its limits a call ran into."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

import edgequake_obs
from edgequake_obs import Timeout

from .conftest import MESSAGES, Ask
from .records import Ledger
from .server import DONE, PATIENCE, USAGE_EVENT, Answer, Server, chat, event


@pytest.fixture
def mute() -> Iterator[int]:
    """A port where the system answers, and nobody else."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def dribble(piece: bytes, pause: float) -> Iterator[bytes]:
    for _ in itertools.repeat(None):
        time.sleep(pause)
        yield piece


LIMITS = [
    httpx2.Timeout(PATIENCE, connect=0.2),
    (0.2, PATIENCE),
    (0.2, PATIENCE, None, None),
    0.2,
]


@pytest.mark.parametrize("limit", LIMITS)
def test_no_connection(mute: int, ledger: Ledger, limit: Any) -> None:
    # TCP connects; TLS waits.
    base = f"https://127.0.0.1:{mute}/v1"
    with pytest.raises(Timeout, match=rf"could not connect to 127.0.0.1:{mute} within 0.2 s \(connect timeout\)"):
        edgequake_obs.completion("m", MESSAGES, api_base=base, api_key="k", timeout=limit, max_retries=0)
    row = ledger.call()
    assert (row["outcome"], row["error_type"], row["http_status"]) == ("error", "timeout", None)


@pytest.mark.parametrize("limit", [httpx2.Timeout(PATIENCE, read=0.2), (PATIENCE, 0.2)])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("begun", [False, True])
def test_silence(server: Server, ask: Ask, ledger: Ledger, limit: Any, stream: bool, begun: bool) -> None:
    go = threading.Event()
    if begun:
        server.will(Answer(body=[event("Hel") if stream else b" ", go]))
    else:
        server.will(Answer(body=chat(), delay=1.0))
    with pytest.raises(Timeout, match=r"for 0.2 s \(read timeout\)"):
        list(ask(stream=stream, timeout=limit, max_retries=0))
    go.set()
    row = ledger.call()
    assert (row["outcome"], row["error_type"]) == ("error", "timeout")
    assert row["http_status"] == (200 if begun else None)


def test_a_number_is_for_the_whole_answer(server: Server, ask: Ask) -> None:
    server.will(Answer(body=dribble(b" ", 0.05)))
    with pytest.raises(Timeout, match=r"no answer within the timeout of 0.4 s"):
        ask(timeout=0.4, max_retries=0)


def test_what_is_never_silent_goes_on(server: Server, ask: Ask) -> None:
    """As with httpx: neither its Timeout nor a stream has a limit for the whole."""
    slowly = [event("Hel"), event("lo."), USAGE_EVENT, DONE]
    pieces = itertools.chain(*(itertools.chain(itertools.islice(dribble(b": ping\n\n", 0.1), 5), [e]) for e in slowly))
    server.will(Answer(body=pieces), Answer(body=[*itertools.islice(dribble(b" ", 0.1), 20), chat()]))
    said = "".join(chunk.choices[0].delta.content or "" for chunk in ask(stream=True, timeout=1.5))
    assert said == "Hello."
    assert ask(timeout=(PATIENCE, 1.5)).choices[0].message.content == "Hello."


@pytest.mark.parametrize("limit", [-1, (1,), (1, "x"), "soon", (0, 1)])
def test_what_is_no_timeout(ask: Ask, ledger: Ledger, limit: Any) -> None:
    with pytest.raises(edgequake_obs.BadRequestError, match="timeout"):
        ask(timeout=limit)
    assert ledger.call()["outcome"] == "error"
