"""Calls and streams across tasks, threads and contexts; cancellation."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
from typing import Any

import openai
import pytest

from edgequake_obs.patches.frame import current

from .conftest import Compare
from .runs import FLAVOURS, MESSAGES, Program, items, only, result

COMPLETED = {"operation": "chat", "outcome": "completed"}
CANCELLED = {"operation": "chat", "outcome": "error", "error_type": "cancelled"}


async def chat(client: Any, **more: Any) -> Any:
    return await result(client.chat.completions.create(model="m", messages=MESSAGES, **more))


async def asked(program: Program) -> None:
    while not program.server.take(program.run):
        await asyncio.sleep(0.005)


def test_module_level_client(compare: Compare) -> None:
    async def situation(program: Program) -> object:
        openai.api_key, openai.base_url = "none", program.url("chat") + "/"
        try:
            return openai.chat.completions.create(model="m", messages=MESSAGES)
        finally:
            openai._reset_client()  # type: ignore[attr-defined]
            openai.api_key = openai.base_url = None

    only(compare(situation, "sync").records, **COMPLETED, input_tokens=40)


def test_cancelled_task(compare: Compare) -> None:
    async def situation(program: Program) -> object:
        task = asyncio.ensure_future(chat(program.client("chat", options={"fault": "stall"})))
        await asked(program)
        task.cancel()
        done, _ = await asyncio.wait([task])
        return [task.cancelled() for task in done]

    only(compare(situation, "async").records, **CANCELLED)


def test_cancelled_in_a_stream(compare: Compare) -> None:
    async def situation(program: Program) -> object:
        async def read() -> None:
            async for _ in await chat(program.client("stream", options={"fault": "stall"}), stream=True):
                program.keep.append("one")

        task = asyncio.ensure_future(read())
        while not program.keep:
            await asyncio.sleep(0.005)
        task.cancel()
        done, _ = await asyncio.wait([task])
        return [task.cancelled() for task in done]

    # It left the stream, as with `break`; nothing went wrong.
    only(compare(situation, "async").records, operation="chat", outcome="closed_early", error_type=None, streaming=True)


def test_time_limit_of_the_program(compare: Compare) -> None:
    async def situation(program: Program) -> object:
        try:
            return await asyncio.wait_for(chat(program.client("chat", options={"fault": "stall"})), 0.1)
        except asyncio.TimeoutError:
            return "too late"

    only(compare(situation, "async").records, **CANCELLED)


def test_coroutine_closed_in_another_context(compare: Compare) -> None:
    async def situation(program: Program) -> object:
        call = chat(program.client("chat", options={"fault": "stall"}))
        # Driven by hand to where it waits for the first time.
        contextvars.copy_context().run(call.send, None)
        call.close()
        gc.collect()
        return "closed"

    only(compare(situation, "async").records, **CANCELLED)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_stream_consumed_in_another_thread(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        if program.asynchronous:
            pytest.importorskip("asyncio")
            return await asyncio.create_task(items(await chat(program.client("stream"), stream=True)))
        stream = program.client("stream").chat.completions.create(model="m", messages=MESSAGES, stream=True)
        chunks: list[Any] = []
        thread = threading.Thread(target=lambda: chunks.extend(stream))
        thread.start()
        thread.join()
        return chunks

    only(compare(situation, flavour).records, **COMPLETED, streaming=True, input_tokens=11, output_tokens=9)


def test_stream_closed_in_another_task(compare: Compare) -> None:
    async def situation(program: Program) -> object:
        stream = await chat(program.client("stream"), stream=True)
        first = await stream.__anext__()
        await asyncio.create_task(stream.close())
        return first

    only(compare(situation, "async").records, operation="chat", outcome="closed_early")


def test_task_that_outlives_the_call_it_was_started_in(compare: Compare) -> None:
    """It has a copy of the call's context; its own calls are its own all the same."""

    async def situation(program: Program) -> object:
        client = program.client("chat")
        returned = asyncio.Event()
        prepare = client._prepare_options

        async def later() -> Any:
            await returned.wait()
            return await chat(program.client("chat"))

        async def starts_a_task(options: Any) -> Any:
            program.keep.append(asyncio.ensure_future(later()))
            return await prepare(options)

        client._prepare_options = starts_a_task
        first = await chat(client)
        returned.set()
        task: Any = program.keep[0]
        return [first, await task]

    records = compare(situation, "async").records
    assert [r["outcome"] for r in records] == ["completed", "completed"]


def test_calls_leave_no_trace_in_the_context(compare: Compare) -> None:
    async def situation(program: Program) -> object:
        await items(await chat(program.client("stream"), stream=True))
        await chat(program.client("chat"))
        return current.get()

    both = compare(situation, "async")
    assert both.saw is None
    assert len(both.records) == 2


def test_time_limit_in_a_stream(compare: Compare) -> None:
    async def situation(program: Program) -> object:
        seen: list[Any] = []

        async def read() -> None:
            async for chunk in await chat(program.client("stream", options={"fault": "stall"}), stream=True):
                seen.append(chunk)

        try:
            await asyncio.wait_for(read(), 0.3)
        except asyncio.TimeoutError:
            return "too late", len(seen) > 0
        return "in time"

    both = compare(situation, "async")
    assert both.saw == ["too late", True]
    only(both.records, operation="chat", outcome="closed_early", error_type=None, streaming=True)


def test_sibling_of_a_task_that_fails(compare: Compare) -> None:
    """A task group cancels the others, in a call and in a stream."""
    anyio = pytest.importorskip("anyio")

    async def situation(program: Program) -> object:
        begun = asyncio.Event()

        async def reads() -> None:
            async for _ in await chat(program.client("stream", options={"fault": "stall"}), stream=True):
                begun.set()

        async def fails() -> None:
            await begun.wait()
            while len(program.server.take(program.run)) < 2:
                await asyncio.sleep(0.005)
            raise ValueError("the program's own")

        try:
            async with anyio.create_task_group() as group:
                group.start_soon(chat, program.client("chat", options={"fault": "stall"}))
                group.start_soon(reads)
                group.start_soon(fails)
        except BaseException as error:
            program.server.sent.sort(key=lambda sent: (sent.run, sent.path))  # they come in any order
            return len(getattr(error, "exceptions", (error,)))
        return None

    both = compare(situation, "async")
    assert both.saw == 1
    told = {(record["streaming"], record["outcome"], record.get("error_type")) for record in both.records}
    assert told == {(False, "error", "cancelled"), (True, "closed_early", None)}


def test_stream_consumed_by_a_threads_function(compare: Compare) -> None:
    async def situation(program: Program) -> object:
        client = openai.OpenAI(base_url=program.url("stream"), api_key="none")
        stream = await asyncio.to_thread(
            lambda: client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        )
        return await asyncio.to_thread(list, stream)

    only(compare(situation, "async").records, **COMPLETED, streaming=True, input_tokens=11, output_tokens=9)


def test_stream_handed_on_by_a_generator_of_the_programs(compare: Compare) -> None:
    """As a web framework does: begun in one task, read in another, closed in a third."""

    async def situation(program: Program) -> object:
        async def words() -> Any:
            async for chunk in await chat(program.client("stream"), stream=True):
                yield chunk.choices[0].delta.content

        generator = words()
        first = await asyncio.create_task(generator.__anext__())
        await asyncio.create_task(generator.aclose())
        gc.collect()
        return first

    only(compare(situation, "async").records, operation="chat", outcome="closed_early", streaming=True)


def test_awaited_by_two(compare: Compare) -> None:
    """A shielded call outlives the one who waits for it."""

    async def situation(program: Program) -> object:
        call = asyncio.ensure_future(chat(program.client("chat", options={"pause-ms": 1})))
        waiting = asyncio.ensure_future(asyncio.shield(call))
        await asyncio.sleep(0)
        waiting.cancel()
        return (await call).id, waiting.cancelled()

    only(compare(situation, "async").records, **COMPLETED, input_tokens=40)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_stream_read_with_another_context(compare: Compare, flavour: str) -> None:
    """Its labels are those of where it was asked for."""
    import edgequake_obs

    async def situation(program: Program) -> object:
        with edgequake_obs.context(session="asked"):
            stream = await chat(program.client("stream"), stream=True)
        with edgequake_obs.context(session="read"):
            return len(await items(stream))

    only(compare(situation, flavour).records, **COMPLETED, streaming=True, session_id="asked")
