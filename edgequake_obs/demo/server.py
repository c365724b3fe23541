"""A small HTTP server on 127.0.0.1 that plays back recorded exchanges.

Whatever path a client asks for below `/x/<exchange id>`, it gets that exchange's status, headers and body; a stream
goes out one event at a time. Options stand between the id and the client's own path:

    /x/<id>/fault=<kind>/v1/...      drop | stall | 500 | 429 | truncated | invalid-utf8
    /x/<id>/wait-ms=<n>/v1/...       n milliseconds of silence before the answer
    /x/<id>/delay-ms=<n>/v1/...      n milliseconds between the events of a stream

`python -m edgequake_obs.demo.server [FILE]` prints its URL and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import http
import json
import queue
import re
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from edgequake_obs.demo.recording import SHIPPED, Exchange, first_half, load, not_utf8

FAULTS = ("drop", "stall", "500", "429", "truncated", "invalid-utf8")

_OPTION = re.compile(r"/(fault|wait-ms|delay-ms)=([^/?]*)")


@dataclasses.dataclass
class Received:
    """What one exchange was last asked for, and how often."""

    count: int
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed; None if there was none."""
        return json.loads(self.body) if self.body else None


class ReplayServer:
    """The exchanges it plays, the requests it got, and its connections.

    Attributes:
        base_url: `http://127.0.0.1:<port>`, once it listens.
        received: The last request for each exchange id.
        connections: How many connections are open now.
        broken_off: How many answers a client hung up on before they were complete.
    """

    def __init__(self, exchanges: Mapping[str, Exchange]) -> None:
        self.base_url = ""
        self.received: dict[str, Received] = {}
        self.connections = 0
        self.broken_off = 0
        self._exchanges = exchanges

    def url(self, exchange_id: str, *options: str, path: str = "/v1") -> str:
        """The base URL at which a client finds an exchange, e.g. `url(id, "fault=drop")`."""
        return "/".join([self.base_url, "x", exchange_id, *options]) + path

    async def listen(self) -> None:
        """Start to accept connections in the running event loop."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, limit=1 << 24, backlog=1024)
        self.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        # A client that goes away ends its connection; a loop that shuts down ends them all.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        self.connections -= 1
        with contextlib.suppress(ConnectionError, RuntimeError):
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False when the connection is not to be used again."""
        target, headers, body = await _read_request(reader)
        exchange_id, _, path = target.removeprefix("/x/").partition("/")
        exchange = self._exchanges.get(exchange_id) if target.startswith("/x/") else None
        if exchange is None:
            writer.write(_whole(404, {"error": {"message": f"nothing is recorded at {target}"}}))
            return True
        options: dict[str, str] = {}
        path = "/" + path
        while found := _OPTION.match(path):
            options[found[1]] = found[2]
            path = path[found.end() :]
        count = self.received[exchange_id].count + 1 if exchange_id in self.received else 1
        self.received[exchange_id] = Received(count, path, headers, body)
        return await self._answer(exchange, options, reader, writer)

    async def _answer(
        self,
        exchange: Exchange,
        options: Mapping[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        fault = options.get("fault", "")
        if fault and fault not in FAULTS:
            writer.write(_whole(400, {"error": {"message": f"no such fault: {fault}; there are {', '.join(FAULTS)}"}}))
            return True
        await self._silence(reader, float(options.get("wait-ms", 0)) / 1000)
        if fault in ("500", "429"):
            error = {"message": f"injected {fault}", "type": "server_error", "code": "injected_fault"}
            writer.write(_whole(int(fault), {"error": error}, {"retry-after": "1"} if fault == "429" else {}))
            return True
        pieces = exchange.pieces
        if fault == "truncated":
            pieces = first_half(pieces)
        elif fault == "invalid-utf8":
            pieces = not_utf8(pieces)
        framing = {"content-length": str(sum(map(len, pieces)))}
        if exchange.chunked:
            framing = {"transfer-encoding": "chunked"}
        if fault in ("drop", "stall"):
            pieces = first_half(pieces)
        writer.write(_head(exchange.status, {**exchange.headers, **framing}))
        for number, piece in enumerate(pieces):
            if number:
                await self._silence(reader, float(options.get("delay-ms", 0)) / 1000)
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if exchange.chunked else piece)
            await writer.drain()
        if fault == "drop":
            await asyncio.sleep(0.02)  # what was written must arrive before the reset does
            writer.transport.abort()
            return False
        if fault == "stall":
            await self._silence(reader, 3600)
        if exchange.chunked:
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _silence(self, reader: asyncio.StreamReader, seconds: float) -> None:
        """Wait, and end the connection at once if the client hangs up meanwhile."""
        if not seconds:
            return
        with contextlib.suppress(asyncio.TimeoutError):
            # No client of ours sends a second request before it has the first answer: whatever comes is the end.
            await asyncio.wait_for(reader.read(1), seconds)
            self.broken_off += 1
            raise ConnectionResetError


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """The next request's target, headers by lower-case name, and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = b""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    elif length := headers.get("content-length"):
        body = await reader.readexactly(int(length))
    return first.split(" ", 2)[1], headers, body


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _whole(status: int, body: object, headers: Mapping[str, str] | None = None) -> bytes:
    data = json.dumps(body).encode()
    fixed = {"content-type": "application/json", "content-length": str(len(data))}
    return _head(status, {**fixed, **(headers or {})}) + data


@contextlib.contextmanager
def running(exchanges: Mapping[str, Exchange]) -> Generator[ReplayServer, None, None]:
    """Serve from a thread of this process; yields the server, which has its `base_url` by then."""
    server = ReplayServer(exchanges)
    ready: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    async def serve() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        await server.listen()
        ready.put(lambda: loop.call_soon_threadsafe(done.set))
        await done.wait()  # leaving ends the loop, and with it every connection

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="edgequake-demo-server", daemon=True)
    thread.start()
    stop = ready.get()
    try:
        yield server
    finally:
        stop()
        thread.join()


def main(arguments: list[str]) -> int:
    """Serve a recording until standard input ends, so that no server outlives who started it."""
    with running(load(Path(arguments[0]) if arguments else SHIPPED)) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
