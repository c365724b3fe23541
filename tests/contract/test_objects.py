"""What a program does with clients, answers and functions besides calling them."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
from typing import Any

import openai
import openai._base_client as base
import pytest

from .conftest import Compare
from .runs import FLAVOURS, MESSAGES, Program, items, only, result

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)

DONE = {"operation": "chat", "outcome": "completed", "http_status": 200, "attempts": 1}
ASKED: dict[str, Any] = {"model": "m", "messages": MESSAGES}
HTTPX: Any = getattr(base, "httpx2", None) or base.httpx


def test_answers_are_copied_and_pickled(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        answer = await result(program.client("chat").chat.completions.create(**ASKED))
        chunks = await items(await result(program.client("stream").chat.completions.create(**ASKED, stream=True)))
        assert copy.copy(answer) == copy.deepcopy(answer) == pickle.loads(pickle.dumps(answer)) == answer
        assert pickle.loads(pickle.dumps(chunks)) == chunks
        return answer, chunks, sorted(vars(answer))

    records = compare(situation, flavour).records
    assert [(record["streaming"], record["outcome"]) for record in records] == [
        (False, "completed"),
        (True, "completed"),
    ]


def test_copied_clients(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("chat")
        copies = [copy.copy(client), client.copy(timeout=4), client.with_options(default_headers={"x-team": "a"})]
        return [(await result(each.chat.completions.create(**ASKED))).id for each in copies]

    records = compare(situation, flavour).records
    assert [record["outcome"] for record in records] == ["completed"] * 3


def test_functions_taken_apart_and_wrapped(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("chat")
        create = client.chat.completions.create

        @functools.wraps(create)
        def once(*args: Any, **kwargs: Any) -> Any:
            return create(*args, **kwargs)

        @functools.wraps(once)
        def twice(*args: Any, **kwargs: Any) -> Any:
            return once(*args, **kwargs)

        answer = await result(functools.partial(twice, model="m")(messages=MESSAGES))
        seen = [create, type(client).post, type(client).request, type(client)._process_response]
        told = [(str(inspect.signature(f)), f.__qualname__, inspect.iscoroutinefunction(f)) for f in seen]
        return answer.id, str(inspect.signature(twice)), told, inspect.getsource(type(client).request)

    only(compare(situation, flavour).records, **DONE)


def test_client_of_the_programs_own_class(compare: Compare, flavour: str) -> None:
    """It stands before the hooked functions, and behind them."""
    passed: list[str] = []

    class Sync(openai.OpenAI):
        def request(self, *args: Any, **kwargs: Any) -> Any:
            passed.append("request")
            return super().request(*args, **kwargs)

        def _process_response(self, **kwargs: Any) -> Any:
            passed.append("process")
            return super()._process_response(**kwargs)

    class Async(openai.AsyncOpenAI):
        async def request(self, *args: Any, **kwargs: Any) -> Any:
            passed.append("request")
            return await super().request(*args, **kwargs)

        async def _process_response(self, **kwargs: Any) -> Any:
            passed.append("process")
            return await super()._process_response(**kwargs)

    async def situation(program: Program) -> object:
        passed.clear()
        made = Async if program.asynchronous else Sync
        client = made(base_url=program.url("chat"), api_key="sk-none", max_retries=0)
        answer = await result(client.chat.completions.create(**ASKED))
        chunks = await items(await result(client.chat.completions.create(**ASKED, stream=True)))
        return answer, chunks, list(passed)

    both = compare(situation, flavour)
    assert both.saw[2] == ["request", "process"] * 2
    assert [record["outcome"] for record in both.records] == ["completed"] * 2


def test_client_that_answers_itself(compare: Compare, flavour: str) -> None:
    """Nothing is asked of a provider where a subclass has the answer already."""

    class Sync(openai.OpenAI):
        def request(self, *args: Any, **kwargs: Any) -> Any:
            return "from the program's own cache"

    class Async(openai.AsyncOpenAI):
        async def request(self, *args: Any, **kwargs: Any) -> Any:
            return "from the program's own cache"

    async def situation(program: Program) -> object:
        made = Async if program.asynchronous else Sync
        return await result(made(base_url=program.url("chat"), api_key="none").chat.completions.create(**ASKED))

    assert compare(situation, flavour).records == []


def answering(program: Program, exchange: str, pieces: int) -> Any:
    """An HTTP client of the program's own, whose transport answers in memory by a generator."""
    recorded = program.server.exchanges[exchange]
    body = recorded["response_body"].encode()
    parts = [body[at : at + pieces] for at in range(0, len(body), pieces)]

    class Sync(HTTPX.SyncByteStream):
        def __iter__(self) -> Any:
            yield from parts

    class Async(HTTPX.AsyncByteStream):
        async def __aiter__(self) -> Any:
            for part in parts:
                yield part

    def answer(request: Any) -> Any:
        headers = {"content-type": recorded["response_headers"]["content-type"]}
        stream = Async() if program.asynchronous else Sync()
        return HTTPX.Response(200, headers=headers, stream=stream, request=request)

    client = HTTPX.AsyncClient if program.asynchronous else HTTPX.Client
    return client(transport=HTTPX.MockTransport(answer))


@pytest.mark.parametrize("pieces", [1, 100, 100_000])
def test_body_of_a_generator(compare: Compare, flavour: str, pieces: int) -> None:
    async def situation(program: Program) -> object:
        client = program.client("stream", http_client=answering(program, "stream", pieces))
        more = {"stream_options": {"include_usage": True}}
        return await items(await result(client.chat.completions.create(**ASKED, stream=True, **more)))

    only(compare(situation, flavour).records, **DONE, input_tokens=11, output_tokens=9, streaming=True)


def test_whole_answer_of_a_generator(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("chat", http_client=answering(program, "chat", 10))
        return await result(client.chat.completions.create(**ASKED))

    only(compare(situation, flavour).records, **DONE, input_tokens=40, output_tokens=12)


def test_hooks_of_the_programs_http_client(compare: Compare, flavour: str) -> None:
    """Its own see every response, before and after ours has been there."""
    seen: list[object] = []

    async def situation(program: Program) -> object:
        seen.clear()

        def sync_hook(response: Any) -> None:
            seen.append(response.status_code)

        async def async_hook(response: Any) -> None:
            seen.append(response.status_code)

        made = HTTPX.AsyncClient if program.asynchronous else HTTPX.Client
        http = made(event_hooks={"response": [async_hook if program.asynchronous else sync_hook]})
        client = program.client("stream", http_client=http)
        raw = await result(client.chat.completions.with_raw_response.create(**ASKED, stream=True))
        chunks = await items(await result(raw.parse()))
        response = raw.http_response
        return len(chunks), list(seen), response.is_stream_consumed, response.is_closed, response.elapsed.days

    only(compare(situation, flavour).records, **DONE, streaming=True, input_tokens=11)


def test_answer_of_another_class(compare: Compare, flavour: str) -> None:
    class Own(openai.BaseModel):
        id: str

    async def situation(program: Program) -> object:
        raw = await result(program.client("chat").chat.completions.with_raw_response.create(**ASKED))
        parsed = await result(raw.parse(to=Own))
        return parsed.id, type(parsed) is Own, getattr(raw, "retries_taken", None)

    only(compare(situation, flavour).records, **DONE)
