"""Which provider a model's name and the arguments mean, and what follows for the request."""

from __future__ import annotations

from typing import Any

import pytest

import edgequake_obs
from edgequake_obs import BadRequestError, UnsupportedParamsError

from .conftest import MESSAGES, Ask
from .records import Ledger
from .server import Answer, Server, chat

KEYS = {
    "openai": "OPENAI_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "groq": "GROQ_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "together_ai": "TOGETHERAI_API_KEY",
    "fireworks_ai": "FIREWORKS_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "perplexity": "PERPLEXITYAI_API_KEY",
    "xai": "XAI_API_KEY",
    "cerebras": "CEREBRAS_API_KEY",
    "hosted_vllm": "HOSTED_VLLM_API_KEY",
}


def ask_with(server: Server, **more: Any) -> None:
    server.will(Answer(body=chat()))
    edgequake_obs.completion(**{"messages": MESSAGES, "timeout": 30, **more})


@pytest.mark.parametrize("provider", KEYS)
def test_prefix(server: Server, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not this one")
    monkeypatch.setenv(KEYS[provider], f"key of {provider}")
    ask_with(server, model=f"{provider}/some/model:free", api_base=server.base)
    assert server.request.headers["authorization"] == f"Bearer key of {provider}"
    assert server.request.json()["model"] == "some/model:free"
    assert server.request.path == "/v1/chat/completions"
    row = ledger.call()
    assert (row["provider"], row["request_model"]) == (provider, "some/model:free")


@pytest.mark.parametrize(
    ("provider", "variable"), [("groq", "GROQ_API_BASE"), ("openai", "OPENAI_API_BASE"), ("xai", "XAI_API_BASE")]
)
def test_base_in_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch, provider: str, variable: str) -> None:
    monkeypatch.setenv(variable, f"{server.url}/{provider}")
    ask_with(server, model=f"{provider}/m", api_key="k")
    assert server.request.path == f"/{provider}/chat/completions"


def test_custom_llm_provider(server: Server, ledger: Ledger) -> None:
    ask_with(server, model="m", custom_llm_provider="groq", api_base=server.base, api_key="k")
    assert server.request.json()["model"] == "m"
    assert ledger.call()["provider"] == "groq"


def test_a_name_with_a_slash_at_a_base_of_ones_own(server: Server, ledger: Ledger) -> None:
    ask_with(server, model="meta-llama/Llama-3", api_base=server.base, api_key="k")
    assert server.request.json()["model"] == "meta-llama/Llama-3"
    assert ledger.call()["provider"] == "openai"


def test_a_name_after_openai_keeps_its_slash(server: Server) -> None:
    ask_with(server, model="openai/meta-llama/Llama-3", api_base=server.base, api_key="k")
    assert server.request.json()["model"] == "meta-llama/Llama-3"


@pytest.mark.parametrize("model", ["bedrock/x", "cohere/command-r", "vertex_ai/x"])
def test_another_dialect(server: Server, ask_either_way: Ask, ledger: Ledger, model: str) -> None:
    with pytest.raises(BadRequestError) as raised:
        ask_either_way(model=model)
    message = str(raised.value)
    assert model.split("/", maxsplit=1)[0] in message
    assert all(provider in message for provider in KEYS), "it names what is supported"
    assert raised.value.status_code == 400
    assert raised.value.model == model
    assert server.requests == []
    row = ledger.call()
    assert (row["outcome"], row["request_model"], row["http_status"]) == ("error", model, None)


def test_unknown_prefix(ledger: Ledger) -> None:
    with pytest.raises(BadRequestError, match=r"nobody/model.*groq.*api_base"):
        edgequake_obs.completion("nobody/model", MESSAGES, api_key="k")
    assert ledger.call()["outcome"] == "error"


def test_unknown_custom_llm_provider(ask: Ask, ledger: Ledger) -> None:
    with pytest.raises(BadRequestError, match=r"'nobody' is not supported.*groq"):
        ask(custom_llm_provider="nobody")
    assert ledger.call()["outcome"] == "error"


@pytest.mark.parametrize("stream", [False, True])
def test_azure(server: Server, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, stream: bool) -> None:
    monkeypatch.setenv("AZURE_API_KEY", "azure key")
    monkeypatch.setenv("AZURE_API_BASE", server.url)
    ask_with(server, model="azure/my-deployment", api_version="2024-10-21", stream=stream)
    assert server.request.path == "/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21"
    assert server.request.headers["api-key"] == "azure key"
    assert "authorization" not in server.request.headers
    edgequake_obs.flush()
    assert ledger.call()["provider"] == "azure"


def test_azure_version(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(**more: Any) -> str:
        ask_with(server, model="azure/d", api_base=f"{server.url}/", api_key="k", **more)
        return server.requests[-1].path.partition("?api-version=")[2]

    assert version()
    monkeypatch.setenv("AZURE_API_VERSION", "environment")
    assert version() == "environment"
    monkeypatch.setattr(edgequake_obs, "api_version", "global")
    assert version() == "global"
    assert version(api_version="argument") == "argument"


def test_azure_embeddings(server: Server) -> None:
    server.will(Answer(body=b'{"object": "list", "data": [], "model": "m", "usage": {}}'))
    edgequake_obs.embedding("azure/d", "a", api_base=server.url, api_key="k", api_version="1")
    assert server.request.path == "/openai/deployments/d/embeddings?api-version=1"


def test_azure_without_a_base() -> None:
    with pytest.raises(BadRequestError, match=r"api_base.*AZURE_API_BASE"):
        edgequake_obs.completion("azure/d", MESSAGES, api_key="k")


def test_a_server_of_ones_own_needs_no_key(server: Server) -> None:
    ask_with(server, model="hosted_vllm/m", api_base=server.base)
    # What litellm sends; such servers do not look at it.
    assert server.request.headers["authorization"] == "Bearer fake-api-key"


def test_base_with_the_whole_path_and_a_query(server: Server) -> None:
    ask_with(server, model="m", api_base=f"{server.url}/proxy/chat/completions?tenant=1", api_key="k")
    assert server.request.path == "/proxy/chat/completions?tenant=1"


def test_what_a_vendor_puts_otherwise(server: Server) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    messages = [
        {"role": "developer", "content": "Be terse."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
    ]
    ask_with(
        server,
        model="mistral/m",
        api_base=server.base,
        api_key="k",
        messages=messages,
        seed=3,
        tools=tools,
        tool_choice="required",
    )
    sent = server.request.json()
    assert sent["messages"] == [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "Hi"}]
    assert (sent["random_seed"], sent["tool_choice"], sent["tools"]) == (3, "any", tools)


def test_what_a_vendor_does_not_know(server: Server) -> None:
    with pytest.raises(UnsupportedParamsError, match=r"mistral.*logit_bias"):
        ask_with(server, model="mistral/m", api_base=server.base, api_key="k", logit_bias={"1": 1})
    ask_with(server, model="mistral/m", api_base=server.base, api_key="k", logit_bias={"1": 1}, drop_params=True)
    assert "logit_bias" not in server.requests[-1].json()
    allowed = {"logit_bias": {"1": 1}, "allowed_openai_params": ["logit_bias"]}
    ask_with(server, model="mistral/m", api_base=server.base, api_key="k", **allowed)
    assert server.requests[-1].json()["logit_bias"] == {"1": 1}


@pytest.mark.parametrize(
    ("model", "more", "resolved"),
    [
        ("gpt-4.1", {}, ("gpt-4.1", "openai", None, None)),
        ("deepseek/deepseek-chat", {}, ("deepseek-chat", "deepseek", None, "https://api.deepseek.com/beta")),
        ("anthropic/claude-opus-4-5", {}, ("claude-opus-4-5", "anthropic", None, None)),
        ("bedrock/amazon.nova-lite-v1:0", {}, ("amazon.nova-lite-v1:0", "bedrock", None, None)),
        ("m", {"custom_llm_provider": "xai", "api_base": "http://h"}, ("m", "xai", None, "http://h")),
    ],
)
def test_a_name_is_resolved_without_a_call(model: str, more: dict[str, str], resolved: tuple[str | None, ...]) -> None:
    assert edgequake_obs.get_llm_provider(model, **more) == resolved


def test_a_name_that_says_nothing() -> None:
    with pytest.raises(BadRequestError, match=r"my-own-model.*custom_llm_provider"):
        edgequake_obs.get_llm_provider("my-own-model")
