"""Redirects, as the vendors' own SDKs follow them."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from edgequake_obs import APIConnectionError, APIError, NotFoundError

from .conftest import Ask
from .records import Ledger
from .server import DONE, USAGE_EVENT, Answer, Server, chat, event, running


def to(location: str, status: int = 307) -> Answer:
    return Answer(status, headers={"location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_as_the_openai_package_does(server: Server, ask: Ask, ledger: Ledger, status: int) -> None:
    def seen() -> list[tuple[Any, ...]]:
        requests, server.requests = server.requests, []
        named = ("authorization", "content-type")
        return [(r.method, r.path, r.body != b"", *(r.headers.get(n) for n in named)) for r in requests]

    answers = [to("/v2/chat/completions?x=1", status), Answer(body=chat())]
    server.will(*answers)
    client = openai.OpenAI(api_key="sk-test", base_url=server.base, max_retries=0)
    client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
    theirs = seen()
    server.will(*answers)
    assert ask().choices[0].message.content == "Hello."
    assert seen() == theirs
    row = ledger.call()
    assert (row["outcome"], row["attempts"], row["http_status"]) == ("completed", 1, 200)


def test_another_host_gets_no_credentials(server: Server, ask_either_way: Ask) -> None:
    with running() as other:
        server.will(to(f"{other.base}/chat/completions"))
        other.will(Answer(body=chat()))
        own = {"X-Team-Token": "t0ps3cret", "X-Trace": "1"}
        assert ask_either_way(extra_headers=own).choices[0].message.content == "Hello."
        assert server.request.headers["authorization"] == "Bearer sk-test"
        assert other.request.method == "POST"
        assert other.request.body == server.request.body
        assert "authorization" not in other.request.headers
        assert "x-team-token" not in other.request.headers
        assert other.request.headers["x-trace"] == "1"


def test_a_stream_is_redirected(server: Server, ask: Ask) -> None:
    server.will(to("/v2"), Answer(body=[event("Hello."), USAGE_EVENT, DONE]))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in ask(stream=True)) == "Hello."


def test_an_end_to_it(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(*[to("/v1/chat/completions")] * 30)
    with pytest.raises(APIConnectionError, match="redirected more than 20 times"):
        ask(max_retries=5)
    assert len(server.requests) == 21
    assert ledger.call()["outcome"] == "error"


def test_a_redirect_to_nowhere_is_an_error(server: Server, ask: Ask) -> None:
    server.will(Answer(307, b"moved"), to("/gone"), Answer(404, b"{}"))
    with pytest.raises(APIError, match="moved"):
        ask(max_retries=0)
    with pytest.raises(NotFoundError):
        ask(max_retries=0)
