"""What a recorded answer says, read from its bytes by code of the tests' own."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from edgequake_obs.demo.recording import Exchange


@dataclasses.dataclass
class Tool:
    """A tool call of an answer, put together from the pieces of a stream."""

    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclasses.dataclass
class Answer:
    """What a client must hand to its caller, and what the ledger must hold.

    Attributes:
        texts: Text by index of the choice.
        tools: Tool calls by index of the choice, in their order.
        finish_reasons: By index of the choice.
        vectors: Number of embeddings.
        usage: The provider's own usage object.
        model: The model that answered.
        response_id: The answer's id.
        error: An error object inside the answer or the stream.
    """

    texts: dict[int, str] = dataclasses.field(default_factory=dict[int, str])
    tools: dict[int, list[Tool]] = dataclasses.field(default_factory=dict[int, "list[Tool]"])
    finish_reasons: dict[int, str] = dataclasses.field(default_factory=dict[int, str])
    vectors: int = 0
    usage: dict[str, Any] | None = None
    model: str | None = None
    response_id: str | None = None
    error: Any = None

    def add(self, pieces: list[dict[str, Any]]) -> Answer:
        """Take the pieces of one answer or chunk: `{"index", "text", "tools": [[index, id, name, arguments]],
        "finish_reason"}`."""
        for piece in pieces:
            choice: int = piece["index"]
            self.texts[choice] = self.texts.get(choice, "") + piece["text"]
            tools = self.tools.setdefault(choice, [])
            for index, id_, name, arguments in piece["tools"]:
                at = len(tools) if index is None else index
                while len(tools) <= at:
                    tools.append(Tool())
                tool = tools[at]
                tool.id, tool.name = tool.id or id_, tool.name or name
                tool.arguments += arguments
            if piece["finish_reason"]:
                self.finish_reasons[choice] = piece["finish_reason"]
        return self


def text_of(content: Any) -> str:
    """The text of a message's content; Mistral's reasoning models send a list of parts, Cloudflare an object."""
    if isinstance(content, dict):
        return json.dumps(content, sort_keys=True)
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if part.get("type") == "text")
    return content or ""


def _pieces(document: dict[str, Any], part: str) -> list[dict[str, Any]]:
    pieces: list[dict[str, Any]] = []
    for at, choice in enumerate(document.get("choices") or []):
        message = choice.get(part) or {}
        tools: list[list[Any]] = []
        for position, call in enumerate(message.get("tool_calls") or []):
            function = call.get("function") or {}
            arguments = function.get("arguments") or ""
            index = position if part == "message" else call.get("index")
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            tools.append([index, call.get("id"), function.get("name"), text])
        pieces.append(
            {
                "index": choice.get("index", at),
                "text": text_of(message.get("content")),
                "tools": tools,
                "finish_reason": choice.get("finish_reason"),
            }
        )
    return pieces


def _usage(document: dict[str, Any]) -> dict[str, Any] | None:
    return document.get("usage") or (document.get("x_groq") or {}).get("usage") or None


def read(exchange: Exchange) -> Answer:
    """Read an exchange's body: a document, or the events of a stream."""
    if not exchange.streaming or exchange.status >= 400:
        document: dict[str, Any] = json.loads(exchange.body)
        answer = Answer().add(_pieces(document, "message"))
        answer.usage, answer.model = _usage(document), document.get("model")
        answer.response_id = document.get("id")
        answer.vectors = len(document.get("data") or [])
        answer.error = document.get("error") if exchange.status >= 400 else None
        return answer
    answer = Answer()
    for line in exchange.body.decode().splitlines():
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data == "[DONE]" or not data:
            continue
        event: dict[str, Any] = json.loads(data)
        answer.add(_pieces(event, "delta"))
        answer.usage = _usage(event) or answer.usage
        answer.model = answer.model or event.get("model")
        answer.response_id = answer.response_id or event.get("id")
        answer.error = answer.error or event.get("error")
    return answer
