"""What is fetched long after it was asked for: each result of a batch, and a response made in the background."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import edgequake_obs
from edgequake_obs import _native

from .conftest import Compare
from .runs import FLAVOURS, VERSION, Program, each, observe, only, result
from .server import Server

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)

needs_responses = pytest.mark.skipif(VERSION < (1, 66), reason="this version has no responses")
REFUSED = {"message": "There is no such model.", "type": "invalid_request_error", "code": "model_not_found"}


def known(program: Program, exchange: str) -> dict[str, Any]:
    """A recorded answer, with ids of this run's own: what was fetched once is told of once."""
    body: dict[str, Any] = json.loads(program.server.exchanges[exchange]["response_body"])
    return body | {"id": f"{body.get('id', exchange)}-{program.run}"}


def results(program: Program, *, last_line_ends: bool = True) -> str:
    """The file with a batch's results, of a chat, an embedding, and one that was refused."""

    def line(at: int, status: int, body: object) -> str:
        response = {"status_code": status, "request_id": f"req-{at}", "body": body}
        identity = {"id": f"batch_req_{program.run}_{at}", "custom_id": f'task "{at}"'}
        return json.dumps({**identity, "response": response, "error": None})

    recorded = program.server.exchanges["batch-results"]["response_body"].splitlines()[0]
    embedded = json.loads(recorded)["response"]["body"]
    lines = [line(1, 200, known(program, "chat")), line(2, 200, embedded), line(3, 404, {"error": REFUSED})]
    body = "\n".join(lines) + ("\n" if last_line_ends else "")
    return program.serve("results", body, content_type="application/octet-stream")


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
    assert chat["call_uid"][14] == "5", "by which the ledger prices it as a batch's again"
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
            exchange = program.serve(f"file{number}", text, content_type="application/octet-stream")
            await result(program.client(exchange).files.content("file-1"))
        return None

    assert compare(situation, flavour).records == []


def background(program: Program, status: str) -> dict[str, Any]:
    """A response made in the background, at some point."""
    body = known(program, "response-background") | {"status": status}
    if status == "completed":
        usage = {"input_tokens": 14, "output_tokens": 12, "total_tokens": 26}
        body |= {"usage": usage, "output": json.loads(program.server.exchanges["response"]["response_body"])["output"]}
        body |= {"completed_at": body["created_at"] + 7}
    return body


def serve_status(program: Program, *statuses: str) -> Any:
    """A client to whom the response is at these points, one after the other."""
    bodies = [json.dumps(background(program, status)) for status in statuses]
    return program.client(program.serve("background", *bodies))


def events(program: Program) -> list[str]:
    """The events of a response that is made in the background and streamed meanwhile."""
    stages = [("created", "queued"), ("in_progress", "in_progress"), (None, ""), (None, ""), ("completed", "completed")]
    told: list[str] = []
    for number, (name, status) in enumerate(stages):
        event: dict[str, Any] = {"type": "response.output_text.delta", "delta": "Hello "}
        if name is not None:
            event = {"type": f"response.{name}", "response": background(program, status)}
        told.append(f"event: {event['type']}\ndata: {json.dumps(event | {'sequence_number': number})}\n\n")
    return told


def serve_streams(program: Program, *streams: list[str]) -> Any:
    """A client to whom these streams come, one after the other."""
    return program.client(program.serve("streams", *map("".join, streams), content_type="text/event-stream"))


def joined(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The one call that all lines are of, as the ledger will show it: tests/ledger/test_late_outcomes.py."""
    assert len({record["call_uid"] for record in records}) == 1
    order = ["completed", "error", "closed_early", "abandoned"]
    return min(records, key=lambda record: order.index(record["outcome"]))


BACKGROUND: dict[str, Any] = {"model": "gpt-5.6", "input": "Hello", "background": True}
COMPLETED = {"operation": "chat", "outcome": "completed", "input_tokens": 14, "output_tokens": 12}


@needs_responses
def test_background_response(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = serve_status(program, "queued", "in_progress", "in_progress", "completed", "completed")
        asked = await result(client.responses.create(**BACKGROUND))
        for _ in range(4):
            done = await result(client.responses.retrieve("resp_1"))
        return asked.status, done.status, done.usage.output_tokens

    both = compare(situation, flavour)
    assert both.saw == ["queued", "completed", 12]
    assert [record["outcome"] for record in both.records] == ["abandoned", "completed"], "first so far, then all of it"
    only([joined(both.records)], **COMPLETED, request_model="gpt-5.6", attempts=1, http_status=200)
    assert joined(both.records)["cost_usd"] is not None


@needs_responses
def test_background_response_is_counted_once(compare: Compare, flavour: str) -> None:
    """In the context that it was asked for in, wherever it is fetched."""

    async def situation(program: Program) -> object:
        client = serve_status(program, "queued", "completed", "completed")
        with edgequake_obs.context(session="asked") as asked:
            await result(client.responses.create(**BACKGROUND))
        with edgequake_obs.context(session="fetched") as fetched:
            for _ in range(2):
                await result(client.responses.retrieve("resp_1"))
        sums.append((asked.calls, asked.output_tokens, asked.unpriced_calls, fetched.calls))
        return None

    sums: list[tuple[int, ...]] = []
    both = compare(situation, flavour)
    assert sums == [(0, 0, 0, 0), (1, 12, 0, 0)], "without us, and with us"
    assert joined(both.records)["session_id"] == "asked"


@needs_responses
@pytest.mark.parametrize("wrapper", [None, "with_raw_response", "with_streaming_response"])
def test_background_response_of_another_process(compare: Compare, flavour: str, wrapper: str | None) -> None:
    async def situation(program: Program) -> object:
        client = serve_status(program, "completed")
        for _ in range(2):
            if wrapper == "with_streaming_response":
                retrieve = client.responses.with_streaming_response.retrieve
                if program.asynchronous:
                    async with retrieve("resp_1") as response:
                        await response.read()
                else:
                    with retrieve("resp_1") as response:
                        response.read()
            else:
                owner = getattr(client.responses, wrapper) if wrapper else client.responses
                await result(owner.retrieve("resp_1"))
        return None

    both = compare(situation, flavour)
    only(both.records, **COMPLETED, attempts=0, duration_ns=7 * 10**9)
    assert both.record["call_uid"][14] == "8", "an id that every process gives it"


@needs_responses
def test_cancelled_in_the_background(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = serve_status(program, "queued", "cancelled")
        await result(client.responses.create(**BACKGROUND))
        return (await result(client.responses.cancel("resp_1"))).status

    record = joined(compare(situation, flavour).records)
    assert (record["outcome"], record["finish_reasons"]) == ("completed", ["cancelled"])


@needs_responses
def test_background_stream(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = serve_streams(program, events(program))
        stream = await result(client.responses.create(**BACKGROUND, stream=True))
        seen = [event.type async for event in each(stream)]
        client = serve_status(program, "completed")
        return seen, (await result(client.responses.retrieve("resp_1"))).status

    both = compare(situation, flavour)
    assert len(both.saw[0]) == 5
    only(both.records, **COMPLETED, attempts=1, streaming=True, chunks=5)


needs_streams = pytest.mark.skipif(VERSION < (2, 0), reason="this version retrieves no streams")


async def left_after(stream: Any, count: int) -> list[str]:
    """The first events of a stream, which is then closed."""
    seen: list[str] = []
    async for event in each(stream):
        seen.append(event.type)
        if len(seen) == count:
            break
    await result(stream.close())
    return seen


@needs_streams
@pytest.mark.parametrize("how", ["left", "cut off"])
@pytest.mark.parametrize("after", [None, 2])
def test_background_stream_resumed(compare: Compare, flavour: str, how: str, after: int | None) -> None:
    async def situation(program: Program) -> object:
        whole = events(program)
        client = serve_streams(program, whole if how == "left" else whole[:3], whole[after or 0 :])
        stream = await result(client.responses.create(**BACKGROUND, stream=True))
        seen = await left_after(stream, 3)
        more = {} if after is None else {"starting_after": after}
        for _ in range(2):
            again = await result(client.responses.retrieve("resp_1", stream=True, **more))
            seen += [event.type async for event in each(again)]
        return seen

    both = compare(situation, flavour)
    assert both.saw.count("response.completed") == 2
    assert [record["outcome"] for record in both.records] == ["closed_early", "completed"]
    only([joined(both.records)], **COMPLETED, attempts=1, streaming=True, request_model="gpt-5.6", http_status=200)


@needs_streams
def test_background_stream_of_another_process(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = serve_streams(program, events(program)[3:])
        for _ in range(2):
            stream = await result(client.responses.retrieve("resp_1", stream=True, starting_after=2))
            seen = [event.type async for event in each(stream)]
        return seen

    only(compare(situation, flavour).records, **COMPLETED, attempts=0)


@needs_streams
def test_background_stream_resumed_in_vain(compare: Compare, flavour: str) -> None:
    """What goes on is left again: it is open until its outcome is fetched, or until the program ends."""

    async def situation(program: Program) -> object:
        whole = events(program)
        client = serve_streams(program, whole, whole[3:])
        await left_after(await result(client.responses.create(**BACKGROUND, stream=True)), 2)
        return await left_after(await result(client.responses.retrieve("resp_1", stream=True)), 1)

    both = compare(situation, flavour)
    assert [record["outcome"] for record in both.records] == ["closed_early"]


_ASKS = """
import os, sys
import edgequake_obs, openai
edgequake_obs.instrument("openai")
client = openai.OpenAI(base_url=sys.argv[1], api_key="none")
with edgequake_obs.context(session="asked"):
    print(client.responses.create(model="gpt-5.6", input="Hello", background=True).status)
if sys.argv[2] == "killed":
    assert edgequake_obs.flush(30)
    os.kill(os.getpid(), 9)
"""


@needs_responses
@pytest.mark.parametrize("end", ["exit", "killed"])
def test_asked_for_by_a_program_that_ends(server: Server, flavour: str, end: str, tmp_path: Path) -> None:
    from edgequake_obs import ledger

    path = str(tmp_path / "ledger.duckdb")
    program = Program(server, flavour == "async", f"asks{end}{flavour}")
    environment = {**os.environ, "EDGEQUAKE_OBS_LEDGER": path}
    queued = json.dumps(background(program, "queued"))
    url = program.url(program.serve("background", queued))
    done = subprocess.run(
        [sys.executable, "-c", _ASKS, url, end],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["queued"], done.stderr
    columns = "outcome, session_id, attempts, http_status, output_tokens, cost_usd IS NOT NULL"
    with ledger.connect(path) as connection:
        assert connection.execute(f"SELECT {columns} FROM calls").fetchall() == [
            ("abandoned", "asked", 1, 200, None, False)
        ]
    before = _native.ledger_path()
    edgequake_obs.configure(ledger=path)
    edgequake_obs.instrument("openai")
    try:

        async def fetch(program: Program) -> object:
            return (await result(serve_status(program, "completed").responses.retrieve("resp_1"))).status

        assert observe(fetch, program)["saw"] == "completed"
        assert edgequake_obs.flush(30)
    finally:
        edgequake_obs.uninstrument()
        edgequake_obs.configure(ledger=before)
    with ledger.connect(path) as connection:
        assert connection.execute(f"SELECT {columns} FROM calls").fetchall() == [
            ("completed", "asked", 1, 200, 12, True)
        ]


@needs_responses
def test_response_looked_up_again(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("response")
        made = await result(client.responses.create(model="gpt-4o", input="Hello"))
        await result(client.responses.retrieve(made.id))
        return None

    assert compare(situation, flavour).record["output_tokens"] == 8
