"""A provider that does what a test tells it: it gives its answers in turn and keeps the requests it got."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Far more than anything here takes: it finds hangs and judges no speed.
PATIENCE = 30.0

USAGE = {"prompt_tokens": 14, "completion_tokens": 8, "total_tokens": 22}
# What USAGE costs with gpt-4o-mini: 14 times 0.15 and 8 times 0.60 USD per million.
COST = "0.0000069"


@dataclasses.dataclass
class Request:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    method: str = "POST"

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclasses.dataclass
class Answer:
    """What the server does with one request.

    Attributes:
        status: The HTTP status.
        body: Bytes, or pieces that go out one at a time; an event among them is waited for.
        headers: Headers beside those of the framing.
        delay: Seconds of silence before the answer.
        hangs_up: Whether the connection is closed afterwards, without a word about it before.
        silent: Whether the connection is closed instead of an answer.
        stuck: With pieces: after how many seconds of a full connection the server gives up.
    """

    status: int = 200
    body: bytes | Iterable[bytes | threading.Event] = b""
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    delay: float = 0.0
    hangs_up: bool = False
    silent: bool = False
    stuck: float | None = None


class Server:
    """The requests it got, and the answers still to give.

    Attributes:
        requests: The requests so far.
        closed: Set when the server has closed a connection after an answer with `hangs_up`.
        left: Set when a client was found to have hung up in the middle of an answer.
        sent: Bytes of pieces sent so far.
    """

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.closed = threading.Event()
        self.left = threading.Event()
        self.stuck = threading.Event()
        self.sent = 0
        self._answers: deque[Answer] = deque()
        self._connections = 0
        self._tls = tls
        self._host = host
        kind = _SixServer if ":" in host else ThreadingHTTPServer
        self._http = kind((host, 0), self._handler(), bind_and_activate=False)
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self._http.server_bind()  # until `listen`, the port refuses
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return self._http.server_port

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http{'s' if self._tls else ''}://{host}:{self.port}"

    @property
    def base(self) -> str:
        """What clients take as their base URL."""
        return f"{self.url}/v1"

    @property
    def request(self) -> Request:
        """The only request."""
        assert len(self.requests) == 1
        return self.requests[0]

    def will(self, *answers: Answer) -> None:
        """Answer so, after what was said before."""
        self._answers.extend(answers)

    def clear(self) -> None:
        """Forget the answers that nobody asked for."""
        self._answers.clear()

    def listen(self) -> None:
        self._http.server_activate()
        if self._tls is not None:
            # The handshake is the connection's thread's business.
            secured = self._tls.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
            self._http.socket = secured
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                server._connections += 1
                self.number = server._connections
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append(Request(self.path, headers, body, self.number, self.command))
                nothing = Answer(418, b'{"error": {"message": "no further answer is scripted"}}')
                answer = server._answers.popleft() if server._answers else nothing
                threading.Event().wait(answer.delay)
                self.last = self.close_connection  # the client said so
                self.close_connection = self.last or answer.hangs_up or answer.silent
                if not answer.silent:
                    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                        self._give(answer)

            do_GET = do_POST

            def handle(self) -> None:
                with contextlib.suppress(ssl.SSLError):  # a client that does not trust this server
                    super().handle()

            def finish(self) -> None:
                with contextlib.suppress(OSError):
                    super().finish()
                if self.close_connection:
                    server._http.shutdown_request(self.request)
                    server.closed.set()

            def _give(self, answer: Answer) -> None:
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if self.last:
                    self.send_header("connection", "close")
                if isinstance(answer.body, bytes):
                    if "content-type" not in answer.headers:
                        self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)
                    return
                self.send_header("content-type", "text/event-stream")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                try:
                    self._send(answer.body, answer.stuck)
                except (BrokenPipeError, ConnectionResetError):
                    server.left.set()
                    self.close_connection = True

            def _send(self, pieces: Iterable[bytes | threading.Event], stuck: float | None) -> None:
                self.connection.settimeout(stuck)
                try:
                    for piece in pieces:
                        if isinstance(piece, threading.Event):
                            assert piece.wait(PATIENCE)
                            continue
                        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                        server.sent += len(piece)
                    self.wfile.write(b"0\r\n\r\n")
                except TimeoutError:
                    server.stuck.set()
                    self.close_connection = True
                finally:
                    self.connection.settimeout(None)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


class _SixServer(ThreadingHTTPServer):
    address_family = socket.AF_INET6


@contextlib.contextmanager
def running(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that listens."""
    server = Server(host, tls)
    server.listen()
    try:
        yield server
    finally:
        server.close()


def chat(content: str | None = "Hello.", *, model: str = "gpt-4o-mini", **message: Any) -> bytes:
    """A plain answer."""
    said = {"role": "assistant", "content": content, **message}
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": model,
            "choices": [{"index": 0, "message": said, "logprobs": None, "finish_reason": "stop"}],
            "usage": USAGE,
        }
    ).encode()


def embeddings(*vectors: list[float]) -> bytes:
    """An embeddings answer."""
    data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    usage = {"prompt_tokens": 4, "total_tokens": 4}
    return json.dumps(
        {"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage},
    ).encode()


def event(content: str | None = None, *, finish: str | None = None, **more: Any) -> bytes:
    """An event of a stream."""
    delta = {} if content is None else {"role": "assistant", "content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini", "choices": [choice]}
    return sse({**chunk, **more})


def sse(data: object) -> bytes:
    """Anything as an event."""
    return f"data: {json.dumps(data)}\n\n".encode()


DONE = b"data: [DONE]\n\n"
USAGE_EVENT = event(choices=[], usage=USAGE)


def error(message: str = "no", code: str | None = None) -> bytes:
    """The body of an error."""
    return json.dumps({"error": {"message": message, "type": "some_error", "code": code, "param": None}}).encode()
