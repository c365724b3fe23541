"""litellm's model names: which provider one means, and what that provider calls the model."""

from __future__ import annotations

from . import _native
from ._other_providers import BASES, named

# What litellm's table of models says that ours, which is about prices, says otherwise or not at all.
_IMAGE_MODELS = ("dall-e-2", "dall-e-3")


def get_llm_provider(
    model: str,
    custom_llm_provider: str | None = None,
    api_base: str | None = None,
    api_key: str | None = None,
    litellm_params: object = None,
) -> tuple[str, str, str | None, str | None]:
    """Resolve a model's name as a call would; also of providers whose models can only be asked for by litellm itself.

    Args:
        model: The name, with the provider's prefix where it has one: `groq/llama-3.3-70b`, `gpt-4o-mini`.
        custom_llm_provider: The provider, where the name does not say it.
        api_base: The base URL that the call would be given; a vendor's own host names the vendor.
        api_key: The key that the call would be given.
        litellm_params: Taken for litellm's sake.

    Returns:
        The provider's name for the model, litellm's id of the provider, the key and the base URL; None where the
        provider's own are used.

    Raises:
        BadRequestError: Nothing says whose model it is.
    """
    del litellm_params
    if custom_llm_provider is None and api_base is None:
        prefix, slash, name = model.partition("/")
        if slash and prefix in BASES and not _native.serves(prefix):
            if prefix == "ai21":
                prefix = "ai21_chat"
            return name, prefix, api_key, BASES[prefix]
        provider = _provider_in_table(model)
        if provider is not None:
            return model, provider, api_key, BASES.get(provider)
    return _native.provider_of_model(model, custom_llm_provider, api_base, api_key)


def _provider_in_table(model: str) -> str | None:
    """The provider of a model whose name alone stands in the table, where that is none of those we call."""
    if model in _IMAGE_MODELS:
        return "openai"
    found = _native.price_entry(model)
    if found is None:
        return None
    from json import loads

    provider = named(loads(found).get("litellm_provider") or "")
    return provider if provider in BASES and not _native.serves(provider) else None
