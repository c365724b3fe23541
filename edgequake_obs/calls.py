"""`completion` and its kin: litellm's functions, performed by the native client. Their overloads are in the stub.

Every argument that a provider knows goes to it as it is. What steers the call itself: `api_key`, `api_base` (also
`base_url`), `api_version`, `organization`, `custom_llm_provider`, `timeout` (seconds), `max_retries` (also
`num_retries`), `extra_headers`, `extra_body`, `metadata` (recorded, not sent), `stream`.
"""

from __future__ import annotations

import sys

from . import _native
from ._caller import current
from ._native import ChunkStream
from .streaming import CustomStreamWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar

    from ._native import EmbeddingResponse, ModelResponse, Pending, Tries

    A = TypeVar("A")

# Where a user sets litellm's globals: the package's own namespace.
_globals = vars(sys.modules[__name__.rpartition(".")[0]])


def completion(model: str, messages: Sequence[object] = (), **params: object) -> ModelResponse | CustomStreamWrapper:
    """Ask a chat model.

    Args:
        model: Its name, with the provider's prefix where it is not OpenAI's: `gpt-4o-mini`, `groq/llama-3.3-70b`.
        messages: The conversation, as OpenAI's chat completions take it; answers' own messages are fine.
        **params: The provider's parameters, and those that steer the call (see the module); `system`: a text that comes
            before the messages.

    Returns:
        The answer; with `stream=True` an iterator over its chunks, each of which arrives when the provider sends it.

    Raises:
        OpenAIError: One of its subclasses, which are litellm's: `AuthenticationError`, `RateLimitError`, `Timeout`, ...
    """
    if "system" in params:
        messages = _with_system(params.pop("system"), messages)
    if "fallbacks" in params or "context_window_fallback_dict" in params:
        from .fallbacks import asks_for_fallbacks, with_fallbacks

        if asks_for_fallbacks(params):
            return with_fallbacks(_tried, model, messages, params)
    answer = _native.call_sync("chat", model, messages, params, _globals, current())
    return CustomStreamWrapper(answer) if isinstance(answer, ChunkStream) else answer


async def acompletion(
    model: str, messages: Sequence[object] = (), **params: object
) -> ModelResponse | CustomStreamWrapper:
    """Ask a chat model without blocking the event loop; as `completion`, with `async for` over a stream.

    A cancelled task aborts its request.
    """
    from ._event_loops import bridge

    if "system" in params:
        messages = _with_system(params.pop("system"), messages)
    if "fallbacks" in params or "context_window_fallback_dict" in params:
        from .fallbacks import asks_for_fallbacks, awith_fallbacks

        if asks_for_fallbacks(params):
            return await awith_fallbacks(_atried, model, messages, params)
    answer = await _reply(_native.call_async("chat", model, messages, params, _globals, current(), bridge()))
    return CustomStreamWrapper(answer) if isinstance(answer, ChunkStream) else answer


def embedding(model: str, input: str | Sequence[object] = (), **params: object) -> EmbeddingResponse:
    """Turn texts into vectors.

    Args:
        model: Its name, with the provider's prefix where it is not OpenAI's.
        input: A text, a list of texts, or tokens.
        **params: As for `completion`.

    Raises:
        OpenAIError: As for `completion`.
    """
    return _native.call_sync("embeddings", model, input, params, _globals, current())


async def aembedding(model: str, input: str | Sequence[object] = (), **params: object) -> EmbeddingResponse:
    """Turn texts into vectors without blocking the event loop; as `embedding`."""
    from ._event_loops import bridge

    return await _reply(_native.call_async("embeddings", model, input, params, _globals, current(), bridge()))


def stream(model: str, messages: Sequence[object] = (), **params: object) -> CustomStreamWrapper:
    """Ask a chat model for a stream: `completion(..., stream=True)`."""
    answer = completion(model, messages, **{**params, "stream": True})
    assert isinstance(answer, CustomStreamWrapper)
    return answer


def _tried(
    model: str, messages: Sequence[object], params: dict[str, object], tries: Tries
) -> ModelResponse | CustomStreamWrapper:
    """Ask one of several models, which are attempts of one call."""
    answer = _native.call_sync("chat", model, messages, params, _globals, current(), tries)
    return CustomStreamWrapper(answer) if isinstance(answer, ChunkStream) else answer


async def _atried(
    model: str, messages: Sequence[object], params: dict[str, object], tries: Tries
) -> ModelResponse | CustomStreamWrapper:
    from ._event_loops import bridge

    pending = _native.call_async("chat", model, messages, params, _globals, current(), bridge(), tries)
    try:
        answer = await pending.future
    except Exception:
        raise  # the call goes on: there may be another model to ask
    except BaseException:
        pending.abort()
        raise
    return CustomStreamWrapper(answer) if isinstance(answer, ChunkStream) else answer


def _with_system(system: object, messages: Sequence[object]) -> Sequence[object]:
    return messages if system is None else [{"role": "system", "content": system}, *messages]


async def _reply(pending: Pending[A]) -> A:
    try:
        return await pending.future
    except BaseException:
        # The provider's failures come by the future too; for them this finds nothing left to abort.
        pending.abort()
        raise
