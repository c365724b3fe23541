"""Cohere's own interfaces, which litellm speaks and our own client does not: how recorded exchanges are asked, and what
they count."""

from __future__ import annotations

from typing import Any

from edgequake_obs.demo.recording import Exchange

from .dialect_case import DialectCase, NotAskable

OPERATIONS = {("cohere", "chat"), ("cohere", "embeddings"), ("cohere", "rerank")}


def case_of(exchange: Exchange) -> DialectCase:
    """How an exchange is asked.

    Raises:
        NotAskable: litellm has no words for it.
    """
    path = exchange.path.partition("?")[0]
    request = exchange.request
    if exchange.operation == "embeddings":
        if "texts" not in request:
            raise NotAskable("vectors of images")
        return DialectCase(exchange, "cohere", "embeddings", {"input": request["texts"]}, path=path)
    if exchange.operation == "rerank":
        asked = {name: request[name] for name in ("query", "documents", "top_n") if request.get(name) is not None}
        return DialectCase(exchange, "cohere", "rerank", asked, path=path)
    arguments: dict[str, Any] = {
        "messages": request.get("messages") or [{"role": "user", "content": request["message"]}]
    }
    if request.get("tools") and path == "/v2/chat":
        arguments["tools"] = request["tools"]
    if exchange.streaming:
        arguments["stream"] = True
    return DialectCase(
        exchange, "cohere_chat/v1" if path == "/v1/chat" else "cohere_chat", "chat", arguments, path=path
    )


def usage_of(exchange: Exchange) -> dict[str, Any] | None:
    """The provider's usage object."""
    return exchange.facts.get("usage")
