"""Which failures are tried again, when, how often, and what the ledger says of each attempt."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import edgequake_obs
from edgequake_obs import APIConnectionError, BadRequestError, InternalServerError, RateLimitError

from .conftest import MESSAGES, Ask
from .records import Ledger
from .server import DONE, PATIENCE, Answer, Server, chat, error, event

AT_ONCE = {"retry-after-ms": "1"}


def failing(status: int, times: int = 1) -> list[Answer]:
    return [Answer(status, error("not now", "busy"), AT_ONCE)] * times


def test_every_attempt_is_recorded(server: Server, ask_either_way: Ask, ledger: Ledger) -> None:
    server.will(*failing(429), *failing(500), Answer(body=chat()))
    assert ask_either_way().choices[0].message.content == "Hello."
    row = ledger.call()
    assert (row["outcome"], row["attempts"], row["http_status"]) == ("completed", 3, 200)
    attempts = ledger.attempts()
    assert [attempt["attempt"] for attempt in attempts] == [1, 2, 3]
    assert [attempt["http_status"] for attempt in attempts] == [429, 500, 200]
    assert [bool(attempt["error_type"]) for attempt in attempts] == [True, True, False]
    started = [attempt["started_at"] for attempt in attempts]
    assert started == sorted(set(started))
    assert started[0] >= row["started_at"]
    assert all(0 < attempt["duration_ns"] <= row["duration_ns"] for attempt in attempts)
    assert {attempt["call_uid"] for attempt in attempts} == {row["call_uid"]}


def test_a_last_attempt_without_an_answer_has_no_status(server: Server, ask_either_way: Ask, ledger: Ledger) -> None:
    # The first silence is taken for a connection that was closed while it was idle.
    server.will(*failing(500), *[Answer(silent=True)] * 2)
    with pytest.raises(APIConnectionError):
        ask_either_way(max_retries=1)
    row = ledger.call()
    assert (row["outcome"], row["error_type"], row["http_status"]) == ("error", "connection_error", None)
    assert [attempt["http_status"] for attempt in ledger.attempts()] == [500, None, None]


# A quarter of a second to half a one is what is waited without a word from the server.
@pytest.mark.parametrize(("headers", "least"), [({"retry-after": "1"}, 1.0), ({"retry-after-ms": "700"}, 0.7)])
def test_the_server_says_when(server: Server, ask: Ask, ledger: Ledger, headers: dict[str, str], least: float) -> None:
    server.will(Answer(429, error(), headers), Answer(body=chat()))
    ask()
    first, second = ledger.attempts()
    assert (second["started_at"] - first["started_at"]).total_seconds() >= least


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_worth_another(server: Server, ask: Ask, status: int) -> None:
    server.will(*failing(status), Answer(body=chat()))
    ask()
    assert len(server.requests) == 2
    assert server.requests[0].body == server.requests[1].body


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_not_worth_another(server: Server, ask_either_way: Ask, ledger: Ledger, status: int) -> None:
    server.will(*failing(status), Answer(body=chat()))
    with pytest.raises(edgequake_obs.OpenAIError):
        ask_either_way()
    assert len(server.requests) == 1
    (attempt,) = ledger.attempts()
    assert attempt["http_status"] == ledger.call()["http_status"] == status
    assert attempt["error_type"]


@pytest.mark.parametrize(
    ("arguments", "attempts"),
    [
        ({}, 3),
        ({"max_retries": 0}, 1),
        ({"max_retries": 1}, 2),
        ({"num_retries": 1}, 2),
        ({"num_retries": 4}, 5),
        ({"max_retries": 0, "num_retries": 3}, 1),
    ],
    ids=str,
)
def test_how_often(server: Server, ask_either_way: Ask, arguments: dict[str, Any], attempts: int) -> None:
    server.will(*failing(500, times=9))
    with pytest.raises(InternalServerError) as raised:
        ask_either_way(**arguments)
    assert len(server.requests) == attempts
    assert raised.value.num_retries == attempts - 1


def test_how_often_as_the_global_says(server: Server, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edgequake_obs, "num_retries", 1)
    server.will(*failing(429, times=2))
    with pytest.raises(RateLimitError):
        ask()
    assert len(server.requests) == 2
    server.will(*failing(429, times=1))
    with pytest.raises(RateLimitError):
        ask(num_retries=0)
    assert len(server.requests) == 3


def test_the_vendor_has_the_last_word(server: Server, ask: Ask) -> None:
    server.will(Answer(500, error(), {"x-should-retry": "false"}))
    with pytest.raises(InternalServerError):
        ask()
    server.will(Answer(400, error(), {"x-should-retry": "true", **AT_ONCE}), Answer(body=chat()))
    ask()
    assert len(server.requests) == 3


def test_all_attempts_fail(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(*failing(500), *failing(503))
    with pytest.raises(edgequake_obs.ServiceUnavailableError):
        ask(max_retries=1)
    row = ledger.call()
    assert (row["outcome"], row["attempts"], row["http_status"]) == ("error", 2, 503)
    assert [attempt["http_status"] for attempt in ledger.attempts()] == [500, 503]
    assert all(attempt["error_type"] for attempt in ledger.attempts())


def test_a_stream_is_retried_before_it_begins(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(*failing(503), Answer(body=[event("a", finish="stop"), DONE]))
    assert [chunk.choices[0].delta.content for chunk in ask(stream=True)] == ["a"]
    assert [attempt["http_status"] for attempt in ledger.attempts()] == [503, 200]


def test_a_lost_connection(server: Server, ask_either_way: Ask, ledger: Ledger) -> None:
    server.will(Answer(silent=True), Answer(body=chat()))
    ask_either_way()
    first, second = ledger.attempts()
    assert (first["http_status"], first["error_type"]) == (None, "connection_error")
    assert (second["http_status"], second["error_type"]) == (200, None)


def test_a_port_that_refuses(ledger: Ledger) -> None:
    server = Server()
    try:
        with pytest.raises(APIConnectionError) as raised:
            edgequake_obs.completion("m", MESSAGES, api_base=server.base, api_key="k", max_retries=1)
        assert raised.value.num_retries == 1
        attempts = ledger.attempts()
        assert [(a["http_status"], a["error_type"]) for a in attempts] == [(None, "connection_error")] * 2
        assert attempts[0]["started_at"] < attempts[1]["started_at"]
        assert ledger.call()["outcome"] == "error"
    finally:
        server.close()


def test_a_server_that_comes_up_later(ledger: Ledger) -> None:
    server = Server()
    server.will(Answer(body=chat()))
    # Waiting makes the first attempt fail nearly always; were the server up in time, the test would only see less.
    up = threading.Timer(0.2, server.listen)
    up.start()
    try:
        answer = edgequake_obs.completion("m", MESSAGES, api_base=server.base, api_key="k", max_retries=9)
        assert answer.choices[0].message.content == "Hello."
        *failed, last = ledger.attempts()
        assert {attempt["error_type"] for attempt in failed} <= {"connection_error"}
        assert last["http_status"] == 200
    finally:
        up.join()
        server.close()


def test_a_pooled_connection_that_was_closed(server: Server, ask_either_way: Ask, ledger: Ledger) -> None:
    server.will(Answer(body=chat("one"), hangs_up=True), Answer(body=chat("two")))
    assert ask_either_way(max_retries=0).choices[0].message.content == "one"
    assert server.closed.wait(PATIENCE)
    assert ask_either_way(max_retries=0).choices[0].message.content == "two"
    assert [row["outcome"] for row in ledger.calls()] == ["completed", "completed"]
    assert [request.connection for request in server.requests] == [1, 2]


def test_connections_are_used_again(server: Server, ask_either_way: Ask) -> None:
    server.will(*[Answer(body=chat())] * 3)
    for _ in range(3):
        ask_either_way()
    assert {request.connection for request in server.requests} == {1}


def test_no_retry_of_an_answer_that_is_wrong(server: Server, ask: Ask) -> None:
    server.will(Answer(body=error("bad")), Answer(body=chat()))
    with pytest.raises(edgequake_obs.APIError):
        ask()
    assert len(server.requests) == 1


def test_a_request_that_cannot_be_sent(ask: Ask, ledger: Ledger) -> None:
    with pytest.raises(BadRequestError):
        ask(mine=object())
    assert (ledger.call()["attempts"], ledger.attempts()) == (0, []), "no attempt was made"
