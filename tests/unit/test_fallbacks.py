"""Other models where one fails, and many calls at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import edgequake_obs as obs

from .records import Ledger
from .server import DONE, USAGE, USAGE_EVENT, Answer, Server, chat, error, event

HELLO = [{"role": "user", "content": "hi"}]
TOO_LONG = error("This model's maximum context length is 8192 tokens.")


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, server: Server) -> Any:
    arguments: dict[str, Any] = {"api_base": server.base, "api_key": "k", "max_retries": 0}
    if request.param == "sync":
        return lambda **changed: obs.completion(**{"model": "openai/first", "messages": HELLO, **arguments, **changed})
    return lambda **changed: asyncio.run(
        obs.acompletion(**{"model": "openai/first", "messages": HELLO, **arguments, **changed})
    )


def test_the_next_model_answers(server: Server, ask: Any, ledger: Ledger) -> None:
    server.will(Answer(500, error("no")), Answer(body=chat("yes")))
    answer = ask(fallbacks=[{"model": "openai/second", "temperature": 0.5}, "openai/third"])
    assert answer.choices[0].message.content == "yes"
    assert [request.json()["model"] for request in server.requests] == ["first", "second"]
    assert [request.json().get("temperature") for request in server.requests] == [None, 0.5]
    row = ledger.call()
    assert (row["request_model"], row["outcome"], row["attempts"]) == ("first", "completed", 2)
    assert (row["input_tokens"], row["error_type"]) == (USAGE["prompt_tokens"], None)
    tried = [(attempt["model"], attempt["http_status"], attempt["error_type"]) for attempt in ledger.attempts()]
    assert tried == [("first", 500, "some_error"), ("second", 200, None)]


def test_a_stream_of_the_next_model(server: Server, ledger: Ledger) -> None:
    server.will(Answer(500, error("no")), Answer(body=[event("yes"), USAGE_EVENT, DONE]))
    given: dict[str, Any] = {"api_base": server.base, "api_key": "k", "max_retries": 0}
    stream = obs.completion("openai/first", HELLO, stream=True, fallbacks=["groq/second"], **given)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "yes"
    row = ledger.call()
    assert (row["provider"], row["request_model"], row["outcome"]) == ("groq", "first", "completed")
    assert [attempt["provider"] for attempt in ledger.attempts()] == ["openai", "groq"]


def test_a_model_that_cannot_be_asked_is_no_attempt(ask: Any, server: Server, ledger: Ledger) -> None:
    server.will(Answer(body=chat("yes")))
    assert ask(model="bedrock/first", fallbacks=["openai/second"]).choices[0].message.content == "yes"
    assert [attempt["model"] for attempt in ledger.attempts()] == ["second"]
    assert ledger.call()["outcome"] == "completed"


def test_none_answers(server: Server, ask: Any, ledger: Ledger) -> None:
    server.will(*[Answer(500, error("no"))] * 2)
    with pytest.raises(Exception, match="All fallback attempts failed") as raised:
        ask(fallbacks=["openai/second"])
    assert type(raised.value) is Exception
    assert isinstance(raised.value.__cause__, obs.InternalServerError)
    row = ledger.call()
    assert (row["request_model"], row["outcome"], row["http_status"]) == ("first", "error", 500)
    assert (row["attempts"], len(ledger.attempts())) == (2, 2)


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
