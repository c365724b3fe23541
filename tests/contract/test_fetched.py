"""What is fetched long after it was asked for: each result of a batch, and a response made in the background."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Compare
from .runs import FLAVOURS, VERSION, Program, result

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)

needs_responses = pytest.mark.skipif(VERSION < (1, 66), reason="this version has no responses")
REFUSED = {"message": "There is no such model.", "type": "invalid_request_error", "code": "model_not_found"}


def known(program: Program, exchange: str) -> dict[str, Any]:
    """A recorded answer, with ids of this run's own: what was fetched once is told of once."""
    body: dict[str, Any] = json.loads(program.server.exchanges[exchange]["response_body"])
    return body | {"id": f"{body.get('id', exchange)}-{number(program)}"}


def number(program: Program) -> str:
    return "".join(filter(str.isdigit, program.run))


def serve(program: Program, name: str, body: str, content_type: str = "application/json") -> str:
    """Let the server answer so in this run; the exchange's name."""
    exchange = {"status": 200, "response_headers": {"content-type": content_type}, "response_body": body}
    program.server.exchanges[f"{name}@{program.run}"] = exchange
    return name


def results(program: Program, *, last_line_ends: bool = True) -> str:
    """The file with a batch's results, of a chat, an embedding, and one that was refused."""

    def line(at: int, status: int, body: object) -> str:
        response = {"status_code": status, "request_id": f"req-{at}", "body": body}
        identity = {"id": f"batch_req_{number(program)}_{at}", "custom_id": f'task "{at}"'}
        return json.dumps({**identity, "response": response, "error": None})

    recorded = program.server.exchanges["batch-results"]["response_body"].splitlines()[0]
    embedded = json.loads(recorded)["response"]["body"]
    lines = [line(1, 200, known(program, "chat")), line(2, 200, embedded), line(3, 404, {"error": REFUSED})]
    body = "\n".join(lines) + ("\n" if last_line_ends else "")
    return serve(program, "results", body, "application/octet-stream")


def by_custom_id(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {record["metadata"]["custom_id"]: record for record in records}


def expect_results(records: list[dict[str, Any]]) -> None:
    found = by_custom_id(records)
    assert sorted(found) == ['task "1"', 'task "2"', 'task "3"']
    assert len(records) == 3
    chat, embedding, refused = (found[f'task "{at}"'] for at in (1, 2, 3))
    assert (chat["operation"], chat["outcome"], chat["origin"]) == ("chat", "completed", "openai")
    assert (chat["input_tokens"], chat["output_tokens"], chat["attempts"]) == (40, 12, [])
    # Half of 40 tokens at 0.5 USD a million and 12 at 1.5.
    assert (chat["cost_usd"], chat["cost_status"]) == ("0.000019", "priced")
    assert embedding["operation"] == "embeddings"
    assert embedding["input_tokens"] == 6
    assert embedding["cost_usd"] == "0.00000006", "half of 0.02 USD a million"
    assert (refused["outcome"], refused["error_type"], refused["http_status"]) == ("error", "model_not_found", 404)
    assert refused.get("cost_usd") is None


@pytest.mark.parametrize("last_line_ends", [True, False])
def test_results_of_a_batch(compare: Compare, flavour: str, last_line_ends: bool) -> None:
    async def situation(program: Program) -> object:
        client = program.client(results(program, last_line_ends=last_line_ends))
        first = (await result(client.files.content("file-1"))).read()
        again = (await result(client.files.content("file-1"))).read()
        return len(first.splitlines()), first == again

    both = compare(situation, flavour)
    assert both.saw == [3, True]
    expect_results(both.records)


def test_results_read_piece_by_piece(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        content = program.client(results(program)).files.with_streaming_response.content
        if program.asynchronous:
            async with content("file-1") as response:
                return len(b"".join([piece async for piece in response.iter_bytes(100)]).splitlines())
        with content("file-1") as response:
            return len(b"".join(response.iter_bytes(100)).splitlines())

    both = compare(situation, flavour)
    assert both.saw == 3
    expect_results(both.records)


def test_other_files_make_no_record(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        asked = '{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {}}\n'
        for number, text in enumerate((asked, '{"prompt": "x", "completion": "y"}\n', "%PDF-1.7\nbinary", "")):
            exchange = serve(program, f"file{number}", text, "application/octet-stream")
            await result(program.client(exchange).files.content("file-1"))
        return None

    assert compare(situation, flavour).records == []


def background(program: Program, status: str) -> dict[str, Any]:
    """A response made in the background, at some point."""
    body = known(program, "response-background") | {"status": status}
    if status == "completed":
        usage = {"input_tokens": 14, "output_tokens": 12, "total_tokens": 26}
        body |= {"usage": usage, "output": json.loads(program.server.exchanges["response"]["response_body"])["output"]}
    return body


@needs_responses
def test_background_response(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        def client(status: str) -> Any:
            return program.client(serve(program, status, json.dumps(background(program, status))))

        asked = await result(client("queued").responses.create(model="gpt-5.6", input="Hello", background=True))
        for _ in range(2):
            await result(client("in_progress").responses.retrieve("resp_1"))
        for _ in range(2):
            done = await result(client("completed").responses.retrieve("resp_1"))
        return asked.status, done.status, done.usage.output_tokens

    both = compare(situation, flavour)
    assert both.saw == ["queued", "completed", 12]
    record = both.record
    assert (record["operation"], record["outcome"], record["request_model"]) == ("chat", "completed", "gpt-5.6")
    assert (record["input_tokens"], record["output_tokens"], len(record["attempts"])) == (14, 12, 1)


@needs_responses
def test_background_response_of_another_process(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client(serve(program, "webhook", json.dumps(background(program, "completed"))))
        for _ in range(2):
            await result(client.responses.retrieve("resp_1"))
        return None

    record = compare(situation, flavour).record
    assert (record["outcome"], record["output_tokens"], record["attempts"]) == ("completed", 12, [])


@needs_responses
def test_response_looked_up_again(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("response")
        made = await result(client.responses.create(model="gpt-4o", input="Hello"))
        await result(client.responses.retrieve(made.id))
        return None

    assert compare(situation, flavour).record["output_tokens"] == 8
