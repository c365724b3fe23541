"""Calls that succeed, in every way that the SDK offers to make one."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from .conftest import Compare
from .runs import FLAVOURS, MESSAGES, VERSION, Program, items, only, result

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)

CHAT = {"operation": "chat", "outcome": "completed", "origin": "openai", "http_status": 200, "attempts": 1}
TOKENS = {"input_tokens": 40, "output_tokens": 12}
STREAM_TOKENS = {"input_tokens": 11, "output_tokens": 9}


def test_chat(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("chat")
        return await result(client.chat.completions.create(model="gpt-3.5-turbo", messages=MESSAGES, temperature=0))

    both = compare(situation, flavour)
    only(
        both.records,
        **CHAT,
        **TOKENS,
        streaming=False,
        provider="openai",
        request_model="gpt-3.5-turbo",
        server_address="127.0.0.1",
        origin_version=openai.__version__,
        finish_reasons=["stop"],
    )
    assert both.record["duration_ns"] > 0


def test_chat_with_raw_response(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("chat")
        raw = await result(client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES))
        return type(raw), raw.http_response.content, raw.headers["content-type"], await result(raw.parse())

    only(compare(situation, flavour).records, **CHAT, **TOKENS)


def test_chat_with_streaming_response(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("chat").chat.completions.with_streaming_response.create
        if program.asynchronous:
            async with create(model="m", messages=MESSAGES) as response:
                return type(response), await response.parse()
        with create(model="m", messages=MESSAGES) as response:
            return type(response), response.parse()

    only(compare(situation, flavour).records, **CHAT, **TOKENS, streaming=False)


def test_streaming_response_closed_before_its_end(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("chat").chat.completions.with_streaming_response.create
        if program.asynchronous:
            async with create(model="m", messages=MESSAGES) as response:
                return response.status_code
        with create(model="m", messages=MESSAGES) as response:
            return response.status_code

    only(compare(situation, flavour).records, operation="chat", outcome="closed_early")


def test_embeddings(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        # 1.40 needs numpy for the encoding it asks for by itself
        more: Any = {"encoding_format": "base64"} if VERSION < (2, 0) else {}
        return await result(program.client("embeddings").embeddings.create(model="e", input="hello", **more))

    both = compare(situation, flavour)
    only(both.records, operation="embeddings", outcome="completed", streaming=False, input_tokens=8, request_model="e")


@pytest.mark.parametrize("path", ["/chat/completions", "chat/completions", "/chat/completions?api-version=1"])
def test_posted_by_hand(compare: Compare, flavour: str, path: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("chat")
        answer = client.post(path, cast_to=object, body={"model": "by-hand", "messages": MESSAGES})
        return await result(answer)

    only(compare(situation, flavour).records, **CHAT, **TOKENS, request_model="by-hand")


def test_posted_to_a_whole_url(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        url = program.url("chat") + "/chat/completions"
        client = program.client("chat", base_url="http://127.0.0.1:9/nobody")
        return await result(client.post(url, cast_to=object, body={"model": "m", "messages": MESSAGES}))

    only(compare(situation, flavour).records, **CHAT, **TOKENS, server_address="127.0.0.1")


def test_azure(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        made = openai.AsyncAzureOpenAI if program.asynchronous else openai.AzureOpenAI
        client = made(azure_endpoint=program.url("chat"), api_version="2024-10-21", api_key="none")
        return await result(client.chat.completions.create(model="my-deployment", messages=MESSAGES))

    both = compare(situation, flavour)
    assert "/deployments/my-deployment/" in both.patched[0].path
    only(both.records, **CHAT, **TOKENS, provider="azure", request_model="my-deployment")


def test_copy_of_a_client(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("chat").with_options(max_retries=0, timeout=3)
        return await result(client.chat.completions.create(model="m", messages=MESSAGES))

    only(compare(situation, flavour).records, **CHAT, **TOKENS)


def test_parse(compare: Compare, flavour: str) -> None:
    import pydantic

    class Lucky(pydantic.BaseModel):
        output: int

    async def situation(program: Program) -> object:
        client = program.client("structured")
        chat = client.chat.completions if VERSION >= (2, 0) else client.beta.chat.completions
        answer = await result(chat.parse(model="gpt-4o", messages=MESSAGES, response_format=Lucky))
        return answer, answer.choices[0].message.parsed.output

    only(compare(situation, flavour).records, **CHAT, input_tokens=62, output_tokens=5)


def test_stream_helper(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("stream")
        chat = client.chat.completions if VERSION >= (2, 0) else client.beta.chat.completions
        if program.asynchronous:
            async with chat.stream(model="m", messages=MESSAGES) as stream:
                return [event.type async for event in stream], (await stream.get_final_completion())
        with chat.stream(model="m", messages=MESSAGES) as stream:
            return [event.type for event in stream], stream.get_final_completion()

    only(compare(situation, flavour).records, **CHAT, **STREAM_TOKENS, streaming=True)


def test_bound_method_taken_before_patching(compare: Compare, flavour: str) -> None:
    taken: dict[str, Any] = {}

    async def situation(program: Program) -> object:
        # The first run, unpatched, takes it; the second calls what it took then.
        client = program.client("chat")
        posts = taken.setdefault("post", type(client).request)
        from openai._models import FinalRequestOptions

        options = FinalRequestOptions.construct(method="post", url="/chat/completions", json_data={"model": "m"})
        return await result(posts(client, object, options))

    only(compare(situation, flavour).records, **CHAT, **TOKENS)


def test_many_calls_at_once(compare: Compare, flavour: str) -> None:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    async def situation(program: Program) -> object:
        client = program.client("chat")

        def one(n: int) -> Any:
            return client.chat.completions.create(model=f"m{n}", messages=MESSAGES)

        if program.asynchronous:
            answers = await asyncio.gather(*(one(n) for n in range(20)))
        else:
            with ThreadPoolExecutor(4) as pool:
                answers = list(pool.map(one, range(20)))
        return [answer.id for answer in answers]

    # The two runs' requests come in any order: what matters is who made a record.
    async def ordered(program: Program) -> object:
        saw = await situation(program)
        program.server.sent.sort(key=lambda sent: (sent.run, str(sent.body)))
        return saw

    records = compare(ordered, flavour).records
    assert sorted(r["request_model"] for r in records) == sorted(f"m{n}" for n in range(20))
    assert {r["outcome"] for r in records} == {"completed"}
    assert len({r["call_uid"] for r in records}) == 20


def test_stream_of_tool_calls(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("stream-tools")
        return await items(await result(client.chat.completions.create(model="m", messages=MESSAGES, stream=True)))

    only(
        compare(situation, flavour).records,
        **CHAT,
        streaming=True,
        input_tokens=138,
        output_tokens=13,
        finish_reasons=["tool_calls"],
    )
