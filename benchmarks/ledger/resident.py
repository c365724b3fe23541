"""How much memory this process has, and how much it had at most."""

from __future__ import annotations

import resource
from pathlib import Path


def resident() -> int:
    """Bytes in use now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def most_resident() -> int:
    """Bytes in use at most, since the process began."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
