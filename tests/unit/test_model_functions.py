"""litellm's functions about models and what they need, which call nobody."""

from __future__ import annotations

import pytest

import edgequake_obs as litellm
from edgequake_obs import utils


def test_parameters_hang_on_the_provider_and_the_model() -> None:
    params = litellm.get_supported_openai_params
    assert "user" in params("gpt-4o")
    assert "reasoning_effort" in params("o3-mini")
    assert "top_p" not in params("o3-mini")
    assert "top_p" in params("gpt-4o")
    assert "functions" not in params("some-model", custom_llm_provider="moonshot")
    assert params("anthropic/claude-sonnet-4-5-20250929")[-2:] == ["thinking", "reasoning_effort"]
    assert params("some-model", "mistral", "transcription") == [
        "language",
        "temperature",
        "timestamp_granularities",
        "response_format",
    ]
    assert params("nosuch/model") is None
    with pytest.raises(ValueError, match="whisper-1"):
        params("gpt-4o", "openai", "transcription")


def test_the_environment_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GROQ_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "AZURE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert litellm.validate_environment("groq/llama-3.3-70b-versatile") == {
        "keys_in_environment": False,
        "missing_keys": ["GROQ_API_KEY"],
    }
    assert litellm.validate_environment("groq/x", api_key="gsk")["keys_in_environment"]
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    assert litellm.validate_environment("gemini/gemini-2.5-flash")["missing_keys"] == []
    assert litellm.validate_environment("nosuch/model")["keys_in_environment"]
    assert "gemini/gemini-2.5-flash" in litellm.get_valid_models(custom_llm_provider="gemini")
    assert litellm.get_valid_models(custom_llm_provider="groq") == []


def test_names_of_providers_that_are_not_called_resolve_too() -> None:
    assert litellm.get_llm_provider("deepinfra/a/b")[:2] == ("a/b", "deepinfra")
    assert litellm.get_llm_provider("anthropic.claude-sonnet-4-5-20250929-v1:0")[1] == "bedrock"
    assert litellm.get_llm_provider("dall-e-3")[1] == "openai"
    assert utils.get_api_base("gpt-4o") == "https://api.openai.com"
    assert utils.get_api_base("gpt-4o", {"api_base": "http://x"}) == "http://x"
    assert utils.get_api_base("gemini/m", {"stream": True}).endswith("m:streamGenerateContent?alt=sse")  # type: ignore[union-attr]


def test_utils_has_what_programs_import_from_there() -> None:
    assert utils.supports_vision is litellm.supports_vision
    assert utils.ModelResponse is litellm.ModelResponse
    assert litellm.utils is utils
    with pytest.raises(AttributeError, match="nosuch"):
        _ = utils.nosuch
