"""The program's own OpenTelemetry: looked up at each call, never set, never imported for its sake."""

from __future__ import annotations

import sys

from edgequake_obs import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from opentelemetry._logs import Logger
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Tracer

# What the API's own are where the program has set up none; Logfire's, which are real, have such names too.
# `get_tracer_provider` would set one up where a variable names one.
_PLACEHOLDERS = frozenset(
    (
        "ProxyTracerProvider",
        "NoOpTracerProvider",
        "_ProxyMeterProvider",
        "NoOpMeterProvider",
        "ProxyLoggerProvider",
        "NoOpLoggerProvider",
    )
)


class _Known:
    """What was made for the provider that was found last."""

    tracer_provider: object = None
    tracer: Tracer | None = None
    meter_provider: object = None
    meter: Meter | None = None
    logger_provider: object = None
    logger: Logger | None = None


def tracer() -> Tracer | None:
    """Our tracer of the program's provider; None where it has none."""
    provider: object = getattr(sys.modules.get("opentelemetry.trace"), "_TRACER_PROVIDER", None)
    if provider is not _Known.tracer_provider:
        _Known.tracer_provider = provider
        _Known.tracer = _ours(provider, "get_tracer")
    return _Known.tracer


def meter() -> Meter | None:
    """Our meter of the program's provider; None where it has none."""
    provider: object = getattr(sys.modules.get("opentelemetry.metrics._internal"), "_METER_PROVIDER", None)
    if provider is not _Known.meter_provider:
        _Known.meter_provider = provider
        _Known.meter = _ours(provider, "get_meter")
    return _Known.meter


def logger() -> Logger | None:
    """Our logger of the program's provider; None where it has none."""
    provider: object = getattr(sys.modules.get("opentelemetry._logs._internal"), "_LOGGER_PROVIDER", None)
    if provider is not _Known.logger_provider:
        _Known.logger_provider = provider
        _Known.logger = _ours(provider, "get_logger")
    return _Known.logger


def _ours(provider: object, get: str) -> Any:  # the provider may be of any SDK
    kind = type(provider)
    if provider is None or (kind.__name__ in _PLACEHOLDERS and kind.__module__.startswith("opentelemetry.")):
        return None
    return getattr(provider, get)(_native.OTEL_SCOPE, _native.__version__, schema_url=_native.OTEL_SCHEMA_URL)
