"""Whether anybody listens where spans and metrics are sent."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

from .check import Check

_GENERAL = "OTEL_EXPORTER_OTLP_ENDPOINT"
_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
_TIMEOUT = 2  # seconds


def checks() -> list[Check]:
    """Tries each endpoint that the environment names; nothing where nothing is sent."""
    mode = os.environ.get("EDGEQUAKE_OBS_OTEL", "").strip().lower()
    own = {f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT": signal.lower() for signal in ("TRACES", "METRICS")}
    named = {name: os.environ[name] for name in (*own, _GENERAL) if os.environ.get(name)}
    if mode == "off":
        return [Check("collector", "note", "EDGEQUAKE_OBS_OTEL=off: no spans and no metrics are sent")]
    if mode == "native" and not named:
        port = 4317 if os.environ.get(_PROTOCOL) == "grpc" else 4318
        named = {_GENERAL: f"http://localhost:{port}"}
    if own.keys() <= named.keys():
        named.pop(_GENERAL, None)  # nothing goes there
    return [_check(name, endpoint) for name, endpoint in named.items()]


def _check(name: str, endpoint: str) -> Check:
    remedy = f"start the collector, or set {name} to where it is"
    before, at, after = endpoint.rpartition("@")
    shown = f"{before.partition('://')[0]}://…@{after}" if at else endpoint  # not its password
    try:
        url = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
        if url.scheme not in ("", "http", "https"):
            return Check("collector", "wrong", f"{shown} is no http URL", f"set {name} to one")
        usual = 4317 if os.environ.get(_PROTOCOL) == "grpc" else 443 if url.scheme == "https" else 80
        socket.create_connection((url.hostname or "", url.port or usual), timeout=_TIMEOUT).close()
    except (OSError, ValueError) as error:
        return Check("collector", "wrong", f"{shown} cannot be reached: {error}", remedy)
    return Check("collector", "ok", f"{shown} answers")
