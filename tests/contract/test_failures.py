"""Calls that fail: the program gets the same exception, and the record says what happened."""

from __future__ import annotations

import socket
import traceback
from typing import Any

import pytest

from .conftest import Compare
from .runs import FLAVOURS, MESSAGES, VERSION, Program, items, only, result

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)

ERROR = {"operation": "chat", "outcome": "error"}


async def chat(program: Program, client: Any, **more: Any) -> Any:
    return await result(client.chat.completions.create(model="m", messages=MESSAGES, **more))


@pytest.mark.parametrize("status", [429, 500])
def test_retried_until_it_works(compare: Compare, flavour: str, status: int) -> None:
    async def situation(program: Program) -> object:
        return await chat(program, program.client("chat", options={"fail": f"{status}:2"}))

    both = compare(situation, flavour)
    only(both.records, operation="chat", outcome="completed", http_status=200, attempts=3, input_tokens=40)
    attempts = both.record["attempts"]
    assert [a.get("http_status") for a in attempts] == [status, status, 200]
    assert [a.get("error_type") for a in attempts] == ["busy", "busy", None], "the provider's code for it"
    assert attempts[0]["start_ns"] < attempts[1]["start_ns"] < attempts[2]["start_ns"]


def test_stream_retried_until_it_works(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await items(await chat(program, program.client("stream", options={"fail": "429:1"}), stream=True))

    only(compare(situation, flavour).records, operation="chat", outcome="completed", attempts=2, input_tokens=11)


@pytest.mark.parametrize(("status", "name"), [(429, "RateLimitError"), (500, "InternalServerError")])
def test_retries_used_up(compare: Compare, flavour: str, status: int, name: str) -> None:
    async def situation(program: Program) -> object:
        return await chat(program, program.client("chat", options={"fail": status}))

    both = compare(situation, flavour, raises=name)
    only(both.records, **ERROR, error_type="busy", error_message="try later", http_status=status, attempts=3)


def test_refused_by_the_provider(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await chat(program, program.client("not-found"))

    both = compare(situation, flavour, raises="NotFoundError")
    only(both.records, **ERROR, error_type="model_not_found", http_status=404, attempts=1)
    assert "does not exist" in both.record["error_message"]


def test_stream_refused_by_the_provider(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await chat(program, program.client("not-found"), stream=True)

    both = compare(situation, flavour, raises="NotFoundError")
    only(both.records, **ERROR, http_status=404, streaming=True)


def test_connection_refused(compare: Compare, flavour: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def situation(program: Program) -> object:
        return await chat(program, program.client("chat", base_url=f"http://127.0.0.1:{port}/v1"))

    both = compare(situation, flavour, raises="APIConnectionError")
    only(both.records, **ERROR, error_type="connection_error", attempts=3)
    assert both.record.get("http_status") is None
    assert both.record["error_message"] != "Connection error.", "the cause says what happened"


def test_timeout(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("chat", options={"fault": "stall"}, timeout=0.5, max_retries=1)
        return await chat(program, client)

    both = compare(situation, flavour, raises="APITimeoutError")
    only(both.records, **ERROR, error_type="timeout", attempts=2)
    assert both.record["attempts"][0]["error_type"] == "timeout"


def test_connection_lost_in_the_answer(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await chat(program, program.client("chat", options={"fault": "drop"}, max_retries=0))

    only(compare(situation, flavour, raises="APIConnectionError").records, **ERROR, attempts=1)


@pytest.mark.parametrize("fault", ["html", "truncated"])
def test_answer_that_is_no_json(compare: Compare, flavour: str, fault: str) -> None:
    async def situation(program: Program) -> object:
        return await chat(program, program.client("chat", options={"fault": fault}))

    only(compare(situation, flavour, raises="JSONDecodeError").records, **ERROR, http_status=200)


def test_refused_before_it_is_sent(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await chat(program, program.client("chat"), extra_body={"no json": object()})

    both = compare(situation, flavour, raises="TypeError")
    assert both.patched == []
    only(both.records, **ERROR, error_type="TypeError")


def test_key_is_not_recorded(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await chat(program, program.client("not-found", api_key="sk-canary-0123456789abcdef0123456789"))

    assert "sk-canary" not in repr(compare(situation, flavour, raises="NotFoundError").record)


def test_tracebacks_show_the_programs_frames(compare: Compare, flavour: str) -> None:
    async def the_programs_function(program: Program) -> object:
        return await chat(program, program.client("not-found"))

    async def situation(program: Program) -> object:
        try:
            await the_programs_function(program)
        except Exception as error:
            names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
            kept = [name for name in names if not name.startswith("_")]
            # Our two frames stand between; the program's and the SDK's own are all there, in their order.
            return [name for i, name in enumerate(kept) if kept[i - 1] != name or i == 0]
        return None

    only(compare(situation, flavour).records, **ERROR)


def test_interrupted(compare: Compare, flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def situation(program: Program) -> object:
        client = program.client("chat")

        def interrupt(*args: object, **kwargs: object) -> object:
            raise KeyboardInterrupt

        client._client.send = interrupt
        try:
            return await chat(program, client)
        except KeyboardInterrupt:
            return "interrupted"

    only(compare(situation, flavour).records, **ERROR, error_type="cancelled")


def test_call_inside_a_call(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        if program.asynchronous or VERSION < (2, 0):
            return "skipped"
        inner = program.client("chat")
        outer = program.client("chat")
        prepare = outer._prepare_options

        def asks_first(options: Any) -> Any:
            inner.chat.completions.create(model="inner", messages=MESSAGES)
            return prepare(options)

        outer._prepare_options = asks_first
        return outer.chat.completions.create(model="outer", messages=MESSAGES)

    both = compare(situation, flavour)
    if both.saw != "skipped":
        only(both.records, operation="chat", outcome="completed", request_model="outer", attempts=1)
