"""`edgequake-obs prices update`: a newer price table in the place of the shipped one."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from edgequake_obs import _native

from .tables import Compiled, compiled_file, compiled_url, is_url

if TYPE_CHECKING:
    import argparse

NAME = "update"
HELP = "Takes a newer price table, once it is checked; the one before is kept."

# A table that lost more models than this, or has a price that changed by more, is probably not what it should be:
# providers retire a few models at a time, and the usual mistake is a price per thousand or per million tokens.
_KEPT_AT_LEAST = 0.9
_UNLIKELY_FACTOR = 100
_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what only this action takes."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--from", dest="source", metavar="FILE|URL", help="a price table in litellm's form")
    source.add_argument("--undo", action="store_true", help="go back to the table before the last update")
    parser.add_argument("--force", action="store_true", help="take it though its figures look unlikely")


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    path = _native.updated_prices_path()
    if path is None:
        raise OSError("there is no home folder to keep prices in: set HOME, or XDG_DATA_HOME")
    if arguments.undo:
        return _undo(Path(path))
    source: str = arguments.source
    compiled = compiled_url(source) if is_url(source) else compiled_file(source)
    changes = _native.price_changes(compiled.snapshot)
    doubts = _doubts(compiled, changes)
    if doubts and not arguments.force:
        raise OSError(
            f"{source} was not taken: {'; '.join(doubts)}. Look at `prices diff`; --force takes it all the same"
        )
    _put(Path(path), compiled.snapshot)
    _native.reload_prices()
    in_force, _ = _native.price_versions()
    for note in compiled.notes:
        print(note)
    print(f"{len(changes):,} prices changed; {compiled.models:,} models; prices {in_force} from now on.")
    print(
        "Programs that are running keep the prices they began with. Go back with `edgequake-obs prices update --undo`."
    )
    return 0


def _doubts(compiled: Compiled, changes: list[tuple[str, str, str | None, str | None]]) -> list[str]:
    doubts: list[str] = []
    known = len(_native.price_keys())
    if compiled.models < known * _KEPT_AT_LEAST:
        doubts.append(f"it has {compiled.models:,} models and the table in force {known:,}")
    unlikely = [
        f"{key} {field} {before} -> {after}"
        for key, field, before, after in changes
        if before is not None and after is not None and _is_unlikely(Decimal(before), Decimal(after))
    ]
    if unlikely:
        more = f" and {len(unlikely) - _SHOWN:,} more" if len(unlikely) > _SHOWN else ""
        doubts.append(f"unlikely changes: {', '.join(unlikely[:_SHOWN])}{more}")
    return doubts


def _is_unlikely(before: Decimal, after: Decimal) -> bool:
    low, high = sorted((before, after))
    return low > 0 and high > low * _UNLIKELY_FACTOR


def _previous(path: Path) -> Path:
    return path.with_name("prices.previous.bin")


def _put(path: Path, snapshot: bytes) -> None:
    """Puts it there whole or not at all; a program that begins in between reads the old one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, draft = tempfile.mkstemp(dir=path.parent, prefix="prices.", suffix=".new")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(snapshot)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.replace(path, _previous(path))
        os.replace(draft, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(draft)
        raise


def _undo(path: Path) -> int:
    if _previous(path).exists():
        os.replace(_previous(path), path)
    elif path.exists():
        path.unlink()
    else:
        raise OSError("there is no update to go back from: the shipped prices are in force")
    _native.reload_prices()
    print(f"Prices {_native.price_versions()[0]} from now on.")
    return 0
