"""`edgequake-obs prices conflicts`: where the sources of the price table disagree, and what was decided."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edgequake_obs import _native

from .rows import add_format, print_rows

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

NAME = "conflicts"
HELP = "Where the sources of the price table disagree, what holds, and why."

_COLUMNS = ("key", "what", "one", "other", "holds", "why", "source", "checked")
_TWO_KEYS = "both are keys of this provider: <provider>/<model> goes first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this action takes."""
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    return print_rows(arguments, _COLUMNS, [*_corrections(), *_two_keys()], "The sources agree.")


def _corrections() -> Iterator[tuple[object, ...]]:
    """What the overlay decides."""
    for correction in json.loads(_native.price_corrections(), parse_float=str)["corrections"]:
        said: dict[str, Any] = correction
        decided: list[tuple[str, object, object]] = []
        for stated, holds in said.get("history_thresholds", {}).items():
            decided.append(("long-context threshold", f"{stated}k", f"{holds}k"))
        decided += [(field, None, rate) for field, rate in said.get("set", {}).items()]
        decided += [(field, None, "no price") for field in said.get("remove", [])]
        for what, stated, holds in decided:
            yield (said["key"], what, stated, holds, holds, said["why"], said["source"], said["checked"])


def _two_keys() -> Iterator[tuple[object, ...]]:
    """Models that stand in the table twice, under a key with their provider's name and one without, at other prices."""
    keys = set(_native.price_keys())
    for key in sorted(keys):
        provider, _, model = key.partition("/")
        if model not in keys:
            continue
        long, short = (json.loads(_native.price_entry(name) or "{}", parse_float=str) for name in (key, model))
        if not long.get("litellm_provider") == short.get("litellm_provider") == provider:
            continue
        for field in sorted(long.keys() | short.keys()):
            if "cost" in field and long.get(field) != short.get(field):
                yield (model, field, short.get(field), long.get(field), long.get(field), _TWO_KEYS, key, None)
