"""Usage of a stream: asked for where the program did not say, hidden from it, its own wishes kept."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from .conftest import Compare
from .runs import FLAVOURS, MESSAGES, Program, items, only, result

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)

READ = {"operation": "chat", "outcome": "completed", "streaming": True}
TOKENS = {"input_tokens": 11, "output_tokens": 9}


async def chunks(program: Program, **more: Any) -> list[Any]:
    create = program.client("stream").chat.completions.create
    return await items(await result(create(model="m", messages=MESSAGES, stream=True, **more)))


def test_asked_for_and_hidden(compare: Compare, flavour: str) -> None:
    both = compare(chunks, flavour)
    assert "stream_options" not in both.plain[0].body
    assert both.patched[0].body["stream_options"] == {"include_usage": True}
    assert all(chunk["fields"]["choices"] for chunk in both.saw)
    only(both.records, **READ, **TOKENS)


def test_asked_for_by_the_program(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await chunks(program, stream_options={"include_usage": True})

    both = compare(situation, flavour)
    assert both.saw[-1]["fields"]["usage"]["total_tokens"] == 20
    only(both.records, **READ, **TOKENS)


def test_declined_by_the_program(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await chunks(program, stream_options={"include_usage": False})

    both = compare(situation, flavour)
    assert both.patched[0].body["stream_options"] == {"include_usage": False}
    only(both.records, **READ, input_tokens=None)
    assert both.record["estimated_output_tokens"] > 0


def test_other_stream_options_are_kept(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await chunks(program, stream_options={"include_obfuscation": False})

    both = compare(situation, flavour)
    assert both.patched[0].body["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    only(both.records, **READ, **TOKENS)


@pytest.mark.parametrize("own", [{"include_usage": True}, {"include_obfuscation": False}])
def test_options_in_the_extra_body(compare: Compare, flavour: str, own: dict[str, bool]) -> None:
    extra = {"stream_options": own, "seed": 7}
    before = copy.deepcopy(extra)

    async def situation(program: Program) -> object:
        return await chunks(program, extra_body=extra)

    both = compare(situation, flavour)
    assert both.patched[0].body["stream_options"] == {**own, "include_usage": True}
    assert both.patched[0].body["seed"] == 7
    assert extra == before
    only(both.records, **READ, **TOKENS)


def test_the_programs_objects_are_not_changed(compare: Compare, flavour: str) -> None:
    import openai

    options = {"include_obfuscation": False}
    body = {"model": "m", "messages": MESSAGES, "stream": True, "stream_options": options}
    before = copy.deepcopy(body)

    async def situation(program: Program) -> object:
        kind: Any = openai.AsyncStream if program.asynchronous else openai.Stream
        post = program.client("stream").post
        stream = post("/chat/completions", cast_to=object, body=body, stream=True, stream_cls=kind[object])
        return await items(await result(stream))

    both = compare(situation, flavour)
    assert body == before
    assert body["stream_options"] is options
    only(both.records, **READ, **TOKENS)


def test_stream_that_the_sdk_reads_whole(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        body = {"model": "m", "messages": MESSAGES, "stream": True}
        text = await result(program.client("stream").post("/chat/completions", cast_to=str, body=body))
        return text.replace(',"usage":null', "")

    only(compare(situation, flavour).records, **READ, **TOKENS)


def test_not_asked_for_where_that_is_switched_off(
    compare: Compare, flavour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgequake_obs import _native

    monkeypatch.setattr(_native, "stream_usage_injected", lambda: False)
    both = compare(chunks, flavour)
    assert "stream_options" not in both.patched[0].body
    only(both.records, **READ, input_tokens=None)
    assert both.record["estimated_output_tokens"] > 0
