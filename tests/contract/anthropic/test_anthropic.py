"""Calls through the anthropic SDK: one record each, and nothing else changes for the program."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest

from contract.conftest import Compare
from contract.runs import FLAVOURS, MESSAGES, Program, each, items, only, result

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)

DONE = {"outcome": "completed", "origin": "anthropic", "provider": "anthropic", "operation": "chat", "http_status": 200}
TOKENS = {"input_tokens": 557, "output_tokens": 55}
STREAM_TOKENS = {"input_tokens": 18, "output_tokens": 4}


def client(program: Program, exchange: str, options: Any = ()) -> Any:
    made = anthropic.AsyncAnthropic if program.asynchronous else anthropic.Anthropic
    url = program.url(exchange, **dict(options)).removesuffix("/v1")
    return made(base_url=url, api_key="sk-ant-none", max_retries=2)


async def message(program: Program, exchange: str, options: Any = (), **more: Any) -> Any:
    create = client(program, exchange, options).messages.create
    return await result(create(model="claude-sonnet-4-5", max_tokens=64, messages=MESSAGES, **more))


def test_message(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await message(program, "message")

    both = compare(situation, flavour)
    only(both.records, **DONE, **TOKENS, attempts=1, request_model="claude-sonnet-4-5", streaming=False)
    assert both.record["cost_status"] == "priced"
    assert both.record["origin_version"] == anthropic.__version__


def test_stream(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await items(await message(program, "message-stream", stream=True))

    both = compare(situation, flavour)
    only(both.records, **DONE, **STREAM_TOKENS, streaming=True, finish_reasons=["end_turn"])


def test_stream_helper(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        stream = client(program, "message-stream").messages.stream
        arguments: Any = {"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": MESSAGES}
        if program.asynchronous:
            async with stream(**arguments) as events:
                return await events.get_final_message()
        with stream(**arguments) as events:
            return events.get_final_message()

    only(compare(situation, flavour).records, **DONE, **STREAM_TOKENS, streaming=True)


def test_stream_left(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        stream = await message(program, "message-stream", stream=True)
        async for _ in each(stream):
            break
        await result(stream.close())
        return None

    only(compare(situation, flavour).records, outcome="closed_early", origin="anthropic", streaming=True)


def test_raw_response(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = client(program, "message").messages.with_raw_response.create
        raw = await result(create(model="claude-sonnet-4-5", max_tokens=64, messages=MESSAGES))
        return await result(raw.parse())

    only(compare(situation, flavour).records, **DONE, **TOKENS)


def test_retries(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await message(program, "message", {"fail": "429:1"})

    both = compare(situation, flavour)
    only(both.records, **DONE, **TOKENS, attempts=2)


def test_refused(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await message(program, "not-found")

    both = compare(situation, flavour, raises="NotFoundError")
    only(both.records, outcome="error", error_type="model_not_found", http_status=404, provider="anthropic")


def test_results_of_a_batch(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        recorded = json.loads(program.server.exchanges["message"]["response_body"])
        message = recorded | {"id": f"msg_{program.run}"}
        refused = {"type": "error", "error": {"type": "invalid_request_error", "message": "no such model"}}
        results = [
            {"custom_id": "a", "result": {"type": "succeeded", "message": message}},
            {"custom_id": f"b{program.run}", "result": {"type": "errored", "error": refused}},
            {"custom_id": f"c{program.run}", "result": {"type": "expired"}},
        ]
        exchange = {"status": 200, "response_headers": {"content-type": "application/x-jsonl"}}
        body = "".join(json.dumps(line) + "\n" for line in results)
        program.server.exchanges[f"results@{program.run}"] = exchange | {"response_body": body}
        at = json.dumps({"id": "b", "results_url": program.url("results") + "/messages/batches/b/results"})
        program.server.exchanges[f"batch@{program.run}"] = exchange | {"response_body": at}
        made = client(program, "batch")
        program.keep.append(made)  # its end would be its connections'
        for _ in range(2):
            lines = await items(await result(made.messages.batches.results("b")))
        return [line.result.type for line in lines]

    both = compare(situation, flavour)
    assert both.saw == ["succeeded", "errored", "expired"]
    told = [
        (record["outcome"], record.get("error_type"), record["metadata"]["custom_id"][:1]) for record in both.records
    ]
    assert told == [("completed", None, "a"), ("error", "invalid_request_error", "b"), ("error", "expired", "c")]
    first = both.records[0]
    assert {name: first[name] for name in TOKENS} == TOKENS
    assert (first["origin"], first["provider"], first["cost_status"]) == ("anthropic", "anthropic", "priced")


def test_tool_runner(compare: Compare, flavour: str) -> None:
    """The SDK's own loop: a record for each request that it makes."""

    async def situation(program: Program) -> object:
        first = program.server.exchanges["message"]["response_body"]
        said = {"stop_reason": "end_turn", "content": [{"type": "text", "text": "Bern."}], "id": "msg_last"}
        made = client(program, program.serve("turns", first, json.dumps(json.loads(first) | said)))
        asked: list[str] = []

        def search_database(query: str) -> str:
            """Searches.

            Args:
                query: What for.
            """
            asked.append(query)
            return "Bern"

        async def asearch_database(query: str) -> str:
            """Searches."""
            return search_database(query)

        arguments: Any = {"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": MESSAGES}
        if program.asynchronous:
            tool = anthropic.beta_async_tool(asearch_database, name="search_database")
            return (await made.beta.messages.tool_runner(**arguments, tools=[tool]).until_done()).id, asked
        tool = anthropic.beta_tool(search_database)
        return made.beta.messages.tool_runner(**arguments, tools=[tool]).until_done().id, asked

    both = compare(situation, flavour)
    assert both.saw == ["msg_last", ["cities in Europe"]]
    told = [(record["outcome"], record["input_tokens"], record["response_id"]) for record in both.records]
    assert told == [("completed", 557, "msg_0182oJGpkVSy5KywtSW29xb4"), ("completed", 557, "msg_last")]


@pytest.mark.parametrize("leaves", ["half way", "unread"])
def test_stream_helper_left(compare: Compare, flavour: str, leaves: str) -> None:
    async def situation(program: Program) -> object:
        stream = client(program, "message-stream").messages.stream
        arguments: Any = {"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": MESSAGES}
        if program.asynchronous:
            async with stream(**arguments) as events:
                return None if leaves == "unread" else (await events.__anext__()).type
        with stream(**arguments) as events:
            return None if leaves == "unread" else next(events).type

    only(compare(situation, flavour).records, outcome="closed_early", origin="anthropic", streaming=True)


def test_error_in_a_stream(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        whole = program.server.exchanges["message-stream"]["response_body"]
        failed = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        body = whole[: whole.index("event: message_delta")] + f"event: error\ndata: {json.dumps(failed)}\n\n"
        exchange = program.serve("failing", body, content_type="text/event-stream")
        return await items(await message(program, exchange, stream=True))

    both = compare(situation, flavour, raises="APIStatusError")
    only(both.records, outcome="error", error_type="overloaded_error", streaming=True, provider="anthropic")


def test_tokens_are_counted_for_free(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        made = client(program, program.serve("counted", '{"input_tokens": 12}'))
        return await result(made.messages.count_tokens(model="claude-sonnet-4-5", messages=MESSAGES))

    assert compare(situation, flavour).records == []
