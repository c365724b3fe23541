"""What a program registers is told of each call, and harms none."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import edgequake_obs as obs
from edgequake_obs import _native
from edgequake_obs.integrations.custom_logger import CustomLogger

from .conftest import MESSAGES, Ask
from .records import Ledger
from .server import COST, DONE, PATIENCE, USAGE_EVENT, Answer, Server, chat, embeddings, error, event

LISTS = ("callbacks", "success_callback", "failure_callback", "input_callback")
Told = list[tuple[str, dict[str, Any], Any]]

where: contextvars.ContextVar[str] = contextvars.ContextVar("where", default="nowhere")


@pytest.fixture(autouse=True)
def _nothing_registered() -> Iterator[None]:
    yield
    for name in LISTS:
        setattr(obs, name, [])
    obs.turn_off_message_logging = False


class Logger(CustomLogger):
    """Notes what it is told, by whom and where."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.told: Told = []
        self.threads: list[int] = []
        self.places: list[str] = []

    def _note(self, hook: str, kwargs: Any, answer: Any) -> None:
        self.told.append((hook, kwargs, answer))
        self.threads.append(threading.get_ident())
        self.places.append(where.get())

    def log_pre_api_call(self, model: str, messages: Any, kwargs: Any) -> None:
        self._note("pre", kwargs, (model, messages))

    def log_post_api_call(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._note("post", kwargs, response_obj)

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._note("success", kwargs, response_obj)

    def log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._note("failure", kwargs, response_obj)

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        await asyncio.sleep(0)
        self._note("async success", kwargs, response_obj)

    async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._note("async failure", kwargs, response_obj)

    @property
    def hooks(self) -> list[str]:
        assert obs.flush(PATIENCE)
        return [hook for hook, _, _ in self.told]


class ChunkLogger(Logger):
    """Wants each chunk as well."""

    def log_stream_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._note("chunk", kwargs, response_obj)


def test_an_object_is_told_in_order(server: Server, ask: Ask) -> None:
    logger = Logger()
    obs.callbacks = [logger]
    server.will(Answer(body=chat()))
    where.set("the caller's")
    answer = ask(user="u-1", metadata={"tags": ["x"], "trace": "t"}, temperature=0.5)
    assert logger.hooks == ["pre", "post", "success"]
    assert set(logger.threads).isdisjoint({threading.get_ident()})
    assert logger.places == ["the caller's"] * 3
    _, kwargs, told = logger.told[2]
    assert told == answer
    assert told is not answer
    assert kwargs["response_cost"] == float(COST)
    assert (kwargs["model"], kwargs["messages"], kwargs["user"]) == ("gpt-4o-mini", MESSAGES, "u-1")
    assert (kwargs["call_type"], kwargs["stream"], kwargs["custom_llm_provider"]) == ("completion", False, "openai")
    logged = kwargs["standard_logging_object"]
    assert (logged["status"], logged["prompt_tokens"], logged["completion_tokens"]) == ("success", 14, 8)
    assert logged["request_tags"] == ["x"]
    assert logged["model_parameters"] == {"user": "u-1", "temperature": 0.5}
    assert logged["response"]["choices"][0]["message"]["content"] == "Hello."
    json.dumps(logged)


def test_functions(server: Server, ask_either_way: Ask) -> None:
    told: Told = []
    obs.input_callback = [lambda kwargs: told.append(("input", kwargs, None))]
    obs.success_callback = [lambda kwargs, answer, start, end: told.append(("success", kwargs, (answer, start, end)))]
    obs.failure_callback = [lambda kwargs, answer, start, end: told.append(("failure", kwargs, answer))]
    server.will(Answer(body=chat()), Answer(401, error("no")))
    ask_either_way()
    with pytest.raises(obs.AuthenticationError):
        ask_either_way()
    assert obs.flush(PATIENCE)
    assert [hook for hook, _, _ in told] == ["input", "success", "input", "failure"]
    answer, start, end = told[1][2]
    assert answer.choices[0].message.content == "Hello."
    assert start <= end
    kwargs = told[3][1]
    assert isinstance(kwargs["exception"], obs.AuthenticationError)
    assert kwargs["response_cost"] == 0
    assert kwargs["standard_logging_object"]["error_information"]["error_code"] == "401"


@pytest.mark.parametrize("single", [False, True])
def test_callbacks_of_one_call(server: Server, ask_either_way: Ask, single: bool) -> None:
    told: list[str] = []
    obs.success_callback = [lambda *_: told.append("every")]
    logger = Logger()

    def own(kwargs: Any, *_: Any) -> None:
        told.append(f"own {sorted(kwargs['optional_params'])}")

    server.will(Answer(body=chat()), Answer(body=chat()), Answer(400, error()))
    ask_either_way(success_callback=own if single else [own], callbacks=[logger], seed=1)
    assert server.request.json() == {"model": "gpt-4o-mini", "messages": MESSAGES, "seed": 1}
    ask_either_way()
    with pytest.raises(obs.BadRequestError):
        ask_either_way(failure_callback=[lambda *_: told.append("failed")])
    assert obs.flush(PATIENCE)
    assert told == ["every", "own ['seed']", "every", "failed"]
    assert logger.hooks[0] == "pre"
    assert len(logger.hooks) == 3


def test_nothing_happens_for_nobody(server: Server, ask: Ask) -> None:
    obs.success_callback = [lambda *_: None]
    before = _native.events_so_far()
    server.will(Answer(body=chat()), Answer(body=[event("Hello."), USAGE_EVENT, DONE]))
    ask()
    list(ask(stream=True))
    assert _native.events_so_far() - before == 2  # an end each; who listens to beginnings and chunks is told those too


def test_an_asynchronous_call_is_told_on_its_loop(server: Server) -> None:
    logger = Logger()
    seen: list[object] = []

    async def awaited(kwargs: Any, answer: Any, start: Any, end: Any) -> None:
        seen.append(asyncio.get_running_loop())

    async def main() -> None:
        where.set("the task's")
        for _ in range(2):
            await obs.acompletion("m", MESSAGES, api_base=server.base, api_key="k")
            assert await obs.aflush(PATIENCE)
        with pytest.raises(obs.BadRequestError):
            await obs.acompletion("m", MESSAGES, api_base=server.base, api_key="k")
        assert await obs.aflush(PATIENCE)
        assert seen == [asyncio.get_running_loop()] * 2

    obs.callbacks = [logger]
    obs.success_callback = [awaited]
    server.will(Answer(body=chat()), Answer(body=chat()), Answer(400, error("no")))
    asyncio.run(main())
    assert logger.hooks == ["pre", "post", "async success"] * 2 + ["pre", "async failure"]
    awaited_on = {thread for (hook, _, _), thread in zip(logger.told, logger.threads, strict=True) if "async" in hook}
    assert awaited_on == {threading.get_ident()}
    assert set(logger.places) == {"the task's"}


def test_a_loop_that_has_ended(server: Server) -> None:
    logger = Logger()
    obs.callbacks = [logger]
    server.will(Answer(body=chat()))
    asyncio.run(obs.acompletion("m", MESSAGES, api_base=server.base, api_key="k"))
    # What the loop had begun to await, its end cancels.
    assert logger.hooks[:2] == ["pre", "post"]


@pytest.mark.parametrize("leaves", [False, True], ids=["whole", "left early"])
def test_a_stream_is_told_whole(server: Server, ask: Ask, leaves: bool) -> None:
    logger = ChunkLogger()
    obs.callbacks = [logger]
    server.will(Answer(body=[event("Hel"), event("lo."), event(finish="stop"), USAGE_EVENT, DONE]))
    stream = ask(stream=True)
    chunks = [next(stream)]
    if leaves:
        stream.close()
    else:
        chunks += list(stream)
        assert [hook for hook in logger.hooks if hook == "chunk"] == ["chunk"] * 3
    hooks = logger.hooks
    assert (hooks[0], hooks[-2:]) == ("pre", ["post", "success"])
    _, kwargs, answer = logger.told[-1]
    assert answer.choices[0].message.content.startswith("Hel")
    assert (kwargs["stream"], kwargs["outcome"]) == (True, "closed_early" if leaves else "completed")
    assert kwargs["complete_streaming_response"] == answer
    if not leaves:
        assert answer.choices[0].message.content == "Hello."
        assert (answer.usage.total_tokens, kwargs["response_cost"]) == (22, float(COST))


def test_a_stream_that_fails_after_its_beginning(server: Server, ask: Ask) -> None:
    logger = Logger()
    obs.callbacks = [logger]
    server.will(Answer(body=[event("a"), b'data: {"error": {"message": "it broke"}}\n\n']))
    with pytest.raises(obs.OpenAIError):
        list(ask(stream=True))
    assert logger.hooks[-1] == "failure"
    assert "it broke" in str(logger.told[-1][1]["exception"])


def test_embeddings(server: Server) -> None:
    logger = Logger()
    obs.callbacks = [logger]
    server.will(Answer(body=embeddings([0.5])))
    obs.embedding("text-embedding-3-small", ["a", "b"], api_base=server.base, api_key="k")
    assert logger.hooks == ["pre", "post", "success"]
    _, kwargs, answer = logger.told[-1]
    assert answer.data[0].embedding == [0.5]
    assert kwargs["call_type"] == "embedding"
    assert [message["content"] for message in kwargs["messages"]] == ["a", "b"]


@pytest.mark.parametrize("streams", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_patched_calls(server: Server, streams: bool, asynchronous: bool) -> None:
    openai = pytest.importorskip("openai")
    logger = Logger()
    obs.callbacks = [logger]
    obs.instrument("openai")
    try:
        body = [event("Hel"), event("lo."), event(finish="stop"), USAGE_EVENT, DONE] if streams else chat("Hello.")
        server.will(Answer(body=body), Answer(401, error("bad key sk-0123456789abcdefghij")))
        given: Any = {"model": "gpt-4o-mini", "messages": MESSAGES, "stream": streams, "temperature": 0.5}

        async def aask(client: Any) -> None:
            answer = await client.chat.completions.create(**given)
            if streams:
                assert [chunk async for chunk in answer]
            assert await obs.aflush(PATIENCE)

        async def main() -> None:
            async with openai.AsyncOpenAI(base_url=server.base, api_key="k", max_retries=0) as client:
                await aask(client)
                with pytest.raises(openai.AuthenticationError):
                    await aask(client)
                assert await obs.aflush(PATIENCE)

        if asynchronous:
            asyncio.run(main())
        else:
            client = openai.OpenAI(base_url=server.base, api_key="k", max_retries=0)
            answer = client.chat.completions.create(**given)
            assert not streams or list(answer)
            with pytest.raises(openai.AuthenticationError):
                client.chat.completions.create(**given)
    finally:
        obs.uninstrument()
    kind = "async " if asynchronous else ""
    assert logger.hooks == ["pre", "post", f"{kind}success", "pre", f"{kind}failure"]
    _, kwargs, answer = logger.told[2]
    assert answer.choices[0].message.content == "Hello."
    assert kwargs["response_cost"] == float(COST)
    assert kwargs["messages"] == MESSAGES
    failed = logger.told[-1][1]
    assert isinstance(failed["exception"], obs.AuthenticationError)
    assert "sk-0123" not in str(failed)


def test_what_raises_or_blocks_changes_nothing(
    server: Server, ask: Ask, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    go = threading.Event()
    told: list[str] = []

    def blocks(kwargs: Any, answer: Any, start: Any, end: Any) -> None:
        assert go.wait(PATIENCE)
        told.append("blocked")

    def raises(kwargs: Any, answer: Any, start: Any, end: Any) -> None:
        raise ValueError("never mind sk-0123456789abcdefghij")

    def leaves(kwargs: Any, answer: Any, start: Any, end: Any) -> None:
        raise SystemExit

    obs.success_callback = [raises, leaves, blocks, lambda *_: told.append("last")]
    server.will(Answer(body=chat()), Answer(body=chat()))
    with caplog.at_level(logging.WARNING, "edgequake_obs"):
        assert ask().choices[0].message.content == ask().choices[0].message.content
        assert not obs.flush(0.05)
        go.set()
        assert obs.flush(PATIENCE)
    assert told == ["blocked", "last"] * 2
    said = [record.getMessage() for record in caplog.records if "raises raised ValueError" in record.getMessage()]
    assert len(said) == 1
    assert "sk-0123" not in said[0]
    assert len(ledger.calls()) == 2


def test_what_a_callback_does_to_its_arguments_is_its_own(server: Server, ask: Ask) -> None:
    messages = [{"role": "user", "content": "Hi."}]

    def spoils(kwargs: Any, answer: Any, start: Any, end: Any) -> None:
        kwargs.clear()
        answer.choices = []

    logger = Logger()
    obs.success_callback = [spoils]
    obs.callbacks = [logger]
    server.will(Answer(body=chat()))
    answer = ask(messages=messages)
    messages.append({"role": "assistant", "content": "The program goes on."})
    assert logger.hooks
    assert answer.choices[0].message.content == "Hello."
    assert logger.told[0][2][1] == messages[:1]


def test_names_get_one_warning_and_no_exception(server: Server, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    obs.success_callback = ["langfuse", "nobody_knows_this"]
    obs.callbacks = ["langfuse"]
    server.will(Answer(body=chat()), Answer(body=chat()))
    with caplog.at_level(logging.WARNING, "edgequake_obs"):
        ask()
        ask()
        assert obs.flush(PATIENCE)
    said = [record.getMessage() for record in caplog.records]
    assert [text.partition(":")[0] for text in said] == [
        "the callback 'langfuse' is not served",
        "the callback 'nobody_knows_this' is not served",
    ]
    assert all("CustomLogger" in text for text in said)


@pytest.mark.parametrize("turned_off", ["everywhere", "for one"])
def test_without_messages(server: Server, ask: Ask, turned_off: str) -> None:
    blind, other = Logger(turn_off_message_logging=turned_off == "for one"), Logger()
    obs.callbacks = [blind, other]
    obs.turn_off_message_logging = turned_off == "everywhere"
    server.will(Answer(body=chat("A secret.")))
    ask(messages=[{"role": "user", "content": "My secret."}])
    assert blind.hooks == ["pre", "post", "success"]
    assert "secret" not in f"{blind.told}"
    assert "redacted-by-litellm" in f"{blind.told}"
    assert blind.told[-1][1]["response_cost"] == float(COST)
    assert ("secret" in f"{other.told}") is (turned_off == "for one")


def test_no_key_is_told(server: Server, ask: Ask) -> None:
    logger = Logger()
    obs.callbacks = [logger]
    key, other = "sk-0123456789abcdefghijklmnop", "sk-another-0123456789abcdefg"
    server.will(Answer(body=chat(f"Is your key {other}?")), Answer(401, error(f"Incorrect API key provided: {key}.")))
    said = [{"role": "user", "content": f"My key is {other}."}]
    ask(api_key=key, messages=said, extra_headers={"x-key": key}, metadata={"note": other})
    with pytest.raises(obs.AuthenticationError):
        ask(api_key=key, messages=said)
    assert logger.hooks
    everything = f"{logger.told}" + "".join(f"{kwargs.get('exception')}" for _, kwargs, _ in logger.told)
    assert key not in everything
    assert other not in everything
