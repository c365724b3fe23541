"""`mock_response=` and its kin: litellm's answers that no provider gives. Nothing is sent, and nothing is recorded."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._native import ModelResponse
    from .streaming import CustomStreamWrapper

# litellm's figures for a mocked answer.
_USAGE = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
_EMBEDDING_USAGE = {"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 0}
_LETTERS_A_CHUNK = 3

# Texts that stand for a failure: how the native client names it, its status and its message.
_FAILURES = {
    "litellm.InternalServerError": ("status", 500, None, "this is a mock internal server error"),
    "litellm.ContextWindowExceededError": (
        "status",
        400,
        "context_length_exceeded",
        "this is a mock context window error",
    ),
    "litellm.RateLimitError": ("status", 429, None, "this is a mock rate limit error"),
    "Exception: content_filter_policy": ("status", 400, None, "this is a mock of Azure's content policy"),
}


def mocked(
    operation: str, model: str, streaming: bool, params: Mapping[str, Any]
) -> tuple[list[bytes], tuple[str, int | None, str | None, str] | None]:
    """What the provider would have sent.

    Returns:
        The body, or the chunks of a stream, as JSON; or the failure: its kind, status, code and message.
    """
    response: object = params.get("mock_response")
    if params.get("mock_timeout"):
        return [], ("timeout", None, None, "the call timed out, as mock_timeout says")
    if operation == "embeddings":
        return [_dumped(_embeddings(model, response))], None
    failure = _failure(response)
    if failure is not None:
        return [], failure
    dump = getattr(response, "model_dump", None)
    answer: dict[str, Any]
    if isinstance(response, dict):
        answer = response  # type: ignore[assignment]
    else:
        answer = _answer(model, str(response), params) if dump is None else dump()
    if operation == "text_completion" and not streaming:
        answer = {**answer, "object": "text_completion", "choices": [_text_choice(each) for each in answer["choices"]]}
    return (_chunks(answer) if streaming else [_dumped(answer)]), None


def _text_choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    said: Mapping[str, Any] = choice.get("message") or {}
    return {"index": choice["index"], "finish_reason": choice["finish_reason"], "text": said.get("content")}


def _failure(response: object) -> tuple[str, int | None, str | None, str] | None:
    if isinstance(response, Exception):
        status = getattr(response, "status_code", None)
        return "status", status if isinstance(status, int) else 500, getattr(response, "code", None), str(response)
    if response == "":
        return "invalid_response", None, None, "the mocked answer is empty"
    return _FAILURES.get(response) if isinstance(response, str) else None


def _answer(model: str, text: str, params: Mapping[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if params.get("mock_tool_calls"):
        message["tool_calls"] = params["mock_tool_calls"]
    return {
        **_head(model),
        "object": "chat.completion",
        "choices": [
            {"index": index, "message": message, "finish_reason": "stop"} for index in range(params.get("n") or 1)
        ],
        "usage": _USAGE,
    }


def _chunks(answer: Mapping[str, Any]) -> list[bytes]:
    head = {name: answer.get(name) for name in ("id", "created", "model")}
    head["object"] = "chat.completion.chunk"
    choices: list[dict[str, Any]] = answer.get("choices") or []
    text = str(choices[0]["message"].get("content") or "") if choices else ""
    chunks: list[bytes] = []
    for at in range(0, len(text), _LETTERS_A_CHUNK):
        delta = {"role": "assistant", "content": text[at : at + _LETTERS_A_CHUNK]}
        said = [{"index": choice["index"], "delta": delta, "finish_reason": None} for choice in choices]
        chunks.append(_dumped({**head, "choices": said}))
    ends: list[dict[str, Any]] = [
        {"index": choice["index"], "delta": {}, "finish_reason": "stop"} for choice in choices[:1]
    ]
    return [*chunks, _dumped({**head, "choices": ends})]


def _embeddings(model: str, response: object) -> dict[str, Any]:
    vector = [0.0] * 1536 if response is True else response
    data = [{"object": "embedding", "index": 0, "embedding": vector}]
    return {"object": "list", "model": model, "data": data, "usage": _EMBEDDING_USAGE}


def _head(model: str) -> dict[str, Any]:
    from time import time
    from uuid import uuid4

    return {"id": f"chatcmpl-{uuid4()}", "created": int(time()), "model": model}


def _dumped(value: object) -> bytes:
    from json import dumps

    return dumps(value, ensure_ascii=False).encode()


def mock_completion(
    model: str,
    messages: list[Any],
    stream: bool = False,
    n: int | None = None,
    mock_response: Any = "This is a mock request",
    **params: Any,
) -> ModelResponse | CustomStreamWrapper:
    """litellm's name for `completion` with `mock_response`."""
    from .calls import completion

    return completion(model, messages, stream=stream, n=n, mock_response=mock_response, **params)
