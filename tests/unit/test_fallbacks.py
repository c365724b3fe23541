"""Other models where one fails, and many calls at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import edgequake_obs as obs

from .records import Ledger
from .server import Answer, Server, chat, error

HELLO = [{"role": "user", "content": "hi"}]
TOO_LONG = error("This model's maximum context length is 8192 tokens.")


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, server: Server) -> Any:
    arguments: dict[str, Any] = {"api_base": server.base, "api_key": "k", "max_retries": 0}
    if request.param == "sync":
        return lambda **changed: obs.completion("openai/first", HELLO, **{**arguments, **changed})
    return lambda **changed: asyncio.run(obs.acompletion("openai/first", HELLO, **{**arguments, **changed}))


def test_the_next_model_answers(server: Server, ask: Any, ledger: Ledger) -> None:
    server.will(Answer(500, error("no")), Answer(body=chat("yes")))
    answer = ask(fallbacks=[{"model": "openai/second", "temperature": 0.5}, "openai/third"])
    assert answer.choices[0].message.content == "yes"
    assert [request.json()["model"] for request in server.requests] == ["first", "second"]
    assert [request.json().get("temperature") for request in server.requests] == [None, 0.5]
    rows = ledger.calls()
    assert [(row["request_model"], row["outcome"]) for row in rows] == [("first", "error"), ("second", "completed")]


def test_none_answers(server: Server, ask: Any) -> None:
    server.will(*[Answer(500, error("no"))] * 2)
    with pytest.raises(Exception, match="All fallback attempts failed") as raised:
        ask(fallbacks=["openai/second"])
    assert type(raised.value) is Exception
    assert isinstance(raised.value.__cause__, obs.InternalServerError)


def test_a_longer_context(server: Server, ask: Any) -> None:
    longer = {"openai/first": "openai/longer"}
    server.will(Answer(400, TOO_LONG), Answer(body=chat("yes")))
    assert ask(context_window_fallback_dict=longer).choices[0].message.content == "yes"
    assert server.requests[-1].json()["model"] == "longer"
    server.will(Answer(401, error("no")))
    with pytest.raises(obs.AuthenticationError):
        ask(context_window_fallback_dict=longer)


def test_many_conversations_at_once(server: Server, ledger: Ledger) -> None:
    server.will(*[Answer(body=chat("yes"))] * 3)
    with obs.context(tags={"job": "nightly"}) as run:
        answers = obs.batch_completion("openai/m", [HELLO] * 3, api_base=server.base, api_key="k")
    assert [answer.choices[0].message.content for answer in answers] == ["yes"] * 3
    assert run.calls == 3
    assert [row["tags"] for row in ledger.calls()] == [{"job": "nightly"}] * 3
    (failed,) = obs.batch_completion("openai/m", [HELLO], api_base=server.base, api_key="k", timeout=0)
    assert isinstance(failed, obs.BadRequestError)


def test_several_models_at_once() -> None:
    asked = {"models": ["gpt-4o", "gpt-4o-mini"], "messages": HELLO, "mock_response": "b"}
    assert [answer.model for answer in obs.batch_completion_models_all_responses(**asked)] == ["gpt-4o", "gpt-4o-mini"]
    assert obs.batch_completion_models(**asked).choices[0].message.content == "b"
    with pytest.raises(ValueError, match="at least one"):
        obs.batch_completion_models(models=[], messages=HELLO)
