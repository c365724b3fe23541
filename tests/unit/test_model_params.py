"""What of its parameters a model takes: refused, dropped, renamed before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

import edgequake_obs as obs

from .conftest import Ask
from .server import Answer, Server, chat


def sent(server: Server, ask: Ask, **arguments: Any) -> dict[str, Any]:
    server.will(Answer(body=chat()))
    ask(**arguments)
    return server.requests[-1].json()


@pytest.mark.parametrize(
    "arguments",
    [
        {"model": "openai/gpt-4o", "reasoning_effort": "low"},
        {"model": "openai/gpt-4o", "thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"model": "openai/o3-mini", "temperature": 0},
        {"model": "openai/gpt-5", "stop": ["x"]},
        {"model": "openai/gpt-5", "reasoning_effort": "none"},
        {"model": "azure/mine", "service_tier": "flex"},
        {"model": "fireworks_ai/llama-v3p1-8b-instruct", "tools": [{"type": "function", "function": {"name": "f"}}]},
    ],
    ids=str,
)
def test_refused_or_dropped(server: Server, ask: Ask, arguments: dict[str, Any]) -> None:
    with pytest.raises(obs.UnsupportedParamsError):
        ask(**arguments)
    assert server.requests == []
    name = list(arguments)[1]
    assert name not in sent(server, ask, **arguments, drop_params=True)
    if not isinstance(arguments[name], dict):
        assert name in sent(server, ask, **arguments, allowed_openai_params=[name])


def test_models_that_reason_name_the_limit_otherwise(server: Server, ask: Ask) -> None:
    body = sent(server, ask, model="openai/o3-mini", max_tokens=9)
    assert (body.get("max_tokens"), body["max_completion_tokens"]) == (None, 9)
    assert sent(server, ask, model="openai/gpt-4o", max_tokens=9)["max_tokens"] == 9


def test_what_openai_takes_in_older_forms(server: Server, ask: Ask) -> None:
    parts = [{"type": "image_url", "image_url": "https://example.com/a.png"}]
    messages = [{"role": "developer", "content": "Be terse."}, {"role": "user", "content": parts}]
    body = sent(server, ask, model="openai/gpt-4o", messages=messages, stop=list("abcdef"))
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["messages"][1]["content"][0]["image_url"] == {"url": "https://example.com/a.png"}
    assert body["stop"] == list("abcd")
    assert sent(server, ask, model="openai/o3-mini", messages=messages)["messages"][0]["role"] == "developer"


def test_globals_of_litellms(server: Server, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obs, "headers", {"x-team": "a", "x-own": "a"})
    monkeypatch.setattr(obs, "model_alias_map", {"fast": "gpt-4o-mini"})
    monkeypatch.setattr(obs, "openai_key", "sk-global")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    body = sent(server, ask, model="fast", api_key=None, extra_headers={"x-own": "b"})
    assert body["model"] == "gpt-4o-mini"
    headers = server.request.headers
    assert (headers["x-team"], headers["x-own"], headers["authorization"]) == ("a", "b", "Bearer sk-global")


def test_embeddings_of_vendors_take_what_they_know(server: Server) -> None:
    with pytest.raises(obs.UnsupportedParamsError):
        obs.embedding("mistral/mistral-embed", ["a"], dimensions=8, api_base=server.base, api_key="k")
    assert server.requests == []
