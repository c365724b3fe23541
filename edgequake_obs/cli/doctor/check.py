"""One thing that `doctor` looked at."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """One thing looked at.

    Attributes:
        name: What.
        status: `ok`, `note` or `wrong`.
        found: What was found.
        remedy: What to do about it, where it is wrong.
    """

    name: str
    status: str
    found: str
    remedy: str = ""
