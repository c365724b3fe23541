"""Refuses interpreters in which the native module cannot work, before it is loaded there."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _number() -> int:
    """Which interpreter of its process this is; the first has number 0."""
    # Neither module is documented; where both are missing there are no subinterpreters to be had from Python.
    for name in ("_interpreters", "_xxsubinterpreters"):  # 3.13 and newer; older
        try:
            current: Any = __import__(name).get_current()
        except ImportError:
            continue
        # Since 3.13 with a word on where the interpreter comes from.
        return int(current[0] if sys.version_info >= (3, 13) else current)
    return 0


if "free-threading" in sys.version:
    raise ImportError(
        "edgequake_obs does not work on free-threaded builds of Python yet: "
        f"use the ordinary build of Python {sys.version_info.major}.{sys.version_info.minor}"
    )
if _number():
    raise ImportError(
        "edgequake_obs works in the main interpreter of a process only: use threads or processes instead of "
        "subinterpreters (under mod_wsgi: WSGIApplicationGroup %{GLOBAL})"
    )
