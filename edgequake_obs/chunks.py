"""`stream_chunk_builder`: the chunks of a stream, put together into the answer that they are parts of."""

from __future__ import annotations

from ._native import ModelResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    # A chunk as a dict, of whatever the provider sent.
    Chunk: TypeAlias = dict[str, Any]


def stream_chunk_builder(
    chunks: Sequence[object],
    messages: Sequence[object] | None = None,
    start_time: object = None,
    end_time: object = None,
    logging_obj: object = None,
    *,
    count_prompt_tokens: bool = True,
    usage: str | None = None,
    cost: float | None = None,
) -> ModelResponse | None:
    """The whole answer of a stream.

    Args:
        chunks: What the stream gave, as objects or as dicts.
        messages: The conversation, to count its tokens where no chunk has a usage.
        start_time: litellm's; without effect, as are `end_time` and `logging_obj`.
        end_time: As above.
        logging_obj: As above.
        count_prompt_tokens: Whether to count the tokens of `messages` where no chunk has a usage.
        usage: The provider's usage as JSON text, where it is known from elsewhere.
        cost: USD, where it is known.

    Returns:
        The answer, as litellm puts it together (its first choice); None where there are no chunks. Without any usage
        the tokens are counted (see `token_counter`), of a stream of ours they are 0.
    """
    came_to = next((found for chunk in reversed(chunks) if (found := getattr(chunk, "_came_to", None))), None)
    provider: str | None = None
    if came_to is not None and usage is None:
        usage, cost, provider = came_to
    plain = [_plain(chunk) for chunk in chunks]
    if not plain:
        return None
    choices = [choice for chunk in plain for choice in chunk.get("choices") or () if not choice.get("index")]
    message = _message([choice.get("delta") or {} for choice in choices])
    finish = [choice["finish_reason"] for choice in choices if choice.get("finish_reason")]
    first = plain[0]
    # Chunks that litellm adds to a stream may name the model otherwise, and then it is theirs.
    models = [chunk["model"] for chunk in plain if chunk.get("model")]
    answer: dict[str, object] = {
        "id": first.get("id"),
        "created": first.get("created"),
        "model": next((model for model in models if model != models[0]), first.get("model")),
        "object": "chat.completion",
        "system_fingerprint": first.get("system_fingerprint"),
        "choices": [{"finish_reason": finish[-1] if finish else "stop", "index": 0, "message": message}],
    }
    for name in ("service_tier", "citations"):
        said = [chunk[name] for chunk in plain if chunk.get(name)]
        if said:
            answer[name] = said[-1]
    is_ours = any(hasattr(chunk, "_came_to") for chunk in chunks)
    found = _usage(plain, usage)
    if usage is None and is_ours:
        # What the tokens would cost that were counted in the provider's place.
        cost = None if found is None else _cost(str(first.get("model")), provider, found)
    if found is None:
        found = _nothing() if is_ours else _counted(message, messages if count_prompt_tokens else None, "")
    answer["usage"] = _detailed(found, message, cost)
    return ModelResponse(**answer)


def counted_usage(chunks: Sequence[object], messages: Sequence[object], model: str) -> str | None:
    """The chunk that litellm ends a stream with whose usage was asked for and did not come.

    Args:
        chunks: The chunks that came.
        messages: The conversation.
        model: The model asked for.

    Returns:
        The chunk, with the usage as we count it, as JSON text; None where a chunk has a usage.
    """
    plain = [_plain(chunk) for chunk in chunks]
    if any(chunk.get("usage") for chunk in plain) or not plain:
        return None
    deltas: list[Chunk] = [choice.get("delta") or {} for chunk in plain for choice in chunk.get("choices") or ()]
    message = _message(deltas)
    usage = _detailed(_counted(message, messages, model), message, None)
    head = {name: plain[0].get(name) for name in ("id", "created", "model", "object", "system_fingerprint")}
    ends: list[Chunk] = [{"index": 0, "finish_reason": None, "delta": {}}]
    from json import dumps

    return dumps({**head, "choices": ends, "usage": usage})


def _cost(model: str, provider: str | None, usage: Mapping[str, Any]) -> float | None:
    from .costs import cost_per_token

    try:
        asked, written = cost_per_token(
            model,
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage["completion_tokens"],
            custom_llm_provider=provider,
        )
    except Exception:  # litellm's for a model that has no price
        return None
    return None if asked is None or written is None else asked + written


def _plain(chunk: object) -> Chunk:
    dump: Callable[[], Chunk] | None = getattr(chunk, "model_dump", None)
    return chunk if dump is None else dump()  # type: ignore[return-value]


def _message(deltas: Sequence[Chunk]) -> dict[str, object]:
    calls = _tool_calls(deltas)
    text = "".join(delta["content"] for delta in deltas if isinstance(delta.get("content"), str))
    message: dict[str, object] = {
        "content": None if calls and not text else text,
        "role": next((delta["role"] for delta in deltas if delta.get("role")), "assistant"),
        "tool_calls": calls or None,
        "function_call": _function_call(deltas),
    }
    reasoning = "".join(delta["reasoning_content"] for delta in deltas if delta.get("reasoning_content"))
    if reasoning:
        message["reasoning_content"] = reasoning
    thinking = _thinking([block for delta in deltas for block in delta.get("thinking_blocks") or ()])
    if thinking:
        message["thinking_blocks"] = thinking
    for name in ("images", "annotations"):
        found = [item for delta in deltas for item in delta.get(name) or ()]
        if found:
            message[name] = found
    fields: dict[str, object] = {}
    for delta in deltas:
        said: dict[str, object] = delta.get("provider_specific_fields") or {}
        fields.update((name, value) for name, value in said.items() if value)
    if fields:
        message["provider_specific_fields"] = fields
    audio = [delta["audio"] for delta in deltas if delta.get("audio")]
    if audio:
        message["audio"] = _audio(audio)
    return message


def _tool_calls(deltas: Sequence[Chunk]) -> list[dict[str, object]]:
    calls: dict[int, dict[str, Any]] = {}
    for part in (part for delta in deltas for part in delta.get("tool_calls") or ()):
        call = calls.setdefault(
            part.get("index") or 0,
            {"function": {"arguments": "", "name": None}, "id": None, "type": "function"},
        )
        function: Chunk = part.get("function") or {}
        call["id"] = call["id"] or part.get("id")
        call["type"] = part.get("type") or call["type"]
        call["function"]["name"] = call["function"]["name"] or function.get("name")
        call["function"]["arguments"] += function.get("arguments") or ""
    return [calls[index] for index in sorted(calls)]


def _function_call(deltas: Sequence[Chunk]) -> dict[str, object] | None:
    parts = [delta["function_call"] for delta in deltas if delta.get("function_call")]
    if not parts:
        return None
    return {
        "name": next((part["name"] for part in parts if part.get("name")), None),
        "arguments": "".join(part.get("arguments") or "" for part in parts),
    }


def _thinking(blocks: Sequence[Chunk]) -> list[dict[str, object]]:
    """Blocks whose text comes in parts end with the part that carries the signature."""
    whole: list[dict[str, object]] = []
    text = ""
    for block in blocks:
        if block.get("type") != "thinking":
            whole.append(dict(block))
            continue
        text += block.get("thinking") or ""
        if block.get("signature"):
            whole.append({"type": "thinking", "thinking": text, "signature": block["signature"]})
            text = ""
    if text:
        whole.append({"type": "thinking", "thinking": text})
    return whole


def _audio(parts: Sequence[Chunk]) -> dict[str, object]:
    def last(name: str) -> object:
        return next((part[name] for part in reversed(parts) if part.get(name)), None)

    return {
        "id": last("id"),
        "data": "".join(part.get("data") or "" for part in parts),
        "transcript": "".join(part.get("transcript") or "" for part in parts),
        "expires_at": last("expires_at"),
    }


def _usage(chunks: Sequence[Chunk], reported: str | None) -> dict[str, Any] | None:
    found = next((chunk["usage"] for chunk in reversed(chunks) if chunk.get("usage")), None)
    if found is not None:
        return dict(found)
    if reported is None:
        return None
    from json import loads

    parsed: dict[str, Any] = loads(reported)
    return parsed if "prompt_tokens" in parsed else None


def _nothing() -> dict[str, Any]:
    return {"completion_tokens": 0, "prompt_tokens": 0, "total_tokens": 0}


def _counted(message: dict[str, object], messages: Sequence[object] | None, model: str) -> dict[str, Any]:
    from json import dumps

    from .tokens import token_counter

    calls: list[Chunk] = message["tool_calls"] or []  # type: ignore[assignment]
    # litellm counts a call as the JSON that it is.
    called = "".join(dumps(call, ensure_ascii=False, separators=(",", ":")) for call in calls)
    text = f"{message['content'] or ''}{message.get('reasoning_content') or ''}{called}"
    written = token_counter(model, text=text) if text else 0
    asked = token_counter(model, messages=messages) if messages else 0
    return {"completion_tokens": written, "prompt_tokens": asked, "total_tokens": written + asked}


def _detailed(usage: dict[str, Any], message: dict[str, object], cost: float | None) -> dict[str, Any]:
    reasoning = str(message.get("reasoning_content") or "")
    details: dict[str, Any] = dict(usage.get("completion_tokens_details") or {})
    if details.get("reasoning_tokens") or (message["tool_calls"] and not reasoning and not details):
        pass  # the provider says it, or there is nothing to say
    elif reasoning or not details or (details.get("reasoning_tokens") is None and not message["tool_calls"]):
        spent = 0
        if reasoning and usage["completion_tokens"]:
            from .tokens import token_counter

            spent = token_counter(text=reasoning)
        text = max(usage["completion_tokens"] - spent, 0)
        usage["completion_tokens_details"] = {**details, "reasoning_tokens": spent, "text_tokens": text}
    if cost is not None:
        usage["cost"] = cost
    return usage
