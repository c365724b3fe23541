"""One recorded HTTP exchange with a provider, and the ways in which its answer can be spoilt."""

from __future__ import annotations

import base64
import dataclasses
import functools
import gzip
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

SHIPPED = Path(__file__).with_name("exchanges.jsonl")

_CHUNKED_TYPES = ("text/event-stream", "ndjson", "stream+json")
_END_OF_EVENT = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)|(?<=\r\r)")


@dataclasses.dataclass(frozen=True, eq=False)
class Exchange:
    """What a client asked and what the provider answered.

    Attributes:
        id: Stable name of the exchange.
        provider: litellm's id of the provider, or the vendor's name where litellm has none.
        operation: `chat`, `embeddings`, ...
        streaming: Whether the answer is (or was asked to be) a stream.
        model: The model that the request names.
        host: The vendor's host.
        path: The request's path, with its query.
        request: The request's body, parsed; empty if there was none.
        status: The answer's HTTP status.
        headers: The answer's headers that were kept.
        body: The answer's bytes, without content encoding and transfer framing.
        facts: The whole line of the recording.
    """

    id: str
    provider: str
    operation: str
    streaming: bool
    model: str
    host: str
    path: str
    request: dict[str, Any]
    status: int
    headers: Mapping[str, str]
    body: bytes
    facts: Mapping[str, Any]

    @classmethod
    def from_json(cls, line: str | bytes) -> Exchange:
        """Read one line of a recording."""
        facts: dict[str, Any] = json.loads(line)
        text: str = facts["response_body"]
        asked: object = facts["request_body"]
        return cls(
            id=facts["id"],
            provider=facts["provider"],
            operation=facts["operation"],
            streaming=facts["streaming"],
            model=facts["model"] or "",
            host=facts["host"],
            path=facts["path"],
            request=cast("dict[str, Any]", asked) if isinstance(asked, dict) else {},
            status=facts["status"],
            headers=facts["response_headers"],
            body=base64.b64decode(text) if facts.get("encoding") == "base64" else text.encode(),
            facts=facts,
        )

    @property
    def chunked(self) -> bool:
        """Whether the provider sent the answer in pieces of unknown number."""
        return any(kind in self.headers.get("content-type", "") for kind in _CHUNKED_TYPES)

    @functools.cached_property
    def pieces(self) -> list[bytes]:
        """The body, event by event; one piece if it is no stream."""
        if not self.chunked:
            return [self.body]
        if "event-stream" in self.headers.get("content-type", ""):
            return [piece for piece in _END_OF_EVENT.split(self.body) if piece]
        return self.body.splitlines(keepends=True)


def load(path: Path = SHIPPED) -> dict[str, Exchange]:
    """Read a recording (JSON Lines, gzipped or not), by exchange id."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as lines:
        return {exchange.id: exchange for exchange in map(Exchange.from_json, lines)}


def first_half(pieces: list[bytes]) -> list[bytes]:
    """The first half of a body, ending inside an event."""
    kept = pieces[: (len(pieces) + 1) // 2]
    return [*kept[:-1], kept[-1][: len(kept[-1]) // 2 + 1]]


def not_utf8(pieces: list[bytes]) -> list[bytes]:
    """The body with two bytes that are not UTF-8 at the start of a string near its middle."""
    middle = len(pieces) // 2
    for index in [*range(middle, len(pieces)), *range(middle)]:
        piece = pieces[index]
        if found := re.search(rb'": ?"', piece):
            spoilt = piece[: found.end()] + b"\xff\xfe" + piece[found.end() :]
            return [*pieces[:index], spoilt, *pieces[index + 1 :]]
    return [*pieces[:-1], pieces[-1] + b"\xff\xfe"]
