"""`completion` and its kin: litellm's functions, performed by the native client.

Every argument that a provider knows goes to it as it is. What steers the call itself: `api_key`, `api_base` (also
`base_url`), `api_version`, `organization`, `custom_llm_provider`, `timeout` (seconds), `max_retries` (also
`num_retries`), `extra_headers`, `extra_body`, `metadata` (recorded, not sent), `stream`.
"""

from __future__ import annotations

import sys

from . import _native
from ._caller import current
from .streaming import CustomStreamWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal, overload

    from ._native import EmbeddingResponse, ModelResponse

    @overload
    def completion(
        model: str, messages: Sequence[object] = ..., *, stream: Literal[False] | None = ..., **params: object
    ) -> ModelResponse: ...
    @overload
    def completion(
        model: str, messages: Sequence[object] = ..., *, stream: Literal[True], **params: object
    ) -> CustomStreamWrapper: ...
    @overload
    def completion(
        model: str, messages: Sequence[object] = ..., *, stream: bool, **params: object
    ) -> ModelResponse | CustomStreamWrapper: ...
    @overload
    async def acompletion(
        model: str, messages: Sequence[object] = ..., *, stream: Literal[False] | None = ..., **params: object
    ) -> ModelResponse: ...
    @overload
    async def acompletion(
        model: str, messages: Sequence[object] = ..., *, stream: Literal[True], **params: object
    ) -> CustomStreamWrapper: ...
    @overload
    async def acompletion(
        model: str, messages: Sequence[object] = ..., *, stream: bool, **params: object
    ) -> ModelResponse | CustomStreamWrapper: ...


# Where a user sets litellm's globals: the package's own namespace.
_globals = vars(sys.modules[__package__ or __name__.rpartition(".")[0]])


def completion(  # pyright: ignore[reportInconsistentOverload]
    model: str, messages: Sequence[object] = (), **params: object
) -> ModelResponse | CustomStreamWrapper:
    """Ask a chat model.

    Args:
        model: Its name, with the provider's prefix where it is not OpenAI's: `gpt-4o-mini`, `groq/llama-3.1-8b-instant`.
        messages: The conversation, as OpenAI's chat completions take it; answers' own messages are fine.
        **params: The provider's parameters, and those that steer the call (see the module).

    Returns:
        The answer; with `stream=True` an iterator over its chunks, each of which arrives when the provider sends it.

    Raises:
        OpenAIError: One of its subclasses, which are litellm's: `AuthenticationError`, `RateLimitError`, `Timeout`, ...
    """
    answer = _native.call_sync("chat", model, messages, params, _globals, current())
    return CustomStreamWrapper(answer) if params.get("stream") else answer  # type: ignore[arg-type, return-value]


async def acompletion(  # pyright: ignore[reportInconsistentOverload]
    model: str, messages: Sequence[object] = (), **params: object
) -> ModelResponse | CustomStreamWrapper:
    """Ask a chat model without blocking the event loop; as `completion`, with `async for` over a stream.

    A cancelled task aborts its request.
    """
    answer = await _awaited("chat", model, messages, params)
    return CustomStreamWrapper(answer) if params.get("stream") else answer  # type: ignore[arg-type, return-value]


def embedding(model: str, input: str | Sequence[object] = (), **params: object) -> EmbeddingResponse:
    """Turn texts into vectors.

    Args:
        model: Its name, with the provider's prefix where it is not OpenAI's.
        input: A text, a list of texts, or tokens.
        **params: As for `completion`.

    Raises:
        OpenAIError: As for `completion`.
    """
    return _native.call_sync("embeddings", model, input, params, _globals, current())  # type: ignore[return-value]


async def aembedding(model: str, input: str | Sequence[object] = (), **params: object) -> EmbeddingResponse:
    """Turn texts into vectors without blocking the event loop; as `embedding`."""
    return await _awaited("embeddings", model, input, params)  # type: ignore[return-value]


async def _awaited(operation: str, model: str, given: object, params: dict[str, object]) -> object:
    from ._event_loops import bridge

    pending = _native.call_async(operation, model, given, params, _globals, current(), bridge())
    try:
        return await pending.future
    except BaseException:
        # The provider's failures come by the future too; for them this finds nothing left to abort.
        pending.abort()
        raise
