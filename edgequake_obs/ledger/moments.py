"""Points in time as users write them: datetimes, ISO strings, `7d`, `24h`, `today`, `month`."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from edgequake_obs._instants import instant_ns

from .schema import first_row, literal

if TYPE_CHECKING:
    import duckdb

_AGO = re.compile(r"(\d{1,9})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STARTS = {"today": "day", "month": "month"}


def epoch_ns(name: str, moment: datetime | date | str, tz: str, connection: duckdb.DuckDBPyConnection) -> int:
    """A point in time as nanoseconds since the epoch.

    Args:
        name: The argument's name, for the error.
        moment: A datetime (naive: UTC), an ISO string, an age (`7d`, `24h`), `today` or `month` (their beginning).
        tz: The time zone in which days and months begin.
        connection: DuckDB knows the time zones, also where the system has no list of them.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(moment, str):
        text = moment.strip()
        if text in _STARTS:
            return _start_of(_STARTS[text], tz, connection)
        if ago := _AGO.fullmatch(text):
            try:
                return instant_ns(name, datetime.now(timezone.utc) - timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
            except OverflowError:
                raise ValueError(f"{name}={moment!r} is before the beginning of time: use a smaller number") from None
    return instant_ns(name, moment, or_else=", an age such as 7d or 24h, 'today' or 'month'")


def _start_of(unit: str, tz: str, connection: duckdb.DuckDBPyConnection) -> int:
    zone = literal(tz)
    row = first_row(
        connection, f"SELECT epoch_us(date_trunc('{unit}', now() AT TIME ZONE {zone}) AT TIME ZONE {zone}) * 1000"
    )
    return row[0] if row else 0
