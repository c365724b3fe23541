"""Refuses interpreters in which the native module cannot work, with the reason rather than a loader's message."""

from __future__ import annotations

import sys

if "free-threading" in sys.version:
    raise ImportError(
        "edgequake_obs does not work on free-threaded builds of Python yet: "
        f"use the ordinary build of Python {sys.version_info.major}.{sys.version_info.minor}"
    )

try:
    from . import _native  # noqa: F401  # pyright: ignore[reportUnusedImport] -- whether it can be loaded
except ImportError as error:
    if "subinterpreter" not in str(error):
        raise
    raise ImportError(
        "edgequake_obs works in the main interpreter of a process only: use threads or processes instead of "
        "subinterpreters (under mod_wsgi: WSGIApplicationGroup %{GLOBAL})"
    ) from error
