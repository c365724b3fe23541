"""Answers as the caller reads them: litellm's attributes, items and methods."""

from __future__ import annotations

import json
from typing import Any

import pytest

import edgequake_obs
from edgequake_obs.demo import recording
from edgequake_obs.demo.server import running

from .conftest import MESSAGES, Ask
from .records import Ledger
from .server import COST, DONE, USAGE, Answer, Server, chat, embeddings, event

PLAIN = "openai-chat-test-dbos-agent-run-0-d00b1095"
TOOLS = "mistral-chat-test-tool-choice-matrix-auto-mistral-0-015f3996"
REASONING = "deepseek-chat-chat-with-extended-thinking-deepseek-deepseek-reasoner-p-0-ca34a4e8"
VECTOR = "openai-embeddings-testopenai-test-instrumentation-0-e3a800f0"
EXCHANGES = recording.load()


@pytest.fixture(scope="module")
def recorded() -> Any:
    with running(EXCHANGES) as replaying:

        def ask(exchange_id: str) -> Any:
            exchange = EXCHANGES[exchange_id]
            model = f"{exchange.provider}/{exchange.model}"
            call: Any = edgequake_obs.embedding if exchange.operation == "embeddings" else edgequake_obs.completion
            return call(**{**exchange.request, "model": model, "api_base": replaying.url(exchange_id), "api_key": "sk"})

        yield ask


def body(exchange_id: str) -> Any:
    return json.loads(EXCHANGES[exchange_id].body)


def logprobs(server: Server, ask: Ask) -> Any:
    """An answer with logprobs, a list of them within each."""
    top = {"token": "Hi", "bytes": [72, 105], "logprob": -0.5}
    answer = json.loads(chat())
    answer["choices"][0]["logprobs"] = {"content": [{**top, "top_logprobs": [top]}], "refusal": None}
    server.will(Answer(body=json.dumps(answer).encode()))
    return ask(logprobs=True)


def test_attributes(recorded: Any) -> None:
    answer, sent = recorded(PLAIN), body(PLAIN)
    assert isinstance(answer, edgequake_obs.ModelResponse)
    assert answer.id == sent["id"]
    assert answer.created == sent["created"]
    assert answer.model == sent["model"]
    assert answer.object == "chat.completion"
    assert answer.system_fingerprint == sent["system_fingerprint"]
    assert answer.service_tier == "default"
    (choice,) = answer.choices
    assert isinstance(choice, edgequake_obs.Choices)
    assert (choice.finish_reason, choice.index, choice.logprobs) == ("stop", 0, None)
    assert isinstance(choice.message, edgequake_obs.Message)
    assert choice.message.content == "The capital of Mexico is Mexico City."
    assert (choice.message.role, choice.message.tool_calls, choice.message.function_call) == ("assistant", None, None)
    assert isinstance(answer.usage, edgequake_obs.Usage)
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (14, 8, 22)
    assert answer.usage.prompt_tokens_details.cached_tokens == 0
    assert isinstance(answer.usage.completion_tokens_details, edgequake_obs.CompletionTokensDetailsWrapper)


def test_items(recorded: Any) -> None:
    answer = recorded(PLAIN)
    assert answer["choices"][0]["message"]["content"] == answer.choices[0].message.content
    assert answer["usage"]["total_tokens"] == 22
    assert answer.get("model") == answer.model
    assert answer.get("nothing") is None
    assert answer.get("nothing", 3) == 3
    assert "choices" in answer
    assert "nothing" not in answer
    assert set(answer.keys()) == set(dict(answer))
    assert dict(answer)["id"] == dict(answer.items())["id"] == answer.id
    assert len(answer) == len(answer.keys()) == len(answer.values())
    with pytest.raises(KeyError):
        answer["nothing"]
    with pytest.raises(AttributeError, match="nothing"):
        _ = answer.nothing


def test_the_same_object_every_time(recorded: Any) -> None:
    answer = recorded(PLAIN)
    assert answer.choices is answer.choices is answer["choices"]
    assert answer.choices[0].message is answer["choices"][0]["message"]


def test_dumps(recorded: Any) -> None:
    answer, sent = recorded(PLAIN), body(PLAIN)
    dumped = answer.model_dump()
    assert type(dumped) is dict
    assert type(dumped["choices"][0]["message"]) is dict
    for name in ("id", "model", "created", "system_fingerprint", "service_tier"):
        assert dumped[name] == sent[name]
    assert dumped["choices"][0]["message"]["content"] == sent["choices"][0]["message"]["content"]
    assert dumped["usage"]["total_tokens"] == 22
    assert answer.json() == answer.dict() == answer.to_dict() == dumped
    assert json.loads(answer.model_dump_json()) == json.loads(answer.to_json()) == dumped
    assert "\n  " in answer.model_dump_json(indent=2)
    assert None not in answer.model_dump(exclude_none=True)["choices"][0].values()
    assert dumped["choices"][0]["logprobs"] is None


def test_cost(server: Server, ask_either_way: Ask, ledger: Ledger) -> None:
    server.will(Answer(body=chat()))
    hidden = ask_either_way()._hidden_params
    row = ledger.call()
    assert str(row["cost_usd"]).rstrip("0") == COST
    assert hidden["response_cost"] == float(row["cost_usd"])
    assert type(hidden["response_cost"]) is float
    assert hidden["custom_llm_provider"] == row["provider"] == "openai"
    assert str(row["call_uid"]) == hidden["call_uid"]


def test_cost_of_a_model_without_a_price(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(Answer(body=chat(model="nobody-knows-me")))
    assert ask(model="openai/nobody-knows-me")._hidden_params["response_cost"] is None
    assert ledger.call()["cost_usd"] is None
    assert ledger.call()["cost_status"] == "unpriced"


def test_headers_and_time(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(Answer(body=chat(), headers={"x-request-id": "req-7"}))
    answer = ask()
    assert answer._hidden_params["headers"]["x-request-id"] == "req-7"
    assert answer._hidden_params["additional_headers"]["llm_provider-x-request-id"] == "req-7"
    assert answer._response_ms == pytest.approx(ledger.call()["duration_ns"] / 1e6)


def test_tool_calls(recorded: Any) -> None:
    message = recorded(TOOLS).choices[0].message
    (call,) = message.tool_calls
    assert isinstance(call, edgequake_obs.ChatCompletionMessageToolCall)
    assert isinstance(call.function, edgequake_obs.Function)
    assert (call.id, call.function.name) == ("KikbB849t", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    assert call["function"]["name"] == "get_weather"
    assert call.type == "function", "litellm fills in what this provider leaves out"


def test_unknown_fields(recorded: Any) -> None:
    answer = recorded(REASONING)
    assert answer.choices[0].message.reasoning_content.startswith("We are asked")
    assert answer.usage.prompt_cache_miss_tokens == 12
    assert answer.usage.get("prompt_cache_hit_tokens") == 0
    assert answer.model_dump()["usage"]["prompt_cache_miss_tokens"] == 12


def test_logprobs(server: Server, ask: Ask) -> None:
    found = logprobs(server, ask).choices[0].logprobs
    assert isinstance(found, edgequake_obs.ChoiceLogprobs)
    (token,) = found.content
    assert isinstance(token, edgequake_obs.ChatCompletionTokenLogprob)
    assert (token.token, token.bytes, token.logprob) == ("Hi", [72, 105], -0.5)
    assert isinstance(token.top_logprobs[0], edgequake_obs.TopLogprob)
    assert token.top_logprobs[0].logprob == -0.5
    assert found.refusal is None


def test_setting(recorded: Any) -> None:
    answer = recorded(PLAIN)
    answer.choices[0].message.content = "something else"
    answer["model"] = "another"
    answer.mine = [1]
    assert answer.choices[0].message.content == "something else"
    dumped = answer.model_dump()
    assert (dumped["choices"][0]["message"]["content"], dumped["model"], dumped["mine"]) == (
        "something else",
        "another",
        [1],
    )
    del answer.mine
    assert not hasattr(answer, "mine")


def test_no_usage(server: Server, ask: Ask) -> None:
    sent = json.loads(chat())
    del sent["usage"]
    server.will(Answer(body=json.dumps(sent).encode()))
    usage = ask().usage
    # litellm's: an answer always has one.
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (0, 0, 0)


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 10**40, -(2**63) - 1])
def test_big_integers(server: Server, ask: Ask, number: int) -> None:
    server.will(*[Answer(body=chat(seed=number, nested={"deep": [number]}))] * 2)
    message = ask(model="groq/m").choices[0].message
    assert message.seed == number
    assert message.nested["deep"] == [number]
    assert type(message.seed) is int
    assert ask().choices[0].message.provider_specific_fields["nested"]["deep"] == [number]


def test_lone_surrogates(server: Server, ask: Ask) -> None:
    server.will(Answer(body=chat("PLACE").replace(b"PLACE", rb"a\ud83d b\u00e9 \ud83d\ude00\n")))
    answer = ask()
    # No Python string that can be encoded holds half a character.
    assert answer.choices[0].message.content == "a\ufffd b\u00e9 \U0001f600\n"
    answer.model_dump_json().encode()


def test_embeddings(recorded: Any) -> None:
    answer = recorded(VECTOR)
    assert isinstance(answer, edgequake_obs.EmbeddingResponse)
    assert isinstance(answer.data[0], edgequake_obs.Embedding)
    assert answer.data[0].embedding == answer["data"][0]["embedding"] == body(VECTOR)["data"][0]["embedding"]
    assert (answer.data[0].index, answer.data[0].object, answer.object) == (0, "embedding", "list")
    assert (answer.model, answer.usage.prompt_tokens) == ("text-embedding-3-small", 4)


def test_embeddings_of_numbers(server: Server, ledger: Ledger) -> None:
    server.will(Answer(body=embeddings([0.25, -1e-3, 3.0], [1.0])))
    arguments: dict[str, Any] = {"api_base": server.base, "api_key": "sk"}
    answer = edgequake_obs.embedding("text-embedding-3-small", ["a", "b"], **arguments)
    assert [item.embedding for item in answer.data] == [[0.25, -0.001, 3.0], [1.0]]
    assert server.request.json() == {"model": "text-embedding-3-small", "input": ["a", "b"]}
    row = ledger.call()
    assert (row["operation"], row["input_tokens"]) == ("embeddings", 4)
    assert answer._hidden_params["response_cost"] == float(row["cost_usd"])


def test_a_message_goes_into_the_next_call(recorded: Any, server: Server, ask: Ask) -> None:
    said = recorded(TOOLS).choices[0].message
    server.will(Answer(body=chat()))
    ask(messages=[*MESSAGES, said, {"role": "tool", "tool_call_id": "KikbB849t", "content": "sunny"}])
    sent = server.request.json()["messages"]
    assert sent[1]["role"] == "assistant"
    assert sent[1]["tool_calls"][0]["id"] == "KikbB849t"
    assert sent[1]["tool_calls"][0]["function"]["name"] == "get_weather"
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]


def test_usage_is_what_was_sent(server: Server, ask: Ask) -> None:
    server.will(Answer(body=chat()))
    usage = ask().usage
    assert {name: usage[name] for name in USAGE} == USAGE


def test_shortcuts(server: Server, ask: Ask) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    server.will(Answer(body=chat("Hi.", tool_calls=[call], reasoning_content="Hm.")))
    answer = ask()
    assert (answer.content, answer.thinking, answer.finish_reason) == ("Hi.", "Hm.", "stop")
    assert answer.tool_calls[0].function.name == "f"
    assert "content" not in answer.model_dump()
    with pytest.raises(AttributeError):
        answer.nothing_of_the_kind  # noqa: B018


def test_a_chunks_shortcuts(server: Server, ask: Ask) -> None:
    server.will(Answer(body=[event("Hi."), event(finish="stop"), event(choices=[]), DONE]))
    chunks = list(ask(stream=True))
    assert [chunk.content for chunk in chunks] == ["Hi.", None, None]
    assert [chunk.is_finished for chunk in chunks] == [False, True, False]
    assert [chunk.thinking for chunk in chunks] == [None] * 3
