"""Points in time as users write them: datetimes, ISO strings, `7d`, `24h`, `today`, `month`."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from .schema import first_row, literal

if TYPE_CHECKING:
    import duckdb

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
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
                return _nanoseconds(datetime.now(timezone.utc) - timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
            except OverflowError:
                raise ValueError(f"{name}={moment!r} is before the beginning of time: use a smaller number") from None
        try:
            # Python 3.10 does not read the Z.
            moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
        except ValueError:
            raise ValueError(
                f"{name}={moment!r} is not a point in time: use an ISO date such as 2026-05-01 or "
                "2026-05-01T12:00+02:00, an age such as 7d or 24h, 'today' or 'month'"
            ) from None
    elif not isinstance(moment, datetime):
        if not isinstance(moment, date):  # pyright: ignore[reportUnnecessaryIsInstance] -- callers need not be typed
            raise ValueError(f"{name}={moment!r} is not a point in time: use a datetime or a string")
        moment = datetime.combine(moment, time())
    return _nanoseconds(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _start_of(unit: str, tz: str, connection: duckdb.DuckDBPyConnection) -> int:
    zone = literal(tz)
    row = first_row(
        connection, f"SELECT epoch_us(date_trunc('{unit}', now() AT TIME ZONE {zone}) AT TIME ZONE {zone}) * 1000"
    )
    return row[0] if row else 0
