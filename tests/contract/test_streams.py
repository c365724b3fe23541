"""Every end of a stream, and every way to read one."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from .conftest import Compare
from .runs import FLAVOURS, MESSAGES, Program, each, items, only, result

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)

READ = {"operation": "chat", "outcome": "completed", "streaming": True, "http_status": 200, "attempts": 1}
TOKENS = {"input_tokens": 11, "output_tokens": 9}
LEFT = {"operation": "chat", "outcome": "closed_early", "streaming": True}
FAILED = {"operation": "chat", "outcome": "error", "streaming": True}


async def stream_of(program: Program, exchange: str = "stream", options: Any = (), **more: Any) -> Any:
    create = program.client(exchange, options=options).chat.completions.create
    return await result(create(model="m", messages=MESSAGES, stream=True, **more))


async def close(stream: Any) -> None:
    await result(stream.close())


@pytest.mark.parametrize("pieces", ["events", "one", "7", "1000"])
def test_read_to_its_end(compare: Compare, flavour: str, pieces: str) -> None:
    async def situation(program: Program) -> object:
        stream = await stream_of(program, options={} if pieces == "events" else {"pieces": pieces})
        return [type(stream), await items(stream)]

    both = compare(situation, flavour)
    assert len(both.saw[1]) == 11, "the usage that we asked for is hidden"
    only(both.records, **READ, **TOKENS, finish_reasons=["stop"], response_model="gpt-4o-2024-08-06")
    assert 0 < both.record["time_to_first_chunk_ns"] <= both.record["duration_ns"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("pieces", ["events", "one"])
def test_compressed(compare: Compare, flavour: str, encoding: str, pieces: str) -> None:
    async def situation(program: Program) -> object:
        more = {} if pieces == "events" else {"pieces": pieces}
        return await items(await stream_of(program, options={"encoding": encoding} | more))

    only(compare(situation, flavour).records, **READ, **TOKENS)


def test_compressed_and_raw(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("stream", options={"encoding": "gzip"}).chat.completions.with_streaming_response.create
        if program.asynchronous:
            async with create(model="m", messages=MESSAGES, stream=True) as response:
                return b"".join([piece async for piece in response.iter_bytes()]).count(b"data:")
        with create(model="m", messages=MESSAGES, stream=True) as response:
            return b"".join(response.iter_bytes()).count(b"data:")

    only(compare(situation, flavour).records, **READ, **TOKENS)


def test_raw_response(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("stream").chat.completions.with_raw_response.create
        raw = await result(create(model="m", messages=MESSAGES, stream=True))
        return [type(raw), await items(await result(raw.parse())), raw.http_response.is_closed]

    only(compare(situation, flavour).records, **READ, **TOKENS)


@pytest.mark.parametrize("how", ["lines", "bytes", "text", "parse", "read"])
def test_streaming_response(compare: Compare, flavour: str, how: str) -> None:
    async def read(response: Any) -> Any:
        if how == "parse":
            return await items(await result(response.parse()))
        if how == "read":
            return await result(response.read())
        pieces: list[Any] = await items(getattr(response, f"iter_{how}")())
        if how == "lines":
            return [line for line in pieces if '"usage":null' not in line]
        return type(pieces[0])

    async def situation(program: Program) -> object:
        create = program.client("stream-no-usage").chat.completions.with_streaming_response.create
        if program.asynchronous:
            async with create(model="m", messages=MESSAGES, stream=True) as response:
                return await read(response)
        with create(model="m", messages=MESSAGES, stream=True) as response:
            return await read(response)

    only(compare(situation, flavour).records, **READ, input_tokens=None)


def test_broken_out_of(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        seen: list[Any] = []
        async for chunk in each(await stream_of(program)):
            seen.append(chunk)
            if len(seen) == 2:
                break
        gc.collect()
        return seen

    both = compare(situation, flavour)
    only(both.records, **LEFT, input_tokens=None)
    assert both.record["estimated_output_tokens"] >= 1


@pytest.mark.parametrize("pieces", ["events", "one"])
def test_closed(compare: Compare, flavour: str, pieces: str) -> None:
    async def situation(program: Program) -> object:
        stream = await stream_of(program, options={} if pieces == "events" else {"pieces": pieces})
        iterator = each(stream)
        first = await iterator.__anext__()
        await close(stream)
        program.keep.append(iterator)
        return first

    # Where everything arrived in one piece the usage is known, and still the program left early.
    only(compare(situation, flavour).records, **LEFT, input_tokens=11 if pieces == "one" else None)


def test_closed_before_the_first_chunk(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        await close(await stream_of(program))

    only(compare(situation, flavour).records, **LEFT)


def test_left_with_the_with_block(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        stream = await stream_of(program)
        if program.asynchronous:
            async with stream:
                return await stream.__anext__()
        with stream:
            return next(stream)

    only(compare(situation, flavour).records, **LEFT)


def test_read_to_its_end_in_the_with_block(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        stream = await stream_of(program)
        if program.asynchronous:
            async with stream:
                return [chunk async for chunk in stream]
        with stream:
            return list(stream)

    only(compare(situation, flavour).records, **READ, **TOKENS)


def test_never_read(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return type(await stream_of(program))

    only(compare(situation, flavour).records, operation="chat", outcome="abandoned", streaming=True)


def test_dropped_half_way(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        stream = await stream_of(program)
        first = await stream.__anext__() if program.asynchronous else next(stream)
        del stream
        gc.collect()
        return first

    both = compare(situation, flavour)
    assert both.record["outcome"] in ("closed_early", "abandoned")


def test_error_in_the_program(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        async for _ in each(await stream_of(program)):
            raise ValueError("the program's own")

    both = compare(situation, flavour, raises="ValueError")
    assert both.record["outcome"] in ("closed_early", "abandoned")


def test_cut_off_by_the_server(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        seen: list[Any] = []
        try:
            async for chunk in each(await stream_of(program, options={"fault": "drop"})):
                seen.append(chunk)
        except Exception as error:
            return [seen, error]
        return seen

    both = compare(situation, flavour)
    assert both.saw[1]["raised"]
    only(both.records, **FAILED, input_tokens=None, error_type="connection_error")


def test_stalled(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("stream", options={"fault": "stall"}, timeout=0.5).chat.completions.create
        seen: list[Any] = []
        try:
            async for chunk in each(await result(create(model="m", messages=MESSAGES, stream=True))):
                seen.append(chunk)
        except Exception as error:
            return [seen, error]
        return seen

    both = compare(situation, flavour)
    assert "Timeout" in both.saw[1]["raised"]
    only(both.records, **FAILED, error_type="timeout")


def test_ended_half_way(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await items(await stream_of(program, options={"fault": "truncated"}))

    only(compare(situation, flavour).records, operation="chat", streaming=True, input_tokens=None)


def test_no_json_in_it(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await items(await stream_of(program, options={"fault": "html"}))

    both = compare(situation, flavour, raises="JSONDecodeError")
    assert len(both.records) == 1


def test_error_event(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await items(await stream_of(program, "stream-error"))

    only(compare(situation, flavour, raises="APIError").records, **FAILED)


def test_answered_as_a_whole_though_a_stream_was_asked(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await items(await stream_of(program, "chat"))

    assert len(compare(situation, flavour).records) == 1


def test_whole_body_set_by_a_mock(compare: Compare, flavour: str) -> None:
    """A mocked transport gives a response whose content is there already: nothing will be read from a stream."""
    import openai._base_client as base

    library: Any = getattr(base, "httpx2", None) or base.httpx

    async def situation(program: Program) -> object:
        body = program.server.exchanges["stream"]["response_body"].encode()

        def answer(request: Any) -> Any:
            return library.Response(200, headers={"content-type": "text/event-stream"}, content=body, request=request)

        client = library.AsyncClient if program.asynchronous else library.Client
        mocked = client(transport=library.MockTransport(answer))
        create = program.client("stream", http_client=mocked).chat.completions.create
        more = {"stream_options": {"include_usage": True}}
        return await items(await result(create(model="m", messages=MESSAGES, stream=True, **more)))

    only(compare(situation, flavour).records, **READ, **TOKENS)
