"""The list of cases that are known not to match, each with its reason: one line a case, sorted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).with_name("expected_misses.txt")

# Why a new miss is one, as far as its own text tells. First match counts.
_SIGNS = {
    "has no attribute": "the function is not built",
    "is not supported yet": "the provider or the argument is not built",
}
# Stands until somebody writes why.
UNKNOWN = "not looked into"


def read() -> dict[str, str]:
    """Case -> reason."""
    pairs = (line.partition("\t") for line in FILE.read_text(encoding="utf-8").splitlines() if line)
    return {case: reason for case, _, reason in pairs}


def write(found: Mapping[str, str]) -> None:
    """List the misses found; a reason that stands in the list already stays."""
    known = read() if FILE.exists() else {}
    lines = sorted(f"{case}\t{known.get(case) or _reason(why)}\n" for case, why in found.items())
    FILE.write_text("".join(lines), encoding="utf-8")


def _reason(why: str) -> str:
    return next((reason for sign, reason in _SIGNS.items() if sign in why), UNKNOWN)
