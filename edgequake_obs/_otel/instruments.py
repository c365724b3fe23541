"""What calls come to, in the program's own MeterProvider."""

from __future__ import annotations

from edgequake_obs import _native

from . import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter

    Record = Callable[[float, Mapping[str, str | int], Context | None], None]


class _Made:
    """The instruments of the meter that was found last."""

    meter: Meter | None = None
    record: list[Record] = []  # noqa: RUF012 - replaced, never changed


def record(ended: _native.EndedCall, context: Context | None) -> None:
    """Measure a call that is over.

    Args:
        ended: The call.
        context: Its span, for exemplars.
    """
    meter = program.meter()
    if meter is None:
        return
    if _Made.meter is not meter:
        _Made.meter, _Made.record = meter, [_made(meter, *row) for row in _native.otel_instruments()]
    for instrument, value, attributes in ended.measurements():
        _Made.record[instrument](value, attributes, context)


def _made(meter: Meter, name: str, unit: str, description: str, bounds: list[float] | None) -> Record:
    if bounds is None:
        return meter.create_counter(name, unit, description).add
    try:
        made = meter.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=bounds)
    except TypeError:  # before API 1.30 there was no advice
        made = meter.create_histogram(name, unit, description)
    return made.record
