"""An exchange of another dialect, as `play` and its drivers take it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from edgequake_obs.demo.recording import Exchange


class NotAskable(Exception):
    """Why an exchange cannot be put into OpenAI's words."""


@dataclasses.dataclass(frozen=True)
class DialectCase:
    """One exchange as our own client asks it.

    Attributes:
        exchange: What is played back.
        vendor: litellm's prefix.
        operation: `chat` or `embeddings`.
        arguments: What the facade is called with, beside model, key and base.
        path: What the base ends with.
    """

    exchange: Exchange
    vendor: str
    operation: str
    arguments: dict[str, Any]
    path: str = "/v1"

    @property
    def id(self) -> str:
        return self.exchange.id

    def to_json(self) -> dict[str, Any]:
        """What a driver needs to ask it."""
        return {
            "id": self.id,
            "operation": self.operation,
            "streaming": self.exchange.streaming,
            "model": self.exchange.model or "unnamed",
            "request": self.arguments,
            "vendor": self.vendor,
            "base_url": "",
            "path": self.path,
            "deployment": None,
            "api_version": None,
        }


def differing(sent: Any, recorded: Any) -> str:
    """Two values as JSON, from a little before where they begin to differ."""
    left, right = json.dumps(sent, sort_keys=True), json.dumps(recorded, sort_keys=True)
    at = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), 0)
    start = max(0, at - 120)
    return f"{left[start : at + 120]!r}, recorded: {right[start : at + 120]!r}"
