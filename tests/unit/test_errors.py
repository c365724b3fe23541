"""What a failed call raises: litellm's classes and attributes."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from typing import Any

import pytest

import edgequake_obs as obs

from .conftest import Ask
from .programs import run
from .records import Ledger
from .server import DONE, Answer, Server, chat, error, event, sse

BY_STATUS = {
    400: obs.BadRequestError,
    401: obs.AuthenticationError,
    403: obs.APIError,
    404: obs.NotFoundError,
    408: obs.Timeout,
    413: obs.BadRequestError,
    422: obs.BadRequestError,
    429: obs.RateLimitError,
    500: obs.InternalServerError,
    502: obs.BadGatewayError,
    503: obs.ServiceUnavailableError,
    504: obs.Timeout,
}


@pytest.mark.parametrize("status", BY_STATUS)
def test_class_by_status(server: Server, ask_either_way: Ask, ledger: Ledger, status: int) -> None:
    server.will(Answer(status, error("it says no", "some_code"), {"x-request-id": "req-1"}))
    with pytest.raises(obs.OpenAIError) as raised:
        ask_either_way(model="groq/m", max_retries=0)
    found = raised.value
    assert type(found) is BY_STATUS[status]
    assert "it says no" in found.message
    assert "it says no" in str(found)
    assert (found.llm_provider, found.model, found.num_retries, found.code) == ("groq", "m", 0, "some_code")
    assert found.response is not None
    assert found.response.status_code == status
    assert "it says no" in found.response.text
    assert found.response.json()["error"]["code"] == "some_code"  # type: ignore[index]
    assert found.response.headers["x-request-id"] == "req-1"
    row = ledger.call()
    assert (row["outcome"], row["http_status"], row["error_type"]) == ("error", status, "some_code")
    assert "it says no" in row["error_message"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 429, 500, 502, 503])
def test_status_code(server: Server, ask: Ask, status: int) -> None:
    server.will(Answer(status, error()))
    with pytest.raises(obs.OpenAIError) as raised:
        ask(max_retries=0)
    assert raised.value.status_code == status


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (error("too long", "context_length_exceeded"), obs.ContextWindowExceededError),
        (error("This model's maximum context length is 8192 tokens."), obs.ContextWindowExceededError),
        (error("no", "content_policy_violation"), obs.ContentPolicyViolationError),
        (error("Your request was rejected as a result of our safety system."), obs.ContentPolicyViolationError),
        (error("no", "content_filter"), obs.ContentPolicyViolationError),
        (b"<html>Bad Request</html>", obs.BadRequestError),
        (b"", obs.BadRequestError),
        (b'{"detail": "x"}', obs.BadRequestError),
        (b'{"error": "just text"}', obs.BadRequestError),
    ],
)
def test_kinds_of_400(server: Server, ask_either_way: Ask, body: bytes, expected: type[Exception]) -> None:
    server.will(Answer(400, body))
    with pytest.raises(obs.BadRequestError) as raised:
        ask_either_way()
    assert type(raised.value) is expected
    assert raised.value.status_code == 400
    assert raised.value.response is not None
    assert raised.value.response.text == body.decode()


def test_classes_descend_as_litellms() -> None:
    assert issubclass(obs.ContextWindowExceededError, obs.BadRequestError)
    assert issubclass(obs.ContentPolicyViolationError, obs.BadRequestError)
    assert issubclass(obs.UnsupportedParamsError, obs.BadRequestError)
    assert not issubclass(obs.RateLimitError, obs.APIError)  # of openai's APIError, which has another name here
    for kind in set(BY_STATUS.values()):
        assert issubclass(kind, obs.OpenAIError)


def test_classes_become_openais_when_the_program_imports_it() -> None:
    pytest.importorskip("openai")
    program = """
import importlib.util, pickle, sys
import edgequake_obs as obs
assert "openai" not in sys.modules and "wrapt" not in sys.modules and "importlib.abc" not in sys.modules
early = obs.RateLimitError("slow down", "openai", "m")
importlib.util.find_spec("openai")  # looking for it is not importing it
import openai
assert openai.__spec__.loader is openai.__loader__ and "exec_module" not in vars(openai.__loader__)
assert not [finder for finder in sys.meta_path if type(finder).__module__.startswith("edgequake_obs")]
for theirs, ours in {
    openai.AuthenticationError: obs.AuthenticationError, openai.RateLimitError: obs.RateLimitError,
    openai.BadRequestError: obs.ContextWindowExceededError, openai.APITimeoutError: obs.Timeout,
    openai.APIConnectionError: obs.Timeout, openai.APIStatusError: obs.ServiceUnavailableError,
    openai.APIError: obs.APIError, openai.OpenAIError: obs.OpenAIError,
}.items():
    assert issubclass(ours, theirs), (ours, theirs)
assert not issubclass(obs.APIError, openai.APIStatusError)
assert not issubclass(obs.BudgetExceededError, openai.OpenAIError)
try:
    obs.completion("gpt-4o", [])
except openai.AuthenticationError as error:
    assert isinstance(pickle.loads(pickle.dumps(error)), openai.AuthenticationError)
else:
    raise SystemExit("no error")
assert isinstance(early, openai.RateLimitError)
"""
    run(program, EDGEQUAKE_OBS_LEDGER="off")


def test_classes_are_openais_where_it_was_imported_before() -> None:
    pytest.importorskip("openai")
    program = "import openai, edgequake_obs; assert issubclass(edgequake_obs.NotFoundError, openai.NotFoundError)"
    run(program, EDGEQUAKE_OBS_LEDGER="off")


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b'{"choices": [', b"[]", b"null", b'"x"'])
def test_an_answer_that_is_none(server: Server, ask_either_way: Ask, ledger: Ledger, body: bytes) -> None:
    server.will(Answer(200, body))
    with pytest.raises(obs.InternalServerError):
        ask_either_way()
    row = ledger.call()
    assert (row["outcome"], row["http_status"]) == ("error", 200)


def test_an_error_with_status_200(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(Answer(200, b'{"error": {"message": "overloaded", "code": 503}}'))
    with pytest.raises(obs.ServiceUnavailableError, match="overloaded"):
        ask(max_retries=0)
    assert ledger.call()["outcome"] == "error"


def test_timeout(server: Server, ask_either_way: Ask, ledger: Ledger) -> None:
    go = threading.Event()
    server.will(Answer(body=[go]))
    with pytest.raises(obs.Timeout) as raised:
        ask_either_way(timeout=0.1, max_retries=0)
    go.set()
    assert raised.value.status_code == 408
    assert raised.value.response is None
    assert "0.1" in str(raised.value)
    row = ledger.call()
    assert (row["outcome"], row["error_type"]) == ("error", "timeout")


def test_timeout_of_the_global(server: Server, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obs, "request_timeout", 0.1)
    go = threading.Event()
    server.will(Answer(body=[go]))
    with pytest.raises(obs.Timeout):
        ask(timeout=None, max_retries=0)
    go.set()


def test_refused_connection(ledger: Ledger) -> None:
    server = Server()  # it does not listen
    with pytest.raises(obs.APIConnectionError) as raised:
        obs.completion("m", [], api_base=server.base, api_key="k", max_retries=0)
    server.close()
    assert type(raised.value) is obs.APIConnectionError
    assert (raised.value.llm_provider, raised.value.response, raised.value.status_code) == ("openai", None, 500)
    assert "127.0.0.1" in str(raised.value)
    row = ledger.call()
    assert (row["outcome"], row["error_type"], row["http_status"]) == ("error", "connection_error", None)


@pytest.mark.parametrize("status", BY_STATUS)
def test_pickled_and_copied(server: Server, ask: Ask, status: int) -> None:
    server.will(Answer(status, error("it says no", "some_code")))
    with pytest.raises(obs.OpenAIError) as raised:
        ask(max_retries=0)
    for back in (pickle.loads(pickle.dumps(raised.value)), copy.copy(raised.value), copy.deepcopy(raised.value)):
        assert type(back) is type(raised.value)
        assert str(back) == str(raised.value)
        for name in ("message", "status_code", "llm_provider", "model", "num_retries", "code"):
            assert getattr(back, name) == getattr(raised.value, name)
        assert back.response.text == raised.value.response.text  # type: ignore[union-attr]


def test_made_as_litellm_makes_them() -> None:
    made = obs.RateLimitError("slow down", "openai", "gpt-4o")
    assert (made.message, made.llm_provider, made.model, made.status_code) == ("slow down", "openai", "gpt-4o", 429)
    assert str(obs.BadRequestError(message="no", model="m", llm_provider="openai")) == "no"


def test_an_error_event_in_a_stream(server: Server, ask: Ask, ledger: Ledger) -> None:
    failed = sse({"error": {"message": "it broke", "type": "server_error", "code": "boom"}})
    server.will(Answer(body=[event("a"), event("b"), failed, event("c"), DONE]))
    stream = ask(stream=True)
    assert [next(stream).choices[0].delta.content for _ in "ab"] == ["a", "b"]
    with pytest.raises(obs.MidStreamFallbackError, match="it broke") as raised:
        next(stream)
    assert (raised.value.code, raised.value.llm_provider) == ("boom", "openai")
    row = ledger.call()
    assert (row["outcome"], row["error_type"], row["http_status"], row["chunks"]) == ("error", "boom", 200, 2)


def test_an_error_event_in_an_async_stream(server: Server, ledger: Ledger) -> None:
    server.will(Answer(body=[event("a"), sse({"error": {"message": "slow down", "code": 429}}), DONE]))
    seen: list[Any] = []

    async def read() -> None:
        stream: Any = await obs.acompletion("m", [], api_base=server.base, api_key="k", stream=True)
        async for chunk in stream:
            seen.append(chunk.choices[0].delta.content)

    with pytest.raises(obs.RateLimitError, match="slow down"):
        asyncio.run(read())
    assert seen == ["a"]
    assert ledger.call()["outcome"] == "error"


def test_a_stream_that_is_no_stream(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(Answer(body=[event("a"), b"data: {broken\n\n", DONE]))
    stream = ask(stream=True)
    assert next(stream).choices[0].delta.content == "a"
    with pytest.raises(obs.MidStreamFallbackError):
        next(stream)
    assert ledger.call()["outcome"] == "error"


def test_a_key_in_an_error_is_masked(server: Server, ask: Ask, ledger: Ledger) -> None:
    key = "sk-0123456789abcdefghijklmnop"
    server.will(Answer(401, error(f"Incorrect API key provided: {key}.")))
    with pytest.raises(obs.AuthenticationError) as raised:
        ask(api_key=key)
    found = raised.value
    assert found.response is not None
    assert key not in f"{found} {found!r} {vars(found)} {found.response.text} {ledger.call()}"


def test_the_program_goes_on(server: Server, ask_either_way: Ask) -> None:
    server.will(Answer(400, error()), Answer(body=chat()))
    with pytest.raises(obs.BadRequestError):
        ask_either_way()
    assert ask_either_way().choices[0].message.content == "Hello."


@pytest.mark.parametrize(
    ("provider", "status", "expected", "given"),
    [
        ("groq", 504, obs.Timeout, 504),
        ("groq", 422, obs.BadRequestError, 422),
        ("groq", 529, obs.APIError, 529),
        ("azure", 500, obs.APIError, 500),
        ("huggingface", 504, obs.APIError, 504),
    ],
)
def test_the_exceptions_status(server: Server, ask: Ask, provider: str, status: int, expected: Any, given: int) -> None:
    server.will(Answer(status, error("no")))
    with pytest.raises(obs.OpenAIError) as raised:
        ask(model=f"{provider}/m", max_retries=0, api_version="2024-10-21")
    assert (type(raised.value), raised.value.status_code) == (expected, given)


def test_a_providers_failure_in_the_middle_is_one_to_fall_back_from(server: Server, ask: Ask) -> None:
    server.will(Answer(body=[event("a"), sse({"error": {"message": "it broke", "code": 500}})]))
    stream = ask(stream=True)
    next(stream)
    with pytest.raises(obs.MidStreamFallbackError) as raised:
        next(stream)
    assert isinstance(raised.value, obs.ServiceUnavailableError)
    assert isinstance(raised.value.original_exception, obs.InternalServerError)


@pytest.mark.parametrize("kind", [obs.APIError, obs.Timeout, obs.BadRequestError, obs.AuthenticationError])
def test_attributes_that_openais_exceptions_have(kind: Any) -> None:
    made = kind(message="no", model="m", llm_provider="groq")
    for name in ("response", "request", "body", "code", "param", "type", "num_retries", "max_retries"):
        assert getattr(made, name) is None
    with pytest.raises(TypeError, match="positional"):
        kind(*range(20))
