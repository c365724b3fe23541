"""Price tables in litellm's form: read from a file or a URL, and compiled."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from edgequake_obs import _native

_LONGEST = 64 << 20  # bytes: twenty times the table of today
_PATIENCE = 30.0  # seconds for a server to answer


class Compiled(NamedTuple):
    """A table that was checked.

    Attributes:
        snapshot: What the library opens.
        version: Its date and content hash.
        models: How many it has.
        notes: What there was to say about it.
    """

    snapshot: bytes
    version: str
    models: int
    notes: list[str]


def compiled_file(path: str) -> Compiled:
    """Compiles a file.

    Raises:
        ValueError: It is no price table.
        OSError: It cannot be read.
    """
    return _compiled(Path(path).read_bytes(), path)


def compiled_url(url: str) -> Compiled:
    """Compiles what a server sends. Nothing else of this library asks a network for prices.

    Raises:
        ValueError: It is no price table.
        OSError: The server cannot be reached, or refused.
    """
    from urllib.request import Request, urlopen

    request = Request(url, headers={"user-agent": f"edgequake-obs/{_native.__version__}"})
    with urlopen(request, timeout=_PATIENCE) as answer:
        return _compiled(answer.read(_LONGEST + 1), url)


def is_url(source: str) -> bool:
    """Whether a source is to be asked of a server."""
    return source.lower().startswith(("https://", "http://"))


def _compiled(content: bytes, source: str) -> Compiled:
    if len(content) > _LONGEST:
        raise ValueError(f"{source} is longer than {_LONGEST >> 20} MiB: no price table is")
    today = datetime.now(timezone.utc).date().isoformat()
    try:
        return Compiled(*_native.compile_prices(content.decode(), today))
    except ValueError as error:
        raise ValueError(f"{source} is no price table in litellm's form: {error}") from None
