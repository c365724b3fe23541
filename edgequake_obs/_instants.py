"""Points in time as nanoseconds since the epoch."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def instant_ns(name: str, moment: datetime | date | str, or_else: str = "") -> int:
    """A datetime (naive: UTC), a date (its beginning, UTC) or an ISO string, as nanoseconds since the epoch.

    Args:
        name: The argument's name, for the error.
        moment: The point in time.
        or_else: What else the argument takes, for the error.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(moment, str):
        try:
            # Python 3.10 does not read the Z.
            moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", moment.strip()))
        except ValueError:
            raise ValueError(
                f"{name}={moment!r} is not a point in time: use an ISO date such as 2026-05-01 or "
                f"2026-05-01T12:00+02:00{or_else}"
            ) from None
    elif not isinstance(moment, datetime):
        if not isinstance(moment, date):  # pyright: ignore[reportUnnecessaryIsInstance] -- callers need not be typed
            raise ValueError(f"{name}={moment!r} is not a point in time: use a datetime or a string")
        moment = datetime.combine(moment, time())
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
