"""Keys in the environment: whether what a model needs is set, and whether a key works."""

from __future__ import annotations

from os import environ

from .exceptions import AuthenticationError, OpenAIError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Environment(TypedDict):
        """What `validate_environment` found."""

        keys_in_environment: bool
        missing_keys: list[str]


# What a provider needs, as litellm names it; all of a tuple. A provider that is not here needs nothing that is known.
_AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_NEEDED: dict[str, tuple[str, ...]] = {
    "ai21": ("AI21_API_KEY",),
    "ai21_chat": ("AI21_API_KEY",),
    "aleph_alpha": ("ALEPHALPHA_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "azure": ("AZURE_API_BASE", "AZURE_API_VERSION", "AZURE_API_KEY"),
    "baseten": ("BASETEN_API_KEY",),
    "bedrock": _AWS,
    "cerebras": ("CEREBRAS_API_KEY",),
    "cloudflare": ("CLOUDFLARE_API_KEY", "CLOUDFLARE_API_BASE"),
    "codestral": ("CODESTRAL_API_KEY",),
    "cohere": ("COHERE_API_KEY",),
    "dashscope": ("DASHSCOPE_API_KEY",),
    "deepinfra": ("DEEPINFRA_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "featherless_ai": ("FEATHERLESS_AI_API_KEY",),
    "fireworks_ai": ("FIREWORKS_AI_API_KEY",),
    "gemini": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "huggingface": ("HUGGINGFACE_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "moonshot": ("MOONSHOT_API_KEY",),
    "nebius": ("NEBIUS_API_KEY",),
    "nlp_cloud": ("NLP_CLOUD_API_KEY",),
    "novita": ("NOVITA_API_KEY",),
    "nvidia_nim": ("NVIDIA_NIM_API_KEY",),
    "ollama": ("OLLAMA_API_BASE",),
    "ollama_chat": ("OLLAMA_API_BASE",),
    "openai": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "palm": ("PALM_API_KEY",),
    "perplexity": ("PERPLEXITYAI_API_KEY",),
    "replicate": ("REPLICATE_API_KEY",),
    "sagemaker": _AWS,
    "together_ai": ("TOGETHERAI_API_KEY",),
    "vercel_ai_gateway": ("VERCEL_AI_GATEWAY_API_KEY",),
    "vertex_ai": ("VERTEXAI_PROJECT", "VERTEXAI_LOCATION"),
    "volcengine": ("VOLCENGINE_API_KEY",),
    "voyage": ("VOYAGE_API_KEY",),
    "wandb": ("WANDB_API_KEY",),
    "xai": ("XAI_API_KEY",),
}
# Of which one is enough.
_ANY_OF = ("gemini",)


def validate_environment(
    model: str | None = None, api_key: str | None = None, api_base: str | None = None, api_version: str | None = None
) -> Environment:
    """Whether the environment has what calls of a model need.

    Args:
        model: Its name.
        api_key: A key that the calls would be given: what is given need not be set.
        api_base: A base URL that the calls would be given.
        api_version: Azure's.

    Returns:
        `keys_in_environment`, and the variables that are `missing_keys`.
    """
    needed = _needed(model or "")
    given = {"_API_KEY": api_key, "_API_BASE": api_base, "_API_VERSION": api_version}
    missing = [
        name
        for name in needed[1]
        if not environ.get(name) and not any(value and name.endswith(end) for end, value in given.items())
    ]
    if needed[0] in _ANY_OF and len(missing) < len(needed[1]):
        missing = []
    return {"keys_in_environment": not missing, "missing_keys": missing}


def get_valid_models(check_provider_endpoint: bool | None = None, custom_llm_provider: str | None = None) -> list[str]:
    """The models of the price table that the environment has keys for.

    Args:
        check_provider_endpoint: Not supported: no provider is asked.
        custom_llm_provider: Only this one's.
    """
    from .models import model_cost

    del check_provider_endpoint
    served = {
        provider
        for provider, names in _NEEDED.items()
        if custom_llm_provider in (None, provider)
        and (any if provider in _ANY_OF else all)(environ.get(name) for name in names)
    }
    if not served:
        return []
    return [key for key in model_cost if model_cost[key].get("litellm_provider") in served]


def check_valid_key(model: str, api_key: str) -> bool:
    """Whether a provider takes a key: one small call of the model is made, and paid for.

    Raises:
        OpenAIError: The call failed for another reason than the key.
    """
    from .calls import completion

    try:
        completion(
            model=model, messages=[{"role": "user", "content": "Hey, how's it going?"}], api_key=api_key, max_tokens=10
        )
    except AuthenticationError:
        return False
    return True


def _needed(model: str) -> tuple[str, tuple[str, ...]]:
    from .model_names import get_llm_provider

    try:
        provider = get_llm_provider(model)[1]
    except OpenAIError:
        return "", ()
    if provider == "cohere_chat" and not model.startswith("cohere_chat/"):
        provider = "cohere"
    return provider, _NEEDED.get(provider, ())
