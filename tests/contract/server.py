"""A local server that answers as providers were recorded to answer, well or badly.

Whatever is posted below `http://127.0.0.1:<port>/<exchange>/<option>=<value>/.../v1` gets that exchange.

    fail=429:2          the first two requests of this run get that status
    fault=drop          the connection breaks halfway through the body
    fault=stall         half of the body, then silence
    fault=truncated     well-formed HTTP around half of the body
    fault=html          a page instead of the answer, called JSON
    encoding=gzip       the body is compressed (also deflate)
    pieces=one          a stream in one piece instead of one for each event; pieces=7: in pieces of 7 bytes
    pause-ms=5          between the pieces
    run=3               keeps the requests of one run apart from another's

Like the providers, it reports a stream's usage only if `stream_options` ask for it.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import dataclasses
import gzip
import json
import re
import select
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("data") / "exchanges.jsonl"
_TRY_LATER = b'{"error": {"message": "try later", "code": "busy"}}'
_PAGE = b"<html>back soon</html>"
_USAGE_EVENT = re.compile(rb'data: \{[^\n]*"choices":\[\][^\n]*"usage":\{[^\n]*\n\n')


@dataclasses.dataclass(frozen=True)
class Sent:
    """One request as the server got it."""

    run: str
    path: str
    headers: dict[str, str]
    body: Any


class Server:
    """The exchanges by name, those of one run alone by `name@run`, and what was asked so far."""

    def __init__(self) -> None:
        lines = DATA.read_text(encoding="utf-8").splitlines()
        self.exchanges: dict[str, dict[str, Any]] = {e["name"]: e for e in map(json.loads, lines)}
        # Of one run, by `name@run`: what its requests get, one after the other; then the last again.
        self.in_turn: dict[str, list[dict[str, Any]]] = {}
        self.sent: list[Sent] = []
        self.asked: collections.Counter[str] = collections.Counter()
        self.connections: collections.Counter[str] = collections.Counter()  # of each run
        self.address = ""

    def url(self, exchange: str, run: str, **options: object) -> str:
        """A base URL for one run of a situation."""
        parts = [f"{key.replace('_', '-')}={value}" for key, value in ({"run": run} | options).items()]
        return "/".join([self.address, exchange, *parts, "v1"])

    def exchange(self, name: str, run: str) -> dict[str, Any]:
        """What answers the request of a run that was noted last."""
        own = self.in_turn.get(f"{name}@{run}", [])
        known = own[min(self.asked[run], len(own)) - 1] if own else self.exchanges.get(f"{name}@{run}")
        return known or self.exchanges[name]

    def take(self, run: str) -> list[Sent]:
        """The requests of a run."""
        return [sent for sent in self.sent if sent.run == run]


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Serve from background threads."""
    state = Server()

    class Bound(_Handler):
        server_state = state

    class Listener(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # with the default of 5, twenty calls at once lose connections

    httpd = Listener(("127.0.0.1", 0), Bound)
    state.address = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        httpd.shutdown()
        httpd.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_state: Server
    protocol_version = "HTTP/1.1"

    known = False  # the connection has been counted

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle()

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        segments = self.path.strip("/").split("/")
        options = dict(s.split("=", 1) for s in segments[1:] if "=" in s and "?" not in s)
        path = "/".join(s for s in segments if not s.startswith("run="))
        request = _read(body)
        state = self.server_state
        run = options.get("run", "")
        state.sent.append(Sent(run, path, {k.lower(): v for k, v in self.headers.items()}, request))
        state.asked[run] += 1
        state.connections[run] += not self.known
        self.known = True
        if "fail" in options:
            status, _, times = options["fail"].partition(":")
            if state.asked[run] <= int(times or 1_000_000):
                self._whole(
                    int(status), {"retry-after-ms": "1"}, b'{"error": {"message": "try later", "code": "busy"}}'
                )
                return
        exchange = state.exchange(segments[0], run)
        answer = (base64.b64decode if exchange.get("encoding") else str.encode)(exchange["response_body"])
        fault = options.get("fault", "")
        if "event-stream" in exchange["response_headers"]["content-type"]:
            answer = {"html": b"data: <html>back soon</html>\n\n"}.get(
                fault, answer[: len(answer) // (2 if fault else 1)]
            )
            asked = request if isinstance(request, dict) else {}
            if not (asked.get("stream_options") or {}).get("include_usage"):
                answer = _USAGE_EVENT.sub(b"", answer)
            self._stream(exchange, answer, options)
            return
        if fault == "html":
            answer = _PAGE
        if fault == "truncated":
            answer = answer[: len(answer) // 2]
        headers = dict(exchange["response_headers"])
        if "encoding" in options:
            answer = b"".join(_compressed([answer], options["encoding"]))
            headers["content-encoding"] = options["encoding"]
        if fault in ("drop", "stall"):
            self._head(exchange["status"], headers | {"content-length": str(len(answer))})
            self.wfile.write(answer[: len(answer) // 2])
            self._fail(fault)
            return
        self._whole(exchange["status"], headers, answer)

    def _whole(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self._head(status, {"content-type": "application/json"} | headers | {"content-length": str(len(body))})
        self.wfile.write(body)

    def _stream(self, exchange: dict[str, Any], body: bytes, options: dict[str, str]) -> None:
        fault = options.get("fault", "")
        pieces = [e for e in re.split(rb"(?<=\n\n)", body) if e]
        if size := options.get("pieces"):
            n = len(body) if size == "one" else int(size)
            pieces = [body[i : i + n] for i in range(0, len(body), n)]
        headers = exchange["response_headers"] | {"transfer-encoding": "chunked"}
        if "encoding" in options:
            headers["content-encoding"] = options["encoding"]
            pieces = list(_compressed(pieces, options["encoding"]))
        self._head(exchange["status"], headers)
        for piece in pieces:
            if piece:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            time.sleep(float(options.get("pause-ms", 0)) / 1000)
        if fault in ("drop", "stall"):
            self._fail(fault)
            return
        self.wfile.write(b"0\r\n\r\n")

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _fail(self, fault: str) -> None:
        if fault == "stall":
            select.select([self.connection], [], [], 10)  # until the client gives up
        else:
            time.sleep(0.02)  # let what was written arrive before the reset
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        self.close_connection = True


def _read(body: bytes) -> Any:
    """A request's JSON; of a form its length, as its boundary is another each time."""
    if body[:2] == b"--":
        return len(body)
    return json.loads(body) if body else None


def _compressed(pieces: list[bytes], encoding: str) -> Iterator[bytes]:
    """Each piece can be read as soon as it arrives."""
    if encoding == "gzip" and len(pieces) == 1:
        yield gzip.compress(pieces[0])
        return
    compressor = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    for piece in pieces:
        yield compressor.compress(piece) + compressor.flush(zlib.Z_SYNC_FLUSH)
    yield compressor.flush()
