"""Calls through litellm: one record each, however litellm makes them, and nothing else changes for the program."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

import litellm
import pytest

import edgequake_obs
from contract.conftest import Compare
from contract.runs import FLAVOURS, MESSAGES, Program, each, items, only, result

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)

DONE = {"outcome": "completed", "origin": "litellm", "provider": "openai"}
CHAT = DONE | {"operation": "chat", "request_model": "gpt-4o"}
TOKENS = {"input_tokens": 40, "output_tokens": 12}
STREAM_TOKENS = {"input_tokens": 11, "output_tokens": 9}


def call(program: Program, name: str, exchange: str, options: Any = (), **arguments: Any) -> Any:
    """A function of litellm, in the program's flavour, at an exchange of the server."""
    function = getattr(litellm, f"a{name}" if program.asynchronous else name)
    where = {"api_base": program.url(exchange, **dict(options)), "api_key": "sk-none"}
    return function(**where | {"model": "openai/gpt-4o"} | arguments)


async def chat(program: Program, exchange: str = "chat", options: Any = (), **arguments: Any) -> Any:
    return await result(call(program, "completion", exchange, options, **{"messages": MESSAGES} | arguments))


def statuses(record: dict[str, Any]) -> list[int | None]:
    return [attempt.get("http_status") for attempt in record["attempts"]]


def test_completion(compare: Compare, flavour: str) -> None:
    both = compare(chat, flavour)
    only(both.records, **CHAT, **TOKENS, http_status=200, attempts=1, streaming=False, finish_reasons=["stop"])
    assert both.record["usage"]["total_tokens"] == 52, "the provider's own object"
    assert both.record["server_address"] == "127.0.0.1"
    assert both.record["cost_status"] == "priced"


def test_function_taken_before(compare: Compare, flavour: str) -> None:
    taken = litellm.acompletion if flavour == "async" else litellm.completion

    async def situation(program: Program) -> object:
        where: Any = {"api_base": program.url("chat"), "api_key": "sk-none"}
        return await result(taken("openai/gpt-4o", MESSAGES, **where))

    only(compare(situation, flavour).records, **CHAT, **TOKENS)


def test_stream(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        stream = await chat(program, "stream", stream=True)
        return type(stream), await items(stream)

    both = compare(situation, flavour)
    only(both.records, **CHAT, **STREAM_TOKENS, streaming=True, attempts=1, finish_reasons=["stop"])
    assert both.patched[0].body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("leaves", ["break", "close", "unread"])
def test_stream_left(compare: Compare, flavour: str, leaves: str) -> None:
    async def situation(program: Program) -> object:
        stream = await chat(program, "stream", stream=True)
        seen = []
        if leaves != "unread":
            async for chunk in each(stream):
                seen.append(chunk)
                break
        if leaves == "close" and hasattr(stream, "aclose"):  # not in 1.80
            await stream.aclose()
        del stream
        # litellm itself keeps a stream until its next call.
        await chat(program)
        return seen

    records = sorted(compare(situation, flavour).records, key=lambda record: record["streaming"])
    outcome = "abandoned" if leaves == "unread" else "closed_early"
    assert [record["outcome"] for record in records] == ["completed", outcome]


def test_stream_cut_off(compare: Compare, flavour: str) -> None:
    raised: list[type] = []

    async def situation(program: Program) -> object:
        try:
            return await items(await chat(program, "stream", {"fault": "drop"}, stream=True, max_retries=0))
        except Exception as error:
            raised.append(type(error))
            return type(error)

    record = compare(situation, flavour).record
    # By aiohttp, litellm 1.80 takes what breaks off for the end.
    assert record["outcome"] == ("error" if raised else "completed")
    assert raised or (flavour == "async" and version("litellm").startswith("1.80."))
    assert record["estimated_output_tokens"] > 0


@pytest.mark.parametrize("kind", ["max_retries", "num_retries"])
def test_retries(compare: Compare, flavour: str, kind: str) -> None:
    async def situation(program: Program) -> object:
        return await chat(program, "chat", {"fail": "500:1"}, **{kind: 2})

    both = compare(situation, flavour)
    only(both.records, **CHAT, **TOKENS, attempts=2)
    assert statuses(both.record) == [500, 200]


def test_refused_by_the_provider(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await chat(program, "not-found")

    both = compare(situation, flavour, raises="NotFoundError")
    only(both.records, outcome="error", error_type="model_not_found", http_status=404, attempts=1, provider="openai")


def test_refused_before_it_is_sent(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await chat(program, model="no-such-model", api_base=None)

    both = compare(situation, flavour, raises="BadRequestError")
    only(both.records, outcome="error", attempts=0, http_status=None)


def test_made_up_answer(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return (await chat(program, mock_response="hello")).choices[0].message.content

    both = compare(situation, flavour)
    only(both.records, **CHAT, attempts=0, cost_usd="0", cached=False)
    assert both.record["input_tokens"] > 0


def test_made_up_stream(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return len(await items(await chat(program, mock_response="hello there", stream=True)))

    both = compare(situation, flavour)
    only(both.records, **CHAT, attempts=0, cost_usd="0", streaming=True, chunks=both.saw)


def test_embedding(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        answer = await result(call(program, "embedding", "embeddings", model="openai/e-3", input=["hello"]))
        return answer.usage.prompt_tokens

    only(compare(situation, flavour).records, **DONE, operation="embeddings", request_model="e-3", input_tokens=8)


def test_text_completion(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        model = "text-completion-openai/davinci-002"
        return (await result(call(program, "text_completion", "completion", model=model, prompt="x"))).choices[0].text

    only(compare(situation, flavour).records, operation="text_completion", outcome="completed", output_tokens=16)


def test_media(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        await result(call(program, "image_generation", "image", model="openai/gpt-image-1", prompt="a cat"))
        await result(call(program, "speech", "speech", model="openai/tts-1", input="hello", voice="alloy"))
        sound: Any = ("a.mp3", b"sound")
        await result(call(program, "transcription", "transcription-seconds", model="openai/whisper-1", file=sound))
        await result(call(program, "moderation", "moderation", model="omni-moderation-latest", input="x"))
        return None

    records = compare(situation, flavour).records
    assert [record["operation"] for record in records] == [
        "image_generation",
        "speech",
        "transcription",
        "moderation",
    ]
    assert [record["cost_usd"] for record in records] == ["0.16645", "0.000075", "0.0004", "0"]


@pytest.mark.parametrize("stream", [False, True])
def test_responses(compare: Compare, flavour: str, stream: bool) -> None:
    async def situation(program: Program) -> object:
        exchange = "response-stream" if stream else "response"
        answer = await result(call(program, "responses", exchange, input="Hello", stream=stream))
        return len(await items(answer)) if stream else answer.output[0].content[0].text

    # litellm sends these by its own HTTP client.
    only(compare(situation, flavour).records, **CHAT, streaming=stream, attempts=1, http_status=200)


def test_batch_completion(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        where: Any = {"api_base": program.url("chat"), "api_key": "sk-none"}
        return len(litellm.batch_completion("openai/gpt-4o", [MESSAGES, MESSAGES], **where))

    assert [record["outcome"] for record in compare(situation, flavour).records] == ["completed"] * 2


def router(program: Program) -> Any:
    def deployment(name: str, exchange: str, **options: object) -> dict[str, Any]:
        base = program.url(exchange, **options)
        parameters = {"model": "openai/gpt-4o-mini", "api_key": "sk-none", "api_base": base, "max_retries": 0}
        return {"model_name": name, "litellm_params": parameters}

    # The server counts the requests of a run: the first two fail.
    models: Any = [deployment("good", "chat"), deployment("bad", "chat", fail="500:2"), deployment("stream", "stream")]
    return litellm.Router(model_list=models, fallbacks=[{"bad": ["good"]}], num_retries=1, retry_after=0)


@pytest.mark.parametrize(("group", "expected"), [("good", 1), ("bad", 3)])
def test_router(compare: Compare, flavour: str, group: str, expected: int) -> None:
    async def situation(program: Program) -> object:
        made = router(program)
        complete = made.acompletion if program.asynchronous else made.completion
        return (await result(complete(group, MESSAGES))).choices[0].message

    both = compare(situation, flavour)
    only(both.records, **DONE, **TOKENS, operation="chat", request_model=group, attempts=expected)
    assert statuses(both.record) == [500] * (expected - 1) + [200]
    assert {attempt["model"] for attempt in both.record["attempts"]} == {"gpt-4o-mini"}


def test_router_stream(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        made = router(program)
        complete = made.acompletion if program.asynchronous else made.completion
        return len(await items(await result(complete("stream", MESSAGES, stream=True))))

    only(compare(situation, flavour).records, **DONE, **STREAM_TOKENS, operation="chat", streaming=True, attempts=1)


def test_many_at_once(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        if not program.asynchronous:
            return None
        answers = await asyncio.gather(*(chat(program) for _ in range(10)))
        return len(answers)

    assert len(compare(situation, flavour).records) == (10 if flavour == "async" else 0)


def test_labels(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        with edgequake_obs.context(session="s1", tags={"feature": "search"}):
            await chat(program, user="u1", metadata={"tags": ["team:a"]})
        return None

    record = compare(situation, flavour).record
    assert (record["session_id"], record["user_id"]) == ("s1", "u1")
    assert record["tags"] == {"feature": "search", "team": "a"}
