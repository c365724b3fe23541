"""Our own client in each of its dialects beside a bare socket with the same exchange: `python -m benchmarks.dialects`.

Prints, for each dialect, ratios to the bare socket: the median time of a call, the CPU of a stream of 200 chunks, the
time to its first chunk; medians of interleaved rounds, with record, cost and ledger on.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.worker import cpu

CHUNKS, CALLS, STREAMS = 200, 200, 20
TARGETS = {"call": 2.5, "stream": 1.0, "first": 3.0}
WORDS = "word " * 120
MESSAGES = [
    {"role": "system", "content": "You are terse."},
    {"role": "user", "content": "Say something of a hundred words about rivers."},
]
Json = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Dialect:
    """One dialect's exchange.

    Attributes:
        model: The model asked, with its provider.
        path: Where requests go.
        stream_path: Where requests for a stream go.
        body: What the bare socket sends.
        answer: A whole answer.
        events: The events of a stream.
    """

    model: str
    path: str
    stream_path: str
    body: Json
    answer: Json
    events: list[bytes]


def _data(event: Json, name: str | None = None) -> bytes:
    named = b"" if name is None else b"event: %s\n" % name.encode()
    return named + b"data: %s\n\n" % json.dumps(event).encode()


def _openai() -> Dialect:
    head = {"id": "chatcmpl-B1", "created": 1760000000, "model": "gpt-4o-mini-2024-07-18"}
    usage = {"prompt_tokens": 19, "completion_tokens": CHUNKS, "total_tokens": 19 + CHUNKS}
    message = {"role": "assistant", "content": WORDS, "refusal": None}

    def chunk(delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**head, "object": "chat.completion.chunk", "choices": [choice]})

    return Dialect(
        model="openai/gpt-4o-mini",
        path="/openai/v1/chat/completions",
        stream_path="/openai/v1/chat/completions",
        body={"model": "gpt-4o-mini", "messages": MESSAGES},
        answer={
            **head,
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": usage,
        },
        events=[
            *(chunk({"content": f"word{n % 89} "}) for n in range(CHUNKS)),
            chunk({}, "stop"),
            _data({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage}),
            b"data: [DONE]\n\n",
        ],
    )


def _anthropic() -> Dialect:
    usage = {
        "input_tokens": 19,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": CHUNKS,
    }
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-20250514"}

    def delta(n: int) -> bytes:
        text = {"type": "text_delta", "text": f"word{n % 89} "}
        return _data({"type": "content_block_delta", "index": 0, "delta": text}, "content_block_delta")

    begun = {**head, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    return Dialect(
        model="anthropic/claude-sonnet-4-20250514",
        path="/anthropic/v1/messages",
        stream_path="/anthropic/v1/messages",
        body={"model": "claude-sonnet-4-20250514", "max_tokens": 4096, "messages": MESSAGES},
        answer={
            **head,
            "content": [{"type": "text", "text": WORDS}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": usage,
        },
        events=[
            _data({"type": "message_start", "message": begun}, "message_start"),
            _data(
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                "content_block_start",
            ),
            *map(delta, range(CHUNKS)),
            _data({"type": "content_block_stop", "index": 0}, "content_block_stop"),
            _data({"type": "message_delta", "delta": ended, "usage": {"output_tokens": CHUNKS}}, "message_delta"),
            _data({"type": "message_stop"}, "message_stop"),
        ],
    )


def _gemini() -> Dialect:
    def piece(text: str, finish: str | None, total: int) -> Json:
        candidate: Json = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
        if finish is not None:
            candidate["finishReason"] = finish
        usage = {"promptTokenCount": 19, "candidatesTokenCount": total, "totalTokenCount": 19 + total}
        return {
            "candidates": [candidate],
            "usageMetadata": usage,
            "modelVersion": "gemini-2.5-flash",
            "responseId": "r1",
        }

    model = "/gemini/models/gemini-2.5-flash"
    return Dialect(
        model="gemini/gemini-2.5-flash",
        path=f"{model}:generateContent",
        stream_path=f"{model}:streamGenerateContent?alt=sse",
        body={"contents": [{"role": "user", "parts": [{"text": MESSAGES[1]["content"]}]}]},
        answer=piece(WORDS, "STOP", 121),
        events=[
            *(_data(piece(f"word{n % 89} ", None, n + 1)) for n in range(CHUNKS - 1)),
            _data(piece("end.", "STOP", CHUNKS)),
        ],
    )


DIALECTS = {"openai": _openai(), "anthropic": _anthropic(), "gemini": _gemini()}


def serve() -> None:
    """Answer each dialect's requests with the same bytes, until killed; the port on stdout."""
    plain: dict[str, bytes] = {}
    streams: dict[str, bytes] = {}
    for name, dialect in DIALECTS.items():
        body = json.dumps(dialect.answer).encode()
        plain[name] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
            len(body),
            body,
        )
        chunked = b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in dialect.events)
        streams[name] = (
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            + chunked
            + b"0\r\n\r\n"
        )

    class Connection(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._transport: Any = transport
            self._received = b""

        def data_received(self, data: bytes) -> None:
            self._received += data
            head, ended, body = self._received.partition(b"\r\n\r\n")
            if not ended or len(body) < int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
                return
            self._received = b""
            path = head.split(b" ", 2)[1].decode()
            streamed = "streamGenerate" in path or b'"stream":true' in body or b'"stream": true' in body
            self._transport.write((streams if streamed else plain)[path.split("/")[1]])

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(main())


class Bare:
    """The least that Python can do: a socket, `json`, nothing recorded. As baseline.py, for any dialect."""

    def __init__(self, port: int, dialect: Dialect) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._dialect = dialect

    def _send(self, path: str, body: Json) -> None:
        data = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-x\r\ncontent-type: application/json\r\n"
        self._socket.sendall(head.encode() + b"content-length: %d\r\n\r\n%s" % (len(data), data))

    def call(self) -> None:
        self._send(self._dialect.path, self._dialect.body)
        buffer = b""
        while b"\r\n\r\n" not in buffer:
            buffer += self._socket.recv(65536)
        end = buffer.find(b"\r\n\r\n")
        length = int(buffer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(buffer) < end + 4 + length:
            buffer += self._socket.recv(65536)
        assert json.loads(buffer[end + 4 :])

    def stream(self) -> float:
        body = self._dialect.body
        self._send(self._dialect.stream_path, {**body, "stream": True} if "model" in body else body)
        buffer, first = b"", 0.0
        while not buffer.endswith(b"0\r\n\r\n"):
            data = self._socket.recv(65536)
            first = first or time.perf_counter()
            buffer += data
        found = [json.loads(line[6:]) for line in buffer.split(b"\n") if line.startswith(b"data: {")]
        assert len(found) >= CHUNKS
        return first

    def settle(self) -> None:
        """Nothing is left to do."""


class Own:
    """Our client, through the facade."""

    def __init__(self, port: int, dialect: Dialect) -> None:
        import edgequake_obs

        base = f"http://127.0.0.1:{port}/{dialect.path.split('/')[1]}"
        base += "/v1" if dialect.model.startswith("openai") else ""
        self._complete = edgequake_obs.completion
        self._flush = edgequake_obs.flush
        self._asked: Json = {"model": dialect.model, "messages": MESSAGES, "api_base": base, "api_key": "sk-x"}

    def call(self) -> None:
        assert self._complete(**self._asked).choices[0].message.content == WORDS

    def stream(self) -> float:
        chunks, first = 0, 0.0
        for chunk in self._complete(stream=True, **self._asked):
            first = first or time.perf_counter()
            chunks += bool(chunk.choices[0].delta.content)
        assert chunks == CHUNKS
        return first

    def settle(self) -> None:
        assert self._flush(10)


def measured(client: Bare | Own) -> dict[str, float]:
    """One round of one client, in microseconds."""

    def timed(act: Callable[[], float | None]) -> tuple[float, float]:
        began = time.perf_counter()
        first = act()
        return time.perf_counter() - began, (first or began) - began

    client.settle()
    calls = [timed(client.call)[0] for _ in range(CALLS)]
    client.settle()
    before = cpu()
    firsts = [timed(client.stream)[1] for _ in range(STREAMS)]
    client.settle()
    figures = {
        "call": statistics.median(calls),
        "stream": (cpu() - before) / STREAMS,
        "first": statistics.median(firsts),
    }
    return {name: seconds * 1e6 for name, seconds in figures.items()}


def rounds_of(name: str, port: int, rounds: int) -> Iterator[tuple[dict[str, float], dict[str, float]]]:
    """Pairs of the bare socket's figures and ours; the first round only warms up."""
    clients = (Bare(port, DIALECTS[name]), Own(port, DIALECTS[name]))
    for number in range(rounds + 1):
        figures = {client: measured(client) for client in clients[:: 1 if number % 2 else -1]}
        if number:
            yield figures[clients[0]], figures[clients[1]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dialects", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds (15)")
    rounds: int = parser.parse_args().rounds
    command = [sys.executable, "-m", "benchmarks.dialects", "serve"]
    print(f"{'':10} {'':7} {'target':>7} {'ratio':>6}   bare, ours (µs)")
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        os.environ["EDGEQUAKE_OBS_LEDGER"] = str(Path(folder) / "ledger.duckdb")
        assert server.stdout is not None
        port = int(server.stdout.readline())
        for name in DIALECTS:
            pairs = list(rounds_of(name, port, rounds))
            for what, target in TARGETS.items():
                ratio = statistics.median(own[what] / bare[what] for bare, own in pairs)
                bare, own = (statistics.median(pair[side][what] for pair in pairs) for side in (0, 1))
                print(f"{name:10} {what:7} {target:5.1f} × {ratio:4.2f} ×   {bare:.0f}, {own:.0f}")
        server.kill()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        main()
