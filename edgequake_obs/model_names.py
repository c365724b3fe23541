"""litellm's model names: which provider one means, and what that provider calls the model."""

from __future__ import annotations

from . import _native


def get_llm_provider(
    model: str,
    custom_llm_provider: str | None = None,
    api_base: str | None = None,
    api_key: str | None = None,
    litellm_params: object = None,
) -> tuple[str, str, str | None, str | None]:
    """Resolve a model's name as a call would.

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
    return _native.provider_of_model(model, custom_llm_provider, api_base, api_key)
