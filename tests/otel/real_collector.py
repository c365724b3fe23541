"""The official OpenTelemetry Collector: built by `make collector`, started and killed by tests."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PATIENCE = 30.0
START = '{"resource'  # of each document
MODULE = Path(__file__).with_name("collector")


def binary() -> Path:
    """Where it is, once it is built from these sources: for every clone of them."""
    key = hashlib.sha256((MODULE / "go.sum").read_bytes()).hexdigest()[:16]
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "edgequake-obs" / "collector" / key / "otelcol"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


class RealCollector:
    """A collector that writes what it takes into a folder, also across restarts.

    Args:
        folder: Where its files are.
        durable: What it has answered for survives that it is killed.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self._config = MODULE / ("durable.yaml" if durable else "collector.yaml")
        self.grpc, self.http, self._health = _free_port(), _free_port(), _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    @property
    def grpc_url(self) -> str:
        return f"http://127.0.0.1:{self.grpc}"

    def start(self) -> None:
        ports = {"GRPC_PORT": self.grpc, "HTTP_PORT": self.http, "HEALTH_PORT": self._health}
        environment = {**os.environ, "OUT": str(self.folder), **{name: str(port) for name, port in ports.items()}}
        command = [str(binary()), "--config", str(self._config)]
        self._process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self._health}", timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline, "the collector does not start"
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; by SIGTERM it writes what it has taken."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def spans(self) -> list[dict[str, Any]]:
        """The spans of its file, as OTLP's JSON."""
        return [
            span
            for document in self._documents("traces.jsonl")
            for of in document["resourceSpans"]
            for scope in of["scopeSpans"]
            for span in scope["spans"]
        ]

    def events(self) -> list[dict[str, Any]]:
        """The log records of its file, as OTLP's JSON."""
        return [
            record
            for document in self._documents("logs.jsonl")
            for of in document["resourceLogs"]
            for scope in of["scopeLogs"]
            for record in scope["logRecords"]
        ]

    def metric_names(self) -> set[str]:
        """The names of all metrics of its file."""
        return {
            metric["name"]
            for document in self._documents("metrics.jsonl")
            for of in document["resourceMetrics"]
            for scope in of["scopeMetrics"]
            for metric in scope["metrics"]
        }

    def _documents(self, name: str) -> Iterator[dict[str, Any]]:
        path = self.folder / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        at, decoder = text.find(START), json.JSONDecoder()
        while at >= 0:
            try:
                document, at = decoder.raw_decode(text, at)
                yield document
            except json.JSONDecodeError:  # cut off when it was killed
                at += len(START)
            at = text.find(START, at)


def attributes_of(span: dict[str, Any]) -> dict[str, Any]:
    """A span's attributes as Python values; OTLP's JSON has 64-bit integers as texts."""
    return {attribute["key"]: _value(attribute["value"]) for attribute in span["attributes"]}


def _value(value: dict[str, Any]) -> Any:
    ((kind, content),) = value.items()
    if kind == "arrayValue":
        return [_value(item) for item in content["values"]]
    return {"intValue": int, "doubleValue": float}.get(kind, lambda same: same)(content)
