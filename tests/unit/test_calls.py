"""What of a call's arguments reaches the provider, and what the record says of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

import edgequake_obs
from edgequake_obs import BadRequestError

from .conftest import MESSAGES, Ask
from .records import Ledger
from .server import Answer, Server, chat, embeddings

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
PARAMETERS: dict[str, Any] = {
    "audio": {"voice": "alloy", "format": "mp3"},
    "frequency_penalty": -0.5,
    "function_call": "auto",
    "functions": [{"name": "f"}],
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "max_completion_tokens": 10,
    "max_tokens": 11,
    "modalities": ["text"],
    "n": 2,
    "parallel_tool_calls": False,
    "prediction": {"type": "content", "content": "x"},
    "presence_penalty": 1,
    "prompt_cache_key": "k",
    "reasoning_effort": "low",
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}},
    "safety_identifier": "u",
    "seed": 2**60,
    "service_tier": "flex",
    "stop": ["\n", "é"],
    "store": False,
    "temperature": 0,
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "tools": [TOOL],
    "top_logprobs": 3,
    "top_p": 1e-7,
    "user": "u1",
    "verbosity": "low",
    "web_search_options": {},
    "a_parameter_of_tomorrow": {"a": [1, None, True, "b"]},
}


def test_every_parameter_is_passed_on(server: Server, ask_either_way: Ask) -> None:
    server.will(Answer(body=chat()))
    ask_either_way(**PARAMETERS, allowed_openai_params=["reasoning_effort", "verbosity"])
    assert server.request.path == "/v1/chat/completions"
    assert server.request.json() == {"model": "gpt-4o-mini", "messages": MESSAGES, **PARAMETERS}


def test_none_is_left_out(server: Server, ask: Ask) -> None:
    server.will(Answer(body=chat()))
    ask(**dict.fromkeys(PARAMETERS), stream=None, organization=None, metadata=None, extra_headers=None, extra_body=None)
    assert server.request.json() == {"model": "gpt-4o-mini", "messages": MESSAGES}


def test_what_steers_the_call_is_not_sent(server: Server, ask: Ask) -> None:
    server.will(Answer(body=chat()))
    ask(metadata={"a": 1}, max_retries=1, num_retries=1, timeout=9, drop_params=True, organization="o", api_version="1")
    assert server.request.json() == {"model": "gpt-4o-mini", "messages": MESSAGES}


def test_extra_body_and_headers(server: Server, ask: Ask) -> None:
    server.will(Answer(body=chat()))
    ask(extra_body={"mine": {"a": 1}}, extra_headers={"X-Mine": "1", "X-Number": 2}, organization="org-1")
    sent = server.request
    assert sent.json()["mine"] == {"a": 1}
    assert (sent.headers["x-mine"], sent.headers["x-number"]) == ("1", "2")
    assert sent.headers["openai-organization"] == "org-1"
    assert sent.headers["content-type"] == "application/json"


def test_extra_body_wins_over_an_argument(server: Server, ask: Ask) -> None:
    server.will(Answer(body=chat()))
    ask(temperature=0, extra_body={"temperature": 1})
    pairs: list[tuple[str, object]] = json.loads(server.request.body, object_pairs_hook=list)
    assert [value for name, value in pairs if name == "temperature"] == [1]


@pytest.mark.parametrize("field", ["model", "messages", "stream"])
def test_extra_body_makes_no_name_stand_twice(server: Server, ask: Ask, field: str) -> None:
    server.will(Answer(body=chat()))
    ask(extra_body={field: False if field == "stream" else "x"})
    names = [name for name, _ in json.loads(server.request.body, object_pairs_hook=list)]
    assert names.count(field) == 1


def test_text_of_every_kind(server: Server, ask: Ask) -> None:
    server.will(Answer(body=chat()))
    text = '\u0000\u001f"\\/\u2028é漢\U0001f600\x7f'
    ask(messages=({"role": "user", "content": [{"type": "text", "text": text}]},))
    assert server.request.json()["messages"][0]["content"][0]["text"] == text


def test_names_that_are_no_text(server: Server, ask: Ask) -> None:
    server.will(Answer(body=chat()))
    odd = {2: "a", 1.5: "b", True: "c", None: "d", False: "e"}
    ask(logit_bias=odd)
    assert server.request.json()["logit_bias"] == json.loads(json.dumps(odd))


def test_pydantic_messages(server: Server, ask: Ask) -> None:
    pydantic = pytest.importorskip("pydantic")

    class Said(pydantic.BaseModel):
        role: str
        content: str

    server.will(Answer(body=chat()))
    ask(messages=[Said(role="user", content="hi")])
    assert server.request.json()["messages"] == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("wrong", [float("nan"), object(), b"bytes", "\ud83d"])
def test_what_has_no_json_is_refused(server: Server, ask_either_way: Ask, ledger: Ledger, wrong: object) -> None:
    with pytest.raises(BadRequestError, match="JSON"):
        ask_either_way(mine=wrong)
    assert server.requests == []
    row = ledger.call()
    assert (row["outcome"], row["request_model"], row["http_status"]) == ("error", "gpt-4o-mini", None)


@pytest.mark.parametrize(
    "arguments",
    [
        {"timeout": "soon"},
        {"timeout": 0},
        {"max_retries": -1},
        {"api_key": 3},
        {"extra_headers": [1]},
        {"extra_headers": {"a b": "c"}},
        {"extra_body": [1]},
        {"extra_headers": {"a": "b\nc"}},
        {"api_key": "sk\n"},
        {"api_base": "ftp://x"},
        {"cache": {"no-cache": True}},
        {"model": ""},
        {"model": None},
    ],
    ids=str,
)
def test_refused(server: Server, ask_either_way: Ask, ledger: Ledger, arguments: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError):
        ask_either_way(**arguments)
    assert server.requests == []
    row = ledger.call()
    assert (row["outcome"], row["operation"], row["origin"]) == ("error", "chat", "native")
    assert row["error_type"]
    assert row["error_message"]


def test_a_refused_call_keeps_its_context(ask: Ask, ledger: Ledger) -> None:
    with edgequake_obs.context(user="u", tags={"a": "b"}) as run, pytest.raises(BadRequestError):
        ask(timeout="soon")
    assert run.calls == 1
    assert (ledger.call()["user_id"], ledger.call()["tags"]) == ("u", {"a": "b"})


def key_of(server: Server) -> str:
    return server.requests[-1].headers["authorization"]


def test_key_argument_then_global_then_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(**more: Any) -> str:
        server.will(Answer(body=chat()))
        edgequake_obs.completion("gpt-4o-mini", MESSAGES, api_base=server.base, **more)
        return key_of(server)

    monkeypatch.setenv("OPENAI_API_KEY", "environment")
    assert ask() == "Bearer environment"
    monkeypatch.setattr(edgequake_obs, "api_key", "global")
    assert ask() == "Bearer global"
    assert ask(api_key="argument") == "Bearer argument"
    assert ask(api_key=None) == "Bearer global"


def test_base_argument_then_global_then_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(**more: Any) -> str:
        server.will(Answer(body=chat()))
        edgequake_obs.completion("gpt-4o-mini", MESSAGES, api_key="k", **more)
        return server.requests[-1].path

    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/environment")
    assert ask() == "/environment/chat/completions"
    monkeypatch.setattr(edgequake_obs, "api_base", f"{server.url}/global/")
    assert ask() == "/global/chat/completions"
    assert ask(api_base=f"{server.url}/argument") == "/argument/chat/completions"
    assert ask(base_url=f"{server.url}/alias") == "/alias/chat/completions"


def test_organization_global(server: Server, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edgequake_obs, "organization", "org-global")
    server.will(Answer(body=chat()), Answer(body=chat()))
    ask()
    ask(organization="org-argument")
    assert [r.headers["openai-organization"] for r in server.requests] == ["org-global", "org-argument"]


def test_no_key(server: Server, ask: Ask, ledger: Ledger) -> None:
    with pytest.raises(edgequake_obs.AuthenticationError, match="OPENAI_API_KEY"):
        ask(api_key=None)
    assert server.requests == []
    assert ledger.call()["outcome"] == "error"


@pytest.mark.parametrize("way", ["sync", "async"])
def test_embedding_parameters(server: Server, way: str) -> None:
    server.will(Answer(body=embeddings([1.0])))
    more: dict[str, Any] = {"dimensions": 3, "encoding_format": "float", "user": "u", "extra_body": {"mine": 1}}
    call: Callable[..., Any] = edgequake_obs.embedding
    if way == "async":

        def call(*given: Any, **named: Any) -> Any:
            return asyncio.run(edgequake_obs.aembedding(*given, **named))

    call("text-embedding-3-small", [[1, 2]], api_base=server.base, api_key="k", **more)
    assert server.request.path == "/v1/embeddings"
    sent = {"dimensions": 3, "encoding_format": "float", "user": "u", "mine": 1}
    assert server.request.json() == {"model": "text-embedding-3-small", "input": [[1, 2]], **sent}
