"""Gemini's generateContent: how recorded exchanges are asked, what their bytes say, what went out otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from edgequake_obs.demo.recording import Exchange

from .dialect_case import DialectCase, NotAskable, differing
from .recorded import Answer, Tool

OPERATIONS = {("gemini", "generate_content"), ("gemini", "stream_generate_content"), ("gemini", "embeddings")}
_ENDS: dict[str | int, str] = {
    "STOP": "stop",
    1: "stop",
    "MAX_TOKENS": "length",
    "MALFORMED_FUNCTION_CALL": "stop",
    "OTHER": "stop",
    "FINISH_REASON_UNSPECIFIED": "stop",
}
_SETTINGS = {"temperature": "temperature", "topP": "top_p", "seed": "seed", "candidateCount": "n"}


def case_of(exchange: Exchange) -> DialectCase:
    """How an exchange is asked.

    Raises:
        NotAskable: OpenAI's words have nothing for it.
    """
    if exchange.operation == "embeddings":
        return DialectCase(exchange, "gemini", "embeddings", {"input": ["one text or another"]})
    if exchange.streaming and "alt=sse" not in exchange.path:
        raise NotAskable("a stream without alt=sse, which our client always asks for")
    return DialectCase(exchange, "gemini", "chat", ask(exchange.request, exchange.streaming))


def ask(request: dict[str, Any], streaming: bool) -> dict[str, Any]:
    """litellm's arguments for a recorded request."""
    messages: list[dict[str, Any]] = []
    system = request.get("systemInstruction") or request.get("system_instruction") or {}
    if texts := [part["text"] for part in _parts(system) if "text" in part]:
        messages.append({"role": "system", "content": [{"type": "text", "text": text} for text in texts]})
    calls: list[str] = []
    contents = request.get("contents") or []
    for content in [contents] if isinstance(contents, dict) else contents:
        messages += _messages(content, calls)
    settings = request.get("generationConfig") or {}
    arguments: dict[str, Any] = {
        name: settings[googles] for googles, name in _SETTINGS.items() if settings.get(googles) is not None
    }
    if streaming:
        arguments["stream"] = True
    return {**arguments, "messages": messages}


def _parts(content: dict[str, Any] | str) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"text": content}]
    parts = content.get("parts") or []
    parts = [parts] if isinstance(parts, dict) else parts
    return [part if isinstance(part, dict) else {"text": part} for part in parts]


def _messages(content: dict[str, Any] | str, calls: list[str]) -> Iterator[dict[str, Any]]:
    model = isinstance(content, dict) and content.get("role") == "model"
    said: list[dict[str, Any]] = []
    tools: list[dict[str, Any]] = []
    for part in _parts(content):
        if (call := part.get("functionCall") or part.get("function_call")) is not None:
            calls.append(call["name"])
            function = {"name": call["name"], "arguments": json.dumps(call.get("args") or {})}
            tools.append({"id": f"call_{call['name']}", "type": "function", "function": function})
        elif (result := part.get("functionResponse") or part.get("function_response")) is not None:
            name = result["name"]
            yield {
                "role": "tool",
                "tool_call_id": f"call_{name}",
                "name": name,
                "content": json.dumps(result["response"]),
            }
        elif "text" in part and not part.get("thought"):
            said.append({"type": "text", "text": part["text"]})
        elif (data := part.get("inlineData") or part.get("inline_data")) and not model:
            mime_type = data.get("mimeType") or data.get("mime_type")
            url = f"data:{mime_type};base64,{data['data']}"
            said.append({"type": "file", "file": {"file_data": url}})
    if model and (said or tools):
        yield {"role": "assistant", "content": said or None} | ({"tool_calls": tools} if tools else {})
    elif said:
        yield {"role": "user", "content": said}


def differences(sent: dict[str, Any], exchange: Exchange) -> Iterator[str]:
    """What of the recorded request did not go out as it was: texts, calls, results and data, in their order."""
    if exchange.operation == "embeddings":
        return
    contents = exchange.request.get("contents") or []
    # Models that know no instructions get them as the user's first words.
    system = exchange.request.get("systemInstruction") or exchange.request.get("system_instruction") or {}
    instructions = [["text", part.get("text")] for part in _parts(system)]
    recorded = list(_said([contents] if isinstance(contents, dict) else contents))
    went = [said for said in _said(sent["contents"]) if said not in instructions or said in recorded]
    if went != recorded:
        yield f"contents were sent as {differing(went, recorded)}"


def _said(contents: list[Any]) -> Iterator[list[Any]]:
    for content in contents:
        model = isinstance(content, dict) and content.get("role") == "model"
        for part in sorted(
            _parts(content), key=lambda part: model and ("functionCall" in part or "function_call" in part)
        ):
            if (call := part.get("functionCall") or part.get("function_call")) is not None:
                yield ["call", call["name"], call.get("args") or {}]
            elif (result := part.get("functionResponse") or part.get("function_response")) is not None:
                yield ["result", result["name"], result["response"]]
            elif part.get("text") and not part.get("thought"):
                if part["text"] not in (" ", "."):
                    yield ["text", part["text"]]
            elif (data := part.get("inlineData") or part.get("inline_data")) and not model:
                yield ["data", data["data"]]


def read(exchange: Exchange) -> Answer:
    """Read an exchange's body: an answer, or the partial ones of a stream."""
    if not exchange.streaming or exchange.status >= 400:
        document: dict[str, Any] = json.loads(exchange.body)
        if exchange.status >= 400:
            return Answer(error=document)
        if exchange.operation == "embeddings":
            vectors = document.get("embeddings") or [document["embedding"]]
            return Answer(vectors=len(vectors), usage=document.get("usageMetadata"))
        return _answer([document])
    lines = exchange.body.decode().splitlines()
    return _answer([json.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:")])


def _answer(documents: list[dict[str, Any]]) -> Answer:
    answer = Answer()
    ends: dict[int, str | int] = {}
    for document in documents:
        answer.usage = document.get("usageMetadata") or answer.usage
        answer.model = answer.model or document.get("modelVersion")
        answer.response_id = answer.response_id or document.get("responseId")
        for candidate in document.get("candidates") or []:
            index = candidate.get("index", 0)
            tools = answer.tools.setdefault(index, [])
            for part in _parts(candidate.get("content") or {}):
                if call := part.get("functionCall"):
                    tools.append(Tool(None, call["name"], json.dumps(call.get("args") or {})))
                elif not part.get("thought"):
                    answer.texts[index] = answer.texts.get(index, "") + part.get("text", "")
            if reason := candidate.get("finishReason"):
                ends[index] = reason
        if not document.get("candidates") and document.get("promptFeedback"):
            ends[0] = "SAFETY"
    for index, reason in ends.items():
        end = _ENDS.get(reason, "content_filter")
        answer.finish_reasons[index] = "tool_calls" if end == "stop" and answer.tools.get(index) else end
    return answer


def tokens(usage: dict[str, Any]) -> dict[str, int | None]:
    """The token columns that a usage object fills, as semconv counts them."""
    cached = usage.get("cachedContentTokenCount")
    return {"cache_read_tokens": cached} if cached is not None else {}
