"""`get_supported_openai_params`: what a provider, or one model of it, takes of OpenAI's parameters."""

from __future__ import annotations

from . import _provider_params as lists
from .exceptions import OpenAIError
from .models import model_cost, provider_of, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_GPT_5 = ("gpt-5", "gpt-6")
_O_SERIES = ("o1", "o3", "o4")
_SPOKEN = ("whisper", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe")
# Models of OpenAI's that are older than structured answers.
_UNFORMATTED = ("gpt-4", "gpt-3.5-turbo-16k")


def get_supported_openai_params(
    model: str,
    custom_llm_provider: str | None = None,
    request_type: str = "chat_completion",
    base_model: str | None = None,
) -> list[str] | None:
    """The parameters of OpenAI's that may be given for a model.

    Args:
        model: Its name, with the provider's prefix or with `custom_llm_provider`.
        custom_llm_provider: litellm's id of the provider.
        request_type: `chat_completion`, `embeddings` or `transcription`.
        base_model: What a deployment with a name of its own serves.

    Returns:
        Their names, in litellm's order; None for a provider that nothing is known of.

    Raises:
        ValueError: A model of OpenAI's does not transcribe.
    """
    provider = custom_llm_provider or _provider(model)
    if provider is None:
        return None
    if request_type == "embeddings" and provider in lists.EMBEDDINGS:
        return _list(lists.EMBEDDINGS[provider])
    if request_type == "transcription":
        if provider in lists.TRANSCRIPTIONS:
            return _list(lists.TRANSCRIPTIONS[provider])
        if provider == "openai" and not model.startswith(_SPOKEN):
            raise ValueError(f"{model} does not transcribe: give a model such as whisper-1")
    return _chat(_Model(base_model or model, provider))


class _Model:
    """A model as the price table has it."""

    def __init__(self, name: str, provider: str) -> None:
        self.given = name
        self.provider = provider
        self.name = name.removeprefix(f"{provider}/")
        key = resolve(name, None if name.startswith(f"{provider}/") else provider)
        self.entry: dict[str, Any] | None = None if key is None else model_cost[key]

    def can(self, what: str) -> bool:
        return bool(self.entry and self.entry.get(f"supports_{what}"))


def _chat(model: _Model) -> list[str] | None:
    provider, name = model.provider, model.name
    reasoning = model.can("reasoning")
    if provider in ("openai", "azure", "azure_ai") and (found := _reasoning_openai(model)):
        return found
    if provider == "openai":
        return _openai(model)
    if provider == "vertex_ai" or provider.startswith("vertex_ai-"):
        return _vertex(model)
    if provider in lists.LIKE_OPENAI:
        always = provider in lists.REASONING_LIKE_OPENAI or (provider == "wandb" and model.entry is None)
        return [*lists.OPENAI, "reasoning_effort"] if always else list(lists.OPENAI)
    known = lists.CHAT.get(provider)
    if known is None:
        return None
    params = list(known)
    if provider == "anthropic" and reasoning:
        params += ("thinking", "reasoning_effort")
    elif provider == "bedrock":
        _add_bedrocks(params, model)
    elif provider == "fireworks_ai":
        params += ["tool_choice"] if model.can("tool_choice") else []
        params += ["reasoning_effort", "reasoning_history", "thinking"] if reasoning else []
    elif provider == "gemini" and (reasoning or model.entry is None):
        params += ("reasoning_effort", "thinking")
    elif provider == "groq" and reasoning:
        # With the parameters that groq's own models with search take.
        params = [param for param in lists.OPENAI if param != "max_retries"] + ["reasoning_effort"]
    elif provider == "perplexity" and model.entry is not None:
        params += ["reasoning_effort"] if reasoning and name.startswith("sonar") else []
        params += ["web_search_options"]
    elif provider in ("mistral", "moonshot", "deepinfra") and reasoning:
        params.append("reasoning_effort")
    elif provider == "xai":
        params += [] if any(kind in name for kind in ("grok-3-mini", "grok-4", "code-fast")) else ["stop"]
        params += [] if any(kind in name for kind in ("grok-4", "code-fast")) else ["frequency_penalty"]
    elif provider == "zai" and reasoning:
        params.append("thinking")
    return params


def _reasoning_openai(model: _Model) -> list[str] | None:
    name = model.name.rpartition("/")[2]
    if name.startswith(_GPT_5) or "gpt5_series" in model.name:
        left_out = {param for param in lists.OPENAI if param not in lists.GPT_5}
        # Models that can leave reasoning out take what steers the choice of words.
        if model.can("none_reasoning_effort") or name.startswith("gpt-6"):
            left_out -= {"top_p"} if name.startswith("gpt-6") else {"top_p", "logprobs", "top_logprobs"}
        return [*(param for param in lists.OPENAI if param not in left_out), "reasoning_effort", "verbosity"]
    if name.startswith(_O_SERIES) or "o_series" in model.name:
        user = ["user"] if model.entry is not None else []
        return [*lists.O_SERIES, *user, "reasoning_effort"]
    return None


def _openai(model: _Model) -> list[str]:
    params = [name for name in lists.OPENAI if not (name == "response_format" and model.given in _UNFORMATTED)]
    # Of a model that the table does not have under this name litellm takes the best to be true.
    known = model.given in model_cost
    return [*params, "user"] if known else [*params, "reasoning_effort"]


def _vertex(model: _Model) -> list[str]:
    params = list(lists.CHAT["vertex_ai"])
    if "claude" in model.name:
        params = list(lists.CHAT["vertex_ai_anthropic"])
    elif "gemini" in model.name:
        params = list(lists.CHAT["vertex_ai_gemini"])
        return [*params, "reasoning_effort", "thinking"]
    if "claude" in model.name and model.can("reasoning"):
        params += ("thinking", "reasoning_effort")
    return params


def _add_bedrocks(params: list[str], model: _Model) -> None:
    if "claude" in model.name:
        params += ("tools", "tool_choice")
        params += ["thinking", "reasoning_effort", "output_config"] if model.can("reasoning") else []
        params.append("context_management")
    elif model.entry is not None and "embed" not in model.name:
        params.append("tools")
    if "nova" in model.name:
        params += [name for name in ("tools", "web_search_options") if name not in params]


def _provider(model: str) -> str | None:
    from .model_names import get_llm_provider

    try:
        return get_llm_provider(model)[1]
    except OpenAIError:
        return provider_of(model) if model in model_cost else None


def _list(params: tuple[str, ...] | None) -> list[str] | None:
    return None if params is None else list(params)
