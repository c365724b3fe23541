"""Ollama's native dialect: how recorded exchanges are asked, what their bytes say, what went out otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from edgequake_obs.demo.recording import Exchange

from .dialect_case import DialectCase, NotAskable, differing
from .recorded import Answer, Tool

OPERATIONS = {("ollama", "chat"), ("ollama", "embeddings"), ("ollama", "text_completion")}


def case_of(exchange: Exchange) -> DialectCase:
    """How an exchange is asked.

    Raises:
        NotAskable: It is OpenAI's dialect, which the other tests play.
    """
    request, path = exchange.request, exchange.path
    if path.endswith(("/api/embed", "/api/embeddings")):
        return DialectCase(exchange, "ollama", "embeddings", {"input": request.get("input") or request["prompt"]})
    arguments: dict[str, Any] = {"stream": True} if exchange.streaming else {}
    if path.endswith("/api/generate"):
        messages = [{"role": "user", "content": request["prompt"]}]
        return DialectCase(exchange, "ollama", "chat", {**arguments, "messages": messages})
    if not path.endswith("/api/chat"):
        raise NotAskable("OpenAI's dialect")
    for name in ("format", "think", "keep_alive", "tools"):
        if request.get(name) is not None:
            arguments[name] = request[name]
    messages = [_message(message) for message in request["messages"]]
    return DialectCase(exchange, "ollama_chat", "chat", {**arguments, "messages": messages})


def _message(message: dict[str, Any]) -> dict[str, Any]:
    content: Any = message.get("content") or ""
    if images := message.get("images"):
        parts = [{"type": "image_url", "image_url": f"data:image/png;base64,{image}"} for image in images]
        content = [{"type": "text", "text": content}, *parts]
    made: dict[str, Any] = {"role": message["role"], "content": content}
    if calls := message.get("tool_calls"):
        made["tool_calls"] = [
            {"id": "call", "function": {**call["function"], "arguments": json.dumps(call["function"]["arguments"])}}
            for call in calls
        ]
    return made


def differences(sent: dict[str, Any], exchange: Exchange) -> Iterator[str]:
    """What of the recorded request did not go out as it was."""
    if "messages" in exchange.request:
        kept = [[m["role"], m.get("content") or "", m.get("images") or []] for m in exchange.request["messages"]]
        went = [[m["role"], m["content"], m["images"]] for m in sent["messages"]]
        if went != kept:
            yield f"messages were sent as {differing(went, kept)}"
    for name in ("tools", "format"):
        if exchange.request.get(name) and sent.get(name) != exchange.request[name]:
            yield f"{name} was sent as {differing(sent.get(name), exchange.request[name])}"


def read(exchange: Exchange) -> Answer:
    """Read an exchange's body: a document, or a line for each piece of one."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in exchange.body.decode().splitlines() if line.strip()]
    if exchange.status >= 400:
        return Answer(error=lines[0])
    last = lines[-1]
    if exchange.operation == "embeddings":
        vectors = last.get("embeddings") or [last["embedding"]]
        return Answer(vectors=len(vectors), usage=_usage(last), model=last.get("model"))
    answer = Answer(model=last["model"], usage=_usage(last))
    messages = [line.get("message") or {"content": line.get("response")} for line in lines]
    answer.texts[0] = "".join(message.get("content") or "" for message in messages)
    calls = [call["function"] for message in messages for call in message.get("tool_calls") or []]
    answer.tools[0] = [Tool(None, call["name"], json.dumps(call["arguments"])) for call in calls]
    answer.finish_reasons[0] = "tool_calls" if calls else last.get("done_reason") or "stop"
    return answer


def _usage(line: dict[str, Any]) -> dict[str, Any] | None:
    usage = {name: value for name, value in line.items() if name.endswith(("_count", "_duration"))}
    return usage if any("eval_count" in name for name in usage) else None


def tokens(usage: dict[str, Any]) -> dict[str, int | None]:
    """The token columns that a usage object fills, as semconv counts them."""
    counts = {"input_tokens": usage.get("prompt_eval_count"), "output_tokens": usage.get("eval_count")}
    return {name: value for name, value in counts.items() if value is not None}
