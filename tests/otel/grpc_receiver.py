"""An OTLP/gRPC receiver in this process, by gRPC's own server, with TLS."""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Callable, Iterator

import grpc

from .receiver import Arrived

SERVICE = "opentelemetry.proto.collector.{0}.v1.{1}Service"
SERVICES = {"traces": SERVICE.format("trace", "Trace"), "metrics": SERVICE.format("metrics", "Metrics")}


class GrpcReceiver(Arrived):
    """A receiver that takes everything.

    Args:
        key: The server's key, in PEM.
        chain: Its certificates.
        clients: Of whom clients' certificates have to be; None: they need none.
    """

    def __init__(self, key: bytes, chain: bytes, clients: bytes | None) -> None:
        super().__init__()
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        for signal, service in SERVICES.items():
            export = grpc.unary_unary_rpc_method_handler(self._taking(signal))
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": export}),))
        credentials = grpc.ssl_server_credentials([(key, chain)], clients, require_client_auth=clients is not None)
        self.url = f"https://127.0.0.1:{self._server.add_secure_port('127.0.0.1:0', credentials)}"
        self._server.start()

    def close(self) -> None:
        self._server.stop(None)

    def _taking(self, signal: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def export(request: bytes, context: grpc.ServicerContext) -> bytes:
            with self._lock:
                self._decode(signal, request)
            return b""

        return export


@contextlib.contextmanager
def receiving(key: bytes, chain: bytes, clients: bytes | None) -> Iterator[GrpcReceiver]:
    """A receiver that listens."""
    receiver = GrpcReceiver(key, chain, clients)
    try:
        yield receiver
    finally:
        receiver.close()
