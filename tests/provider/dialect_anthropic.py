"""Anthropic's messages: how recorded ones are asked, what their bytes say, what went out otherwise than recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from edgequake_obs.demo.recording import Exchange

from .dialect_case import DialectCase, NotAskable, differing
from .recorded import Answer, Tool

OPERATIONS = {("anthropic", "messages")}
REASONS = {
    "end_turn": "stop", "stop_sequence": "stop", "pause_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls",
    "refusal": "content_filter", "compaction": "length",
}  # fmt: skip
_OWN_TOOL_FIELDS = {"name", "description", "input_schema", "type", "cache_control"}


def case_of(exchange: Exchange) -> DialectCase:
    """How an exchange is asked.

    Raises:
        NotAskable: OpenAI's words have nothing for it.
    """
    return DialectCase(exchange, "anthropic", "chat", ask(exchange.request))


def ask(request: dict[str, Any]) -> dict[str, Any]:
    """litellm's arguments for a recorded request."""
    messages: list[dict[str, Any]] = []
    if system := request.get("system"):
        messages.append({"role": "system", "content": system})
    for message in request["messages"]:
        if not isinstance(message, dict):
            raise NotAskable("messages that are no objects")
        if message["role"] == "system":
            raise NotAskable("system messages amid the conversation, which go out as a note")
        messages += _messages(message)
    taken = {"system", "messages", "tools", "tool_choice", "stop_sequences", "model"}
    arguments = {name: value for name, value in request.items() if name not in taken and value is not None}
    arguments["messages"] = messages
    if "service_tier" in request:
        arguments["allowed_openai_params"] = ["service_tier"]  # which litellm does not send
    if stops := request.get("stop_sequences"):
        arguments["stop"] = stops
    if request.get("tools") is not None:
        arguments["tools"] = [_tool(tool) for tool in request["tools"]]
    if choice := request.get("tool_choice"):
        plain = {"auto": "auto", "any": "required", "none": "none"}
        arguments["tool_choice"] = plain.get(choice["type"]) or {
            "type": "function",
            "function": {"name": choice.get("name")},
        }
        if "disable_parallel_tool_use" in choice:
            arguments["parallel_tool_calls"] = not choice["disable_parallel_tool_use"]
    return arguments


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    if set(tool) - _OWN_TOOL_FIELDS or "input_schema" not in tool:
        return tool
    function = {"name": tool["name"], "parameters": tool["input_schema"]}
    if "description" in tool:
        function["description"] = tool["description"]
    kept = {"cache_control": tool["cache_control"]} if "cache_control" in tool else {}
    return {"type": "function", "function": function, **kept}


def _messages(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    content = message["content"]
    if isinstance(content, str):
        yield message
        return
    if message["role"] == "assistant":
        yield _assistant(content)
        return
    rest: list[dict[str, Any]] = []
    for block in content:
        if block["type"] == "tool_result" and not rest and not block.get("is_error"):
            result = {"role": "tool", "tool_call_id": block["tool_use_id"], "content": block.get("content", "")}
            yield result | ({"cache_control": block["cache_control"]} if "cache_control" in block else {})
        elif block["type"] == "image" and block["source"]["type"] == "base64" and set(block) == {"type", "source"}:
            source = block["source"]
            rest.append(
                {
                    "type": "image_url",
                    "image_url": {"url": f"data:{source['media_type']};base64,{source['data']}"},
                }
            )
        elif block["type"] == "image" and block["source"]["type"] == "url" and set(block) == {"type", "source"}:
            rest.append({"type": "image_url", "image_url": block["source"]["url"]})
        elif block["type"] == "document" and block["source"]["type"] == "base64" and set(block) == {"type", "source"}:
            source = block["source"]
            data = f"data:{source['media_type']};base64,{source['data']}"
            rest.append({"type": "file", "file": {"file_data": data}})
        else:
            rest.append(block)
    if rest:
        yield {"role": "user", "content": rest}


def _assistant(content: list[dict[str, Any]]) -> dict[str, Any]:
    thinking = [block for block in content if block["type"] in ("thinking", "redacted_thinking")]
    calls = [block for block in content if block["type"] == "tool_use"]
    rest = [block for block in content if block not in thinking and block not in calls]
    message: dict[str, Any] = {"role": "assistant", "content": rest or None}
    if thinking:
        message["thinking_blocks"] = thinking
    if calls:
        message["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(call["input"])},
                **({"cache_control": call["cache_control"]} if "cache_control" in call else {}),
            }
            for call in calls
        ]
    return message


def differences(sent: dict[str, Any], exchange: Exchange) -> Iterator[str]:
    """What of the recorded request did not go out as it was."""
    recorded = exchange.request
    normal = {
        "messages": _normal,
        "system": _blocks,
        "tools": lambda tools: [_plain_tool(tool) for tool in tools or []],
    }
    for name, value in recorded.items():
        # Models that think adaptively take neither budgets nor switches; the unit tests say what they get.
        if name in ("thinking", "output_config", "stream", "max_tokens", "model") or value is None:
            continue
        same = normal.get(name, lambda value: value)
        got, wanted = same(sent.get(name)), same(value)
        if got != wanted:
            yield f"{name} was sent as {differing(got, wanted)}"


def _plain_tool(tool: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in tool.items() if (name, value) != ("type", "custom")}


def _blocks(content: Any) -> list[Any]:
    blocks: list[Any] = [{"type": "text", "text": content}] if isinstance(content, str) else list(content or [])
    order = {"thinking": 0, "redacted_thinking": 0, "tool_use": 2}
    return sorted((_block(block) for block in blocks), key=lambda block: order.get(block["type"], 1))


def _block(block: dict[str, Any]) -> dict[str, Any]:
    # What litellm's messages cannot say, and what says nothing.
    block = {name: value for name, value in block.items() if value is not None and name not in ("is_error", "caller")}
    if block["type"] == "tool_result":
        content = block.get("content")
        return {**block, "content": _blocks(content) if isinstance(content, list) else content or ""}
    if block["type"] == "text" and not block.get("citations"):
        kept = {name: value for name, value in block.items() if name in ("type", "text", "cache_control")}
        return kept | {"text": block["text"].rstrip() or "…"}
    return block


def _normal(messages: list[dict[str, Any]]) -> list[Any]:
    """Messages with neighbours of one role joined, as both the API and our client take them."""
    joined: list[list[Any]] = []
    for message in messages:
        if joined and joined[-1][0] == message["role"]:
            joined[-1][1] += _blocks(message["content"])
        else:
            joined.append([message["role"], _blocks(message["content"])])
    return [[role, [b for b in blocks if b != {"type": "text", "text": "…"}]] for role, blocks in joined]


def read(exchange: Exchange) -> Answer:
    """Read an exchange's body: a message, or the events that make one."""
    if not exchange.streaming or exchange.status >= 400:
        document: Any = json.loads(exchange.body)
        if not isinstance(document, dict) or exchange.status >= 400:
            return Answer(error=document)
        return _answer(document)
    message: dict[str, Any] = {"content": []}
    usage: dict[str, Any] = {}
    error: Any = None
    for line in exchange.body.decode().splitlines():
        if not line.startswith("data:"):
            continue
        event: dict[str, Any] = json.loads(line.removeprefix("data:"))
        match event["type"]:
            case "message_start":
                message = {**event["message"], "content": []}
                usage |= message.get("usage") or {}
            case "content_block_start":
                message["content"].append({**event["content_block"], "_input": ""})
            case "content_block_delta":
                block, delta = message["content"][event["index"]], event["delta"]
                block["text"] = block.get("text", "") + delta.get("text", "")
                block["_input"] += delta.get("partial_json", "")
            case "message_delta":
                message["stop_reason"] = event["delta"].get("stop_reason")
                usage |= {name: value for name, value in (event.get("usage") or {}).items() if value is not None}
            case "error":
                error = event["error"]
            case _:
                pass
    for block in message["content"]:
        if "input" in block:
            block["input"] = json.loads(block["_input"] or "{}") or block["input"]
    answer = _answer({**message, "usage": usage})
    answer.error = error
    return answer


def _answer(message: dict[str, Any]) -> Answer:
    answer = Answer(model=message.get("model"), response_id=message.get("id"), usage=message.get("usage") or None)
    blocks: list[dict[str, Any]] = message["content"]
    answer.texts[0] = "".join(block.get("text") or "" for block in blocks if block["type"] == "text")
    answer.tools[0] = [
        Tool(block["id"], block["name"], json.dumps(block["input"]))
        for block in blocks
        if block["type"].endswith("tool_use")
    ]
    if reason := message.get("stop_reason"):
        answer.finish_reasons[0] = REASONS[reason]
    return answer


def tokens(usage: dict[str, Any]) -> dict[str, int | None]:
    """The token columns that a usage object fills, as semconv counts them."""
    if usage.get("iterations"):
        return {}  # the pricing crate's tests say what several requests in one amount to
    read, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    columns: dict[str, int | None] = {
        "input_tokens": usage["input_tokens"] + (read or 0) + (written or 0),
        "output_tokens": usage["output_tokens"],
    }
    return columns | ({"cache_read_tokens": read} if read is not None else {})
