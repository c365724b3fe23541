"""`trim_messages`: a conversation cut down to a number of tokens, the newest messages kept, as litellm cuts it."""

from __future__ import annotations

from copy import deepcopy

from .tokens import token_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Message = dict[str, Any]

# OpenAI's models take some tokens for a message without any text: one is not cut down to fewer.
_LEAST_FOR_GPT = 10
# What is left over at the end and is no room for a message.
_NO_ROOM = 3


def trim_messages(
    messages: Sequence[Message],
    model: str | None = None,
    trim_ratio: float = 0.75,
    return_response_tokens: bool = False,
    max_tokens: int | None = None,
) -> list[Message] | tuple[list[Message], int]:
    """Cut a conversation down to what a model takes.

    Args:
        messages: The conversation; it is not changed. Answers of tools at its end stay as they are.
        model: Whose tokens are counted, and whose limit counts where `max_tokens` is not given.
        trim_ratio: The share of that limit that may be used.
        return_response_tokens: Whether to give the tokens that are left for the answer, too.
        max_tokens: The most tokens to keep.

    Returns:
        The system's message, and as many of the newest as there is room for; the oldest of these may lack its middle.
        As they are where no limit is known.
    """
    whole = list(deepcopy(messages))
    limit = max_tokens
    if limit is None:
        known = _limit_of(model)
        if known is None:
            return whole
        limit = int(known * trim_ratio)
    answers = _of_tools_at_the_end(whole)
    spoken = whole[: len(whole) - len(answers)]
    if _tokens(spoken, model) >= limit:
        spoken = _trimmed(spoken, limit, model)
    kept = [*spoken, *answers]
    return (kept, limit - _tokens(kept, model)) if return_response_tokens else kept


def _limit_of(model: str | None) -> int | None:
    from .models import model_cost

    if not model or model not in model_cost:
        return None
    entry = model_cost[model]
    return entry.get("max_input_tokens") or entry.get("max_tokens")


def _of_tools_at_the_end(messages: list[Message]) -> list[Message]:
    start = len(messages)
    while start and messages[start - 1].get("role") == "tool":
        start -= 1
    return messages[start:]


def _trimmed(messages: list[Message], limit: int, model: str | None) -> list[Message]:
    told = "\n".join(str(message["content"]) for message in messages if message["role"] == "system")
    head: list[Message] = []
    if told:
        system: Message = {"role": "system", "content": told}
        if _tokens([system], model) > limit:
            _shorten(system, limit, model)
        limit -= _tokens([system], model)
        head = [system]
        if limit <= 0:
            return head
        messages = [message for message in messages if message["role"] != "system"]
    kept: list[Message] = []
    for message in reversed(messages):
        room = limit - _tokens(kept, model)
        if room <= _NO_ROOM:
            break
        if _tokens([message, *kept], model) > limit and "function_call" not in message:
            _shorten(message, room, model)
        if _tokens([message, *kept], model) <= limit:
            kept.insert(0, message)
    return [*head, *kept]


def _shorten(message: Message, limit: int, model: str | None) -> None:
    """Takes the middle out of a text until the message fits."""
    if (model and "gpt" in model and limit <= _LEAST_FOR_GPT) or not isinstance(message["content"], str):
        return
    while (size := _tokens([message], model)) > limit:
        text: str = message["content"]
        half = max(int(len(text) * limit / size) - 1, 0) // 2
        shorter = f"{text[:half]}..{text[-half:] if half else ''}"
        if len(shorter) >= len(text):
            return
        message["content"] = shorter


def _tokens(messages: Sequence[Message], model: str | None) -> int:
    return token_counter(model or "", messages=messages)
