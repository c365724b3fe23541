"""What is done to recorded bytes: to a body, to the JSON in it, to a response's head; all of it follows from a seed."""

from __future__ import annotations

import json
import random
import re
from typing import Any

from edgequake_obs.demo.recording import Exchange

_DATA = re.compile(rb"^data: ?(\{.*)$", re.MULTILINE)
_JUNK = (
    b"\0" * 40,
    b"\xff\xfe\xc3",
    b"\r",
    b"\r\n\r\n",
    b"\n\n",
    b"data:",
    b": ping\n",
    b"data: [DONE]\n\n",
    b"event: error\n",
)
_STATUSES = (101, 200, 200, 200, 201, 204, 206, 299, 301, 304, 400, 401, 404, 408, 418, 429, 500, 502, 503, 529, 599)


class Mutations:
    """One stream of random choices."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def response(self, exchange: Exchange, other: Exchange) -> bytes:
        """A whole HTTP response, spoilt in its body, its head, or both."""
        chance = self._random.random()
        body = exchange.body
        for _ in range(self._random.choice((1, 1, 2, 5))):
            body = self._json(body) if chance < 0.6 else self._bytes(body, other.body)
        return self._head(exchange, body) if self._random.random() < 0.3 else _framed(exchange, body)

    def line(self, line: bytes, other: bytes) -> bytes:
        """A line of the spool, spoilt; it may have become several."""
        return self._bytes(line, other) if self._random.random() < 0.5 else self._json(line)

    def _bytes(self, body: bytes, other: bytes) -> bytes:
        pick = self._random
        start, end = sorted((pick.randint(0, len(body)), pick.randint(0, len(body))))
        end = min(end, start + pick.choice((1, 4, 60, 5000)))
        return pick.choice(
            (
                lambda: body[:start] + body[end:],
                lambda: body[:start],
                lambda: body[:end] + body[start:],
                lambda: body[:start] + pick.randbytes(pick.choice((1, 3, 200))) + body[end:],
                lambda: body[:start] + pick.choice(_JUNK) + body[start:],
                lambda: body[:start] + other[start:],
                lambda: body[:start] + b" " * 100_000 + body[start:],
                lambda: body.replace(b"\n", b"\r\n"),
                lambda: body.replace(b"\n\n", b"\n"),
                lambda: re.sub(rb"\d+", self._digits, body, count=pick.randint(1, 9)),
                lambda: body.replace(b'"', b"'", pick.randint(1, 5)),
                lambda: b"[" * pick.choice((200, 200_000)) + body,
                lambda: b"\xef\xbb\xbf" + body,
                lambda: b"",
            )
        )()

    def _digits(self, _: re.Match[bytes]) -> bytes:
        return self._random.choice(
            (b"0", b"-1", b"1e999", b"0.5", b"9" * 19, b"9" * 400, b"18446744073709551616", b"NaN")
        )

    def _json(self, body: bytes) -> bytes:
        """Another value somewhere in the document, or in one event's."""
        events = list(_DATA.finditer(body))
        start, end = (0, len(body))
        if events:
            start, end = self._random.choice(events).span(1)
        try:
            document: Any = json.loads(body[start:end])
        except (ValueError, RecursionError):  # an earlier change nested it deeper than this reader goes
            return self._bytes(body, body)
        text = json.dumps(self._changed(document), ensure_ascii=self._random.random() < 0.5)
        return body[:start] + text.encode("utf-8", "surrogatepass") + body[end:]

    def _changed(self, value: Any) -> Any:
        pick = self._random
        # Usage is where money is made of what is there.
        if isinstance(value, dict) and value and pick.random() < 0.9:
            key = "usage" if "usage" in value and pick.random() < 0.4 else pick.choice(list(value))
            changed = {**value, key: self._changed(value[key])}
            if pick.random() < 0.1:
                del changed[key]
            return changed
        if isinstance(value, list) and value and pick.random() < 0.8:
            place = pick.randrange(len(value))
            return [*value[:place], self._changed(value[place]), *value[place + 1 :]]
        return self._value()

    def _value(self) -> Any:
        pick = self._random
        deep: Any = 1
        for _ in range(pick.choice((5, 300))):
            deep = [deep] if pick.random() < 0.5 else {"a": deep}
        values = (
            None,
            True,
            0,
            -1,
            2**31,
            2**63,
            2**64,
            10**30,
            -(2**63),
            0.5,
            1e300,
            -0.0,
            "",
            "0",
            "\ud800",
            "a\0b",
            "💥" * 9,
        )
        return pick.choice((*values, "x" * 70_000, [], {}, [None], {"": {}}, deep))

    def _head(self, exchange: Exchange, body: bytes) -> bytes:
        pick = self._random
        kind = exchange.headers.get("content-type", "application/json")
        length = pick.choice((len(body), len(body), len(body) + 7, max(len(body) - 7, 0), 10**15, -1))
        lines = [
            pick.choice(
                (
                    f"HTTP/1.1 {pick.choice(_STATUSES)} Whatever",
                    "HTTP/1.1 200 OK",
                    "HTTP/1.0 200 OK",
                    "HTTP/1.1 200",
                    "OK",
                )
            ),
            f"content-type: {pick.choice((kind, kind, *_CONTENT_TYPES))}",
            pick.choice((f"content-length: {length}", "transfer-encoding: chunked", "connection: close")),
            *(f"{name}: {pick.choice(_HEADER_VALUES)}" for name in pick.sample(_HEADER_NAMES, pick.randint(0, 4))),
        ]
        if lines[2].startswith("transfer"):
            size = pick.choice((b"%x" % len(body), b"%x" % (len(body) + 9), b"zz", b"f" * 20, b"-1", b""))
            body = size + b"\r\n" + body + pick.choice((b"\r\n0\r\n\r\n", b"\r\n", b""))
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


_CONTENT_TYPES = ("text/html", "application/json", "text/event-stream", "", "x" * 5000)
_HEADER_NAMES = (
    "retry-after", "retry-after-ms", "x-should-retry", "x-request-id", "openai-processing-ms", "set-cookie", "date",
    "content-encoding", "content-length", "x-ratelimit-remaining-tokens", "location", "connection", "bad name",
)  # fmt: skip
_HEADER_VALUES = (
    "",
    "0",
    "-1",
    "1e9",
    "NaN",
    "gzip",
    "close",
    "true",
    "Fri, 31 Dec 1999 23:59:59 GMT",
    "ÿþ",
    "\t",
    "y" * 9000,
)


def _framed(exchange: Exchange, body: bytes) -> bytes:
    kind = exchange.headers.get("content-type", "application/json")
    head = f"HTTP/1.1 {exchange.status} OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode("latin-1", "replace") + body
