"""`mock_response`: nothing is sent, nothing is recorded, and everything else is as with a provider."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import edgequake_obs as obs

from .conftest import MESSAGES
from .records import Ledger
from .server import PATIENCE


@pytest.fixture(autouse=True)
def _nothing_registered() -> Iterator[None]:
    yield
    obs.callbacks = []
    obs.success_callback = []


def _both(**arguments: Any) -> list[Any]:
    given: Any = {"model": "gpt-4o-mini", "messages": MESSAGES, **arguments}
    return [obs.completion(**given), asyncio.run(obs.acompletion(**given))]


def test_an_answer(ledger: Ledger) -> None:
    for answer in _both(mock_response="Hi there."):
        assert answer.choices[0].message.content == "Hi there."
        assert (answer.model, answer.usage.total_tokens) == ("gpt-4o-mini", 30)
    with obs.context() as run:
        assert len(_both(mock_response="x", n=2)[0].choices) == 2
    assert run.calls == 0
    assert ledger.calls() == []


def test_a_stream() -> None:
    chunks = list(obs.stream("gpt-4o-mini", MESSAGES, mock_response="Hi there."))
    assert "".join(chunk.content or "" for chunk in chunks) == "Hi there."
    assert chunks[-1].is_finished

    async def read() -> str:
        stream: Any = await obs.acompletion("gpt-4o-mini", MESSAGES, mock_response="Hi there.", stream=True)
        return "".join([chunk.content or "" async for chunk in stream])

    assert asyncio.run(read()) == "Hi there."


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"mock_response": "litellm.RateLimitError"}, obs.RateLimitError),
        ({"mock_response": "litellm.ContextWindowExceededError"}, obs.ContextWindowExceededError),
        ({"mock_response": ""}, obs.InternalServerError),
        ({"mock_response": obs.NotFoundError("no", "m", "openai")}, obs.NotFoundError),
        ({"mock_timeout": True, "timeout": 0.05}, obs.Timeout),
    ],
)
def test_a_failure(ledger: Ledger, arguments: dict[str, Any], expected: type[Exception]) -> None:
    with pytest.raises(expected):
        obs.completion("gpt-4o-mini", MESSAGES, **arguments)
    assert ledger.calls() == []


def test_callbacks_are_told() -> None:
    told: list[Any] = []
    obs.success_callback = [lambda kwargs, answer, start, end: told.append((kwargs, answer))]
    obs.completion("gpt-4o-mini", MESSAGES, mock_response="Hi there.")
    list(obs.stream("gpt-4o-mini", MESSAGES, mock_response="Hi there."))
    assert obs.flush(PATIENCE)
    assert [answer.content for _, answer in told] == ["Hi there."] * 2
