"""Bodies as servers send them: compressed, endless, far too long."""

from __future__ import annotations

import gzip
import itertools
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from edgequake_obs import OpenAIError, RateLimitError

from .conftest import Ask
from .records import Ledger
from .server import COST, DONE, USAGE_EVENT, Answer, Server, chat, error, event

MIB = 1 << 20


def bare(data: bytes) -> bytes:
    """What some servers call deflate."""
    squeezed = zlib.compressobj(wbits=-15)
    return squeezed.compress(data) + squeezed.flush()


ENCODINGS = {"gzip": ("gzip", gzip.compress), "zlib": ("deflate", zlib.compress), "bare": ("deflate", bare)}


@pytest.mark.parametrize("name", ENCODINGS)
def test_compressed(server: Server, ask_either_way: Ask, ledger: Ledger, name: str) -> None:
    encoding, compress = ENCODINGS[name]
    text = "Hello. " * 100_000
    for status, body in [(200, chat(text)), (429, error("slow down"))]:
        server.will(Answer(status, compress(body), {"content-encoding": encoding, "x-should-retry": "false"}))
    assert ask_either_way().choices[0].message.content == text
    assert server.request.headers["accept-encoding"] == "gzip, deflate"
    with pytest.raises(RateLimitError, match="slow down"):
        ask_either_way()
    assert str(ledger.calls()[0]["cost_usd"]) == f"{COST}00000"


def squeezed(pieces: list[bytes], wbits: int) -> Iterator[bytes]:
    stream = zlib.compressobj(wbits=wbits)
    for piece in pieces:
        yield stream.compress(piece) + stream.flush(zlib.Z_SYNC_FLUSH)
    yield stream.flush()


@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_a_compressed_stream_comes_as_it_is_sent(server: Server, ask: Ask, encoding: str, wbits: int) -> None:
    go = threading.Event()
    first, *rest = squeezed([event("Hel"), event("lo."), USAGE_EVENT, DONE], wbits)
    server.will(Answer(body=[first, go, *rest], headers={"content-encoding": encoding}))
    chunks = iter(ask(stream=True))
    assert next(chunks).choices[0].delta.content == "Hel"  # the rest is not sent before
    go.set()
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "lo."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("encoding", "body", "message"),
    [
        ("gzip", gzip.compress(chat())[:-20], "not whole"),
        ("gzip", chat(), "cannot be decompressed"),
        ("br", chat(), "compressed with br"),
    ],
)
def test_what_cannot_be_decompressed(
    server: Server, ask: Ask, ledger: Ledger, stream: bool, encoding: str, body: bytes, message: str
) -> None:
    server.will(Answer(body=[body], headers={"content-encoding": encoding}))
    with pytest.raises(OpenAIError, match=message):
        list(ask(stream=stream, max_retries=0))
    assert ledger.call()["outcome"] == "error"


def endless(piece: bytes) -> Iterator[bytes]:
    return itertools.repeat(piece)


def bomb() -> Iterator[bytes]:
    """A kibibyte of it is a mebibyte."""
    squeezer = zlib.compressobj(wbits=31)
    for piece in itertools.repeat(b" " * MIB):
        yield squeezer.compress(piece) + squeezer.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize(("stream", "kind"), [(True, "answer"), (False, "bomb")])
def test_a_body_without_an_end_is_cut_off(server: Server, ask: Ask, ledger: Ledger, stream: bool, kind: str) -> None:
    bodies: dict[str, tuple[Any, dict[str, str]]] = {
        "answer": (endless(b"{" * MIB), {}),
        "bomb": (bomb(), {"content-encoding": "gzip"}),
    }
    body, headers = bodies[kind]
    server.will(Answer(body=body, headers=headers))
    with pytest.raises(OpenAIError, match="longer than 268435456 bytes"):
        list(ask(stream=stream, max_retries=2))
    assert len(server.requests) == 1
    row = ledger.call()
    assert (row["outcome"], row["error_type"]) == ("error", "invalid_response")


def test_an_event_without_an_end_is_cut_off(server: Server, ask: Ask, ledger: Ledger) -> None:
    body = itertools.chain([event("Hel"), b"data: "], endless(b"x" * MIB))
    server.will(Answer(body=body, headers={"content-type": "text/event-stream"}))
    chunks = iter(ask(stream=True))
    assert next(chunks).choices[0].delta.content == "Hel"
    with pytest.raises(OpenAIError, match="longer than 64 MiB"):
        list(chunks)
    row = ledger.call()
    assert (row["outcome"], row["error_type"]) == ("error", "invalid_response")
