"""`get_api_base`: where calls of a model would go."""

from __future__ import annotations

from .exceptions import OpenAIError
from .model_names import get_llm_provider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def get_api_base(model: str, optional_params: Mapping[str, object] | None = None) -> str | None:
    """The address that calls of a model go to.

    Args:
        model: Its name.
        optional_params: What the call would be given: its `api_base` counts, and whether it streams.

    Returns:
        litellm's: for Gemini the whole URL; None where it is not known without a call, as of Azure.
    """
    params = optional_params or {}
    given = params.get("api_base") or params.get("base_url")
    if isinstance(given, str):
        return given
    try:
        name, provider, _, base = get_llm_provider(model)
    except OpenAIError:
        return None
    if provider == "gemini":
        operation = "streamGenerateContent?alt=sse" if params.get("stream") else "generateContent"
        return f"https://generativelanguage.googleapis.com/v1beta/models/{name}:{operation}"
    return "https://api.openai.com" if provider == "openai" and base is None else base
