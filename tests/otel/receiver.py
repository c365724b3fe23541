"""An OTLP receiver in this process: decodes with OpenTelemetry's own protobuf package, behaves as it is told."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue


@dataclasses.dataclass
class Behaviour:
    """What the receiver does with one request; what it takes it keeps.

    Attributes:
        status: The HTTP status. Above 299 nothing is kept.
        rejects: So many spans it says to have rejected.
        delay: Seconds before the answer.
        headers: Of the answer.
        garbage: The answer's body is none of OTLP's.
    """

    status: int = 200
    rejects: int = 0
    delay: float = 0.0
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    garbage: bool = False


@dataclasses.dataclass
class Span:
    """A span as it arrived, ids in hex and attributes as Python values."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    status: int
    message: str
    flags: int
    resource: dict[str, Any]
    scope: str
    schema_url: str


@dataclasses.dataclass
class Event:
    """An event as it arrived."""

    name: str
    trace_id: str
    span_id: str
    at_ns: int
    severity: int
    flags: int
    attributes: dict[str, Any]
    scope: str
    schema_url: str


class Arrived:
    """What arrived so far, however it came.

    Attributes:
        url: Where it is to be sent.
    """

    url: str

    def __init__(self) -> None:
        self.traces: list[ExportTraceServiceRequest] = []
        self.metric_requests: list[ExportMetricsServiceRequest] = []
        self.logs: list[ExportLogsServiceRequest] = []
        self._lock = threading.Lock()

    @property
    def spans(self) -> list[Span]:
        with self._lock:
            requests = list(self.traces)
        return [
            Span(
                name=span.name,
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
                parent_id=span.parent_span_id.hex(),
                kind=span.kind,
                start_ns=span.start_time_unix_nano,
                end_ns=span.end_time_unix_nano,
                attributes=plain(span.attributes),
                events=[(event.name, plain(event.attributes)) for event in span.events],
                status=span.status.code,
                message=span.status.message,
                flags=span.flags,
                resource=plain(of.resource.attributes),
                scope=scope.scope.name,
                schema_url=scope.schema_url,
            )
            for request in requests
            for of in request.resource_spans
            for scope in of.scope_spans
            for span in scope.spans
        ]

    @property
    def events(self) -> list[Event]:
        with self._lock:
            requests = list(self.logs)
        return [
            Event(
                name=record.event_name,
                trace_id=record.trace_id.hex(),
                span_id=record.span_id.hex(),
                at_ns=record.time_unix_nano,
                severity=record.severity_number,
                flags=record.flags,
                attributes=plain(record.attributes),
                scope=scope.scope.name,
                schema_url=scope.schema_url,
            )
            for request in requests
            for of in request.resource_logs
            for scope in of.scope_logs
            for record in scope.log_records
        ]

    def metrics(self) -> dict[str, Any]:
        """Each metric as it last arrived, by its name."""
        with self._lock:
            requests = list(self.metric_requests)
        return {
            metric.name: metric
            for request in requests
            for of in request.resource_metrics
            for scope in of.scope_metrics
            for metric in scope.metrics
        }

    def _decode(self, signal: str, body: bytes) -> None:
        if signal == "traces":
            self.traces.append(ExportTraceServiceRequest.FromString(body))
        elif signal == "metrics":
            self.metric_requests.append(ExportMetricsServiceRequest.FromString(body))
        else:
            assert signal == "logs", signal
            self.logs.append(ExportLogsServiceRequest.FromString(body))


class Receiver(Arrived):
    """A receiver of http/protobuf.

    Attributes:
        requests: Path and headers of each request.
        behaviours: What to do with the next requests; empty: take them.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.behaviours: deque[Behaviour] = deque()
        self.always: Behaviour = Behaviour()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self._http.server_port}"
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> tuple[Behaviour, bytes]:
        with self._lock:
            self.requests.append((path, headers))
            behaviour = self.behaviours.popleft() if self.behaviours else self.always
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            if behaviour.status < 300:
                self._decode(path.rpartition("/")[2], body)
        if behaviour.garbage:
            return behaviour, b"<html>what?</html>"
        if behaviour.rejects:
            partial = ExportTracePartialSuccess(rejected_spans=behaviour.rejects, error_message="too old")
            return behaviour, ExportTraceServiceResponse(partial_success=partial).SerializeToString()
        return behaviour, b""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                behaviour, answer = receiver._take(self.path, headers, body)
                threading.Event().wait(behaviour.delay)
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.send_response_only(behaviour.status)
                    for name, value in behaviour.headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def handle(self) -> None:
                with contextlib.suppress(ssl.SSLError, ConnectionError):  # a client that trusts us not, or we it
                    super().handle()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


def plain(attributes: Any) -> dict[str, Any]:
    """Attributes as Python values; a name that stands twice is a fault of its own."""
    found = {attribute.key: value_of(attribute.value) for attribute in attributes}
    assert len(found) == len(attributes), [attribute.key for attribute in attributes]
    return found


def value_of(value: AnyValue) -> Any:
    """An attribute's value as a Python value."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return plain(value.kvlist_value.values)
    if kind is None:
        return None
    return getattr(value, kind)


@contextlib.contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver(tls)
    try:
        yield receiver
    finally:
        receiver.close()
