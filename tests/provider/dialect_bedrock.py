"""Bedrock's converse and invoke, which litellm speaks and our own client does not: how recorded ones are asked, and
what their bytes and headers count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgequake_obs.demo.recording import Exchange

from .dialect_case import DialectCase, NotAskable

OPERATIONS = {("bedrock", operation) for operation in ("converse", "converse_stream", "invoke", "invoke_stream")}
_TEXTS = {"text", "content", "prompt", "inputText", "message", "system", "texts"}
_HEADER = "x-amzn-bedrock-{}-token-count"
_COUNTED = {
    "inputTokenCount": "input",
    "outputTokenCount": "output",
    "cacheReadInputTokenCount": "cache-read-input",
    "cacheWriteInputTokenCount": "cache-write-input",
}


def case_of(exchange: Exchange) -> DialectCase:
    """How an exchange is asked: what was said in it, in one message.

    Raises:
        NotAskable: litellm has no words for it.
    """
    if exchange.model.startswith("arn:"):
        raise NotAskable("an ARN of which the recorder kept a part")
    if "rerank" in exchange.model:
        raise NotAskable("litellm asks for rankings elsewhere")
    is_invoked = exchange.operation.startswith("invoke")
    said = "\n".join(_said(exchange.request)) or "x"
    vendor = f"bedrock/{'invoke' if is_invoked else 'converse'}"
    if is_invoked and "embed" in exchange.model:
        return DialectCase(exchange, "bedrock", "embeddings", {"input": [said]}, path="")
    arguments: dict[str, Any] = {"messages": [{"role": "user", "content": said}]}
    if exchange.streaming:
        arguments["stream"] = True
    return DialectCase(exchange, vendor, "chat", arguments, path="")


def _said(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _said(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _said(item, name)
    elif isinstance(value, str) and name in _TEXTS and value.strip():
        yield value


def usage_of(exchange: Exchange) -> dict[str, Any] | None:
    """The provider's usage object: the model's own, else what Bedrock counts in its headers."""
    own: dict[str, Any] | None = exchange.facts.get("usage")
    if own and not own.keys() & {"inputTextTokenCount", "generation_token_count"}:
        return own
    counts = {name: exchange.headers.get(_HEADER.format(count)) for name, count in _COUNTED.items()}
    found = {name: int(count) for name, count in counts.items() if count is not None}
    if found.keys() == {"inputTokenCount"}:
        return {"inputTextTokenCount": found["inputTokenCount"]}
    return found or None
