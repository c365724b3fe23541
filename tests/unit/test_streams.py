"""Streams as their reader has them: chunks when they arrive, and every way to leave."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import edgequake_obs
from edgequake_obs import CustomStreamWrapper, ModelResponseStream

from .conftest import MESSAGES, Ask
from .records import Ledger
from .server import DONE, PATIENCE, USAGE_EVENT, Answer, Server, chat, event

WORDS = ["a", "b", "c", "d"]
WHOLE = [*map(event, WORDS), event(finish="stop"), USAGE_EVENT, DONE]


def text(chunk: Any) -> str | None:
    return chunk.choices[0].delta.content


def reading(server: Server, read: Callable[[Any], Awaitable[Any]]) -> Any:
    """What `read` makes of an asynchronous stream."""

    async def ask() -> Any:
        arguments: dict[str, Any] = {"api_base": server.base, "api_key": "k", "timeout": 30}
        stream = await edgequake_obs.acompletion("gpt-4o-mini", MESSAGES, stream=True, **arguments)
        return await read(stream)

    return asyncio.run(ask())


def endless(server: Server) -> threading.Event:
    """An answer that goes on for as long as its reader does; returns what lets it go on after two chunks."""
    more = threading.Event()
    server.will(Answer(body=itertools.chain([event("a"), event("b"), more], itertools.repeat(event("x" * 1000)))))
    return more


def test_read_to_the_end(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(Answer(body=WHOLE))
    stream = ask(stream=True)
    assert isinstance(stream, CustomStreamWrapper)
    chunks = list(stream)
    assert all(isinstance(chunk, ModelResponseStream) for chunk in chunks)
    assert [text(chunk) for chunk in chunks] == [*WORDS, None]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[0]["choices"][0]["delta"]["content"] == "a"
    assert chunks[0].model_dump()["choices"][0]["delta"]["content"] == "a"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 4 + ["stop"]
    assert list(stream) == []
    row = ledger.call()
    assert (row["outcome"], row["streaming"], row["input_tokens"], row["output_tokens"]) == ("completed", True, 14, 8)
    assert row["finish_reasons"] == ["stop"]
    assert 0 < row["time_to_first_chunk_ns"] <= row["duration_ns"]
    assert stream._hidden_params["response_cost"] == float(row["cost_usd"])
    assert (stream.model, stream.custom_llm_provider) == ("gpt-4o-mini", "openai")


def test_read_to_the_end_async(server: Server, ledger: Ledger) -> None:
    async def read(stream: Any) -> Any:
        return [text(chunk) async for chunk in stream]

    server.will(Answer(body=WHOLE))
    assert reading(server, read) == [*WORDS, None]
    assert ledger.call()["outcome"] == "completed"


def _events() -> list[bytes]:
    return [event(word, finish="stop" if word == WORDS[-1] else None) for word in WORDS]


def test_a_chunk_is_there_when_it_arrives(server: Server, ask: Ask) -> None:
    steps = [threading.Event() for _ in WORDS]
    server.will(Answer(body=[piece for pair in zip(_events(), steps, strict=True) for piece in pair] + [DONE]))
    stream = ask(stream=True)
    for word, step in zip(WORDS, steps, strict=True):
        # The server sends nothing more until it is told: waiting for more than this chunk would end in a timeout.
        assert text(next(stream)) == word
        step.set()
    assert list(stream) == []


def test_a_chunk_is_there_when_it_arrives_async(server: Server) -> None:
    steps = [threading.Event() for _ in WORDS]
    server.will(Answer(body=[piece for pair in zip(_events(), steps, strict=True) for piece in pair] + [DONE]))

    async def read(stream: Any) -> None:
        waiting = iter(zip(WORDS, steps, strict=True))
        async for chunk in stream:
            word, step = next(waiting)
            assert text(chunk) == word
            step.set()
        assert next(waiting, None) is None

    reading(server, read)


def test_an_async_reader_leaves_the_loop_free(server: Server) -> None:
    step = threading.Event()
    server.will(Answer(body=[event("a"), step, event("b"), DONE]))

    async def read(stream: Any) -> Any:
        first = await stream.__anext__()
        rest = asyncio.create_task(stream.__anext__())
        await asyncio.sleep(0)  # the task waits for its chunk now
        step.set()
        return [text(first), text(await rest)]

    assert reading(server, read) == ["a", "b"]


def test_a_piece_of_an_event(server: Server, ask: Ask) -> None:
    whole = event("é漢") + event("b", finish="stop") + DONE
    server.will(Answer(body=[whole[at : at + 1] for at in range(len(whole))]))
    assert [text(chunk) for chunk in ask(stream=True)] == ["é漢", "b"]


def test_many_events_in_one_piece(server: Server, ask: Ask) -> None:
    server.will(Answer(body=[b"".join(event(str(n)) for n in range(499)) + event("499", finish="stop") + DONE]))
    assert [text(chunk) for chunk in ask(stream=True)] == [str(n) for n in range(500)]


def test_broken_out_of(server: Server, ask: Ask, ledger: Ledger) -> None:
    more = endless(server)
    for chunk in ask(stream=True):
        assert text(chunk) == "a"
        break
    del chunk
    gc.collect()
    more.set()
    assert server.left.wait(PATIENCE), "the connection is closed"
    row = ledger.call()
    assert row["outcome"] in ("closed_early", "abandoned")


@pytest.mark.parametrize("how", ["close", "with"])
def test_left(server: Server, ask: Ask, ledger: Ledger, how: str) -> None:
    more = endless(server)
    stream = ask(stream=True)
    if how == "close":
        assert text(next(stream)) == "a"
        stream.close()
        stream.close()
    else:
        with stream as same:
            assert same is stream
            assert text(next(stream)) == "a"
    more.set()
    assert server.left.wait(PATIENCE)
    assert list(stream) == []
    row = ledger.call()
    assert (row["outcome"], row["cost_status"]) == ("closed_early", "estimated")
    assert row["chunks"] >= 1


@pytest.mark.parametrize("how", ["close", "aclose", "async with", "cancel"])
def test_left_async(server: Server, ledger: Ledger, how: str) -> None:
    more = endless(server)

    async def read(stream: Any) -> None:
        if how == "async with":
            async with stream as same:
                assert same is stream
                assert text(await stream.__anext__()) == "a"
        elif how == "cancel":
            for word in "ab":
                assert text(await stream.__anext__()) == word
            task = asyncio.create_task(stream.__anext__())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            assert text(await stream.__anext__()) == "a"
            if how == "aclose":
                await stream.aclose()
            else:
                stream.close()
        assert [chunk async for chunk in stream] == []

    reading(server, read)
    more.set()
    assert server.left.wait(PATIENCE)
    assert ledger.call()["outcome"] == "closed_early"


@pytest.mark.parametrize("way", ["sync", "async"])
def test_nothing_comes_after_close(server: Server, ask: Ask, way: str) -> None:
    """Not even of what had arrived together with the last chunk that was read."""
    server.will(Answer(body=[b"".join(map(event, "abcdefghij")), DONE]))

    async def read(stream: Any) -> Any:
        seen = [text(await stream.__anext__())]
        await asyncio.sleep(0.1)  # the rest will nearly always be there by now, which is what there is to see
        seen.append(text(await stream.__anext__()))
        stream.close()
        return seen + [text(chunk) async for chunk in stream]

    if way == "async":
        assert reading(server, read) == ["a", "b"]
    else:
        stream = ask(stream=True)
        assert [text(next(stream)), text(next(stream))] == ["a", "b"]
        stream.close()
        assert list(stream) == []


def test_an_error_in_the_with_block(server: Server, ask: Ask, ledger: Ledger) -> None:
    endless(server).set()
    with pytest.raises(ZeroDivisionError), ask(stream=True) as stream:
        _ = text(next(stream)) and 1 / 0
    assert server.left.wait(PATIENCE)
    assert ledger.call()["outcome"] == "closed_early"


def test_never_read(server: Server, ask: Ask, ledger: Ledger) -> None:
    more = endless(server)
    stream = ask(stream=True)
    del stream
    gc.collect()
    more.set()
    assert server.left.wait(PATIENCE)
    assert ledger.call()["outcome"] == "abandoned"


def test_a_second_loop_goes_on(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(Answer(body=WHOLE))
    stream = ask(stream=True)
    for chunk in stream:
        assert text(chunk) == "a"
        break
    assert [text(chunk) for chunk in stream] == ["b", "c", "d", None]
    assert ledger.call()["outcome"] == "completed"


def test_a_second_async_loop_goes_on(server: Server, ledger: Ledger) -> None:
    async def read(stream: Any) -> Any:
        async for chunk in stream:
            assert text(chunk) == "a"
            break
        async for chunk in stream:
            assert text(chunk) == "b"
            break
        return [text(chunk) async for chunk in stream]

    server.will(Answer(body=WHOLE))
    assert reading(server, read) == ["c", "d", None]
    assert ledger.call()["outcome"] == "completed"


def test_tool_calls_in_pieces(server: Server, ask: Ask) -> None:
    def part(**call: Any) -> bytes:
        return event(choices=[{"index": 0, "delta": {"tool_calls": [{"index": 0, **call}]}, "finish_reason": None}])

    first = part(id="t1", type="function", function={"name": "f", "arguments": ""})
    server.will(Answer(body=[first, part(function={"arguments": '{"a"'}), part(function={"arguments": ":1}"}), DONE]))
    *chunks, end = ask(stream=True)
    assert end.choices[0].finish_reason == "tool_calls", "the provider gave no reason"
    calls = [chunk.choices[0].delta.tool_calls[0] for chunk in chunks]
    assert isinstance(calls[0], edgequake_obs.ChatCompletionDeltaToolCall)
    assert (calls[0].id, calls[0].function.name, calls[0].type, calls[1].id) == ("t1", "f", "function", None)
    assert "".join(call.function.arguments for call in calls) == '{"a":1}'


def test_a_whole_answer_to_a_stream(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(Answer(body=chat("all at once")))
    assert [text(chunk) for chunk in ask(stream=True)] == ["all at once"]
    assert (ledger.call()["outcome"], ledger.call()["input_tokens"]) == ("completed", 14)


def test_comments_and_line_endings(server: Server, ask: Ask) -> None:
    crlf = event("b").replace(b"\n\n", b"\r\n\r\n")
    server.will(
        Answer(body=[b": OPENROUTER PROCESSING\n\n", event("a"), crlf, b"event: x\n" + event("c", finish="stop"), DONE])
    )
    assert [text(chunk) for chunk in ask(stream=True)] == ["a", "b", "c"]


def test_a_reader_that_does_not_read(server: Server, ask: Ask) -> None:
    piece, most, all_of_it = event("x" * 64_000), 64 << 20, 512 << 20
    # A server that cannot send for so long gives up; were everything read, it would come to its end instead.
    server.will(Answer(body=itertools.repeat(piece, all_of_it // len(piece)), stuck=1.0))
    with ask(stream=True) as stream:
        assert server.stuck.wait(PATIENCE), f"{server.sent} bytes were read though nobody asked for them"
        assert server.sent < most
        assert text(next(stream)) == "x" * 64_000, "what had arrived is there"
