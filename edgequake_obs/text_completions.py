"""`text_completion` and `atext_completion`: a prompt, and the text that goes on from it."""

from __future__ import annotations

from . import _native
from ._caller import current
from ._native import ChunkStream, TextCompletionResponse
from .calls import _globals, _reply, acompletion, completion
from .streaming import CustomStreamWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._native import ModelResponse

    Prompt = str | Sequence[object]

# Prefixes of litellm's for models that only complete.
_PREFIXES = {"text-completion-openai/": "openai/", "azure_text/": "azure/"}
# Providers whose models are asked by a message, as they have no such endpoint.
_BY_MESSAGE = ("anthropic/", "gemini/", "ollama/", "ollama_chat/", "claude-")


def text_completion(
    prompt: Prompt, model: str = "gpt-3.5-turbo-instruct", **params: object
) -> TextCompletionResponse | CustomStreamWrapper:
    """Go on from a text.

    Args:
        prompt: The text, several of them, or tokens.
        model: Its name, with the provider's prefix where it is not OpenAI's.
        **params: As for `completion`.

    Returns:
        The answer; with `stream=True` an iterator over its chunks, whose choices have a `text`; of a provider that has
        no text completions, chat chunks.

    Raises:
        OpenAIError: As for `completion`.
    """
    if model.startswith(_BY_MESSAGE):
        answer: ModelResponse | CustomStreamWrapper = completion(model, _asked(prompt), **params)  # type: ignore[arg-type]
        return answer if isinstance(answer, CustomStreamWrapper) else _as_text(answer)  # type: ignore[arg-type]
    made = _native.call_sync("text_completion", _named(model), prompt, params, _globals, current())
    return CustomStreamWrapper(made) if isinstance(made, ChunkStream) else made


async def atext_completion(
    prompt: Prompt, model: str = "gpt-3.5-turbo-instruct", **params: object
) -> TextCompletionResponse | CustomStreamWrapper:
    """Go on from a text without blocking the event loop; as `text_completion`."""
    from ._event_loops import bridge

    if model.startswith(_BY_MESSAGE):
        answer: ModelResponse | CustomStreamWrapper = await acompletion(model, _asked(prompt), **params)  # type: ignore[arg-type]
        return answer if isinstance(answer, CustomStreamWrapper) else _as_text(answer)  # type: ignore[arg-type]
    asked = _native.call_async("text_completion", _named(model), prompt, params, _globals, current(), bridge())
    made = await _reply(asked)
    return CustomStreamWrapper(made) if isinstance(made, ChunkStream) else made


def _named(model: str) -> str:
    for prefix, ours in _PREFIXES.items():
        if model.startswith(prefix):
            return ours + model.removeprefix(prefix)
    return model


def _asked(prompt: Prompt) -> list[dict[str, object]]:
    texts = [prompt] if isinstance(prompt, str) else prompt
    return [{"role": "user", "content": [{"type": "text", "text": text} for text in texts]}]


def _as_text(answer: ModelResponse) -> TextCompletionResponse:
    choices = [
        {
            "finish_reason": choice.finish_reason,
            "index": choice.index,
            "text": choice.message.content,
            "logprobs": choice.logprobs,
        }
        for choice in answer.choices
    ]
    return TextCompletionResponse(
        id=answer.id, created=answer.created, model=answer.model, choices=choices, usage=answer.usage
    )
