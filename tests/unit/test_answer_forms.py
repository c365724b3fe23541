"""What litellm makes of answers and streams of OpenAI's dialect: fields set apart, reasons named, ends filled in."""

from __future__ import annotations

import json
from typing import Any

import pytest

import edgequake_obs as obs

from .conftest import Ask
from .records import Ledger
from .server import DONE, Answer, Server, chat, event

HELLO = [{"role": "user", "content": "Hello, who are you?"}]


def _answer(**changes: object) -> str:
    body: dict[str, Any] = json.loads(chat())
    message = {name: value for name, value in changes.items() if name != "finish_reason"}
    body["choices"] = [{"index": 0, "message": message, "finish_reason": changes.get("finish_reason", "stop")}]
    return json.dumps(body)


def test_what_openais_messages_do_not_have_stands_apart(server: Server, ask: Ask) -> None:
    said = {"role": "assistant", "content": "Hi", "reasoning": "Hm.", "odd": 1}
    server.will(*[Answer(body=_answer(**said).encode())] * 3)
    by_sdk = ask(model="openai/gpt-4o-mini").choices[0].message
    assert by_sdk.reasoning_content == "Hm."
    assert by_sdk.provider_specific_fields == {"reasoning": "Hm.", "odd": 1, "refusal": None}
    read = ask(model="together_ai/m").choices[0].message
    assert read.provider_specific_fields == {"reasoning": "Hm.", "odd": 1}
    kept = ask(model="groq/m").choices[0].message
    assert (kept.reasoning, kept.odd) == ("Hm.", 1)


def test_reasoning_in_tags_and_reasons_of_others(server: Server, ask: Ask) -> None:
    server.will(Answer(body=_answer(content="<think>a</think>b", finish_reason="eos").encode()))
    choice = ask(model="deepseek/deepseek-chat").choices[0]
    assert (choice.message.reasoning_content, choice.message.content) == ("a", "b")
    assert choice.finish_reason == "stop"
    assert choice.provider_specific_fields == {"native_finish_reason": "eos"}


@pytest.mark.parametrize(
    ("model", "named"),
    [("openai/m", ""), ("perplexity/m", "perplexity/"), ("xai/m", ""), ("fireworks_ai/m", "fireworks_ai/")],
)
def test_the_model_that_answered(server: Server, ask: Ask, ledger: Ledger, model: str, named: str) -> None:
    server.will(Answer(body=chat(model="served")))
    assert ask(model=model).model == f"{named}served"
    assert ledger.call()["response_model"] == "served"


def test_a_stream_without_a_reason_gets_an_end(server: Server, ask: Ask) -> None:
    server.will(Answer(body=[event("Hel"), event("lo"), DONE]))
    chunks = list(ask(stream=True, model="perplexity/sonar"))
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, "stop"]
    assert [chunk.model for chunk in chunks] == ["sonar", "sonar", "perplexity/sonar"]
    whole = obs.stream_chunk_builder(chunks, HELLO)
    assert whole is not None
    assert (whole.model, whole.choices[0].message.content) == ("perplexity/sonar", "Hello")
    server.will(Answer(body=[event("x", finish="length"), DONE]))
    assert [chunk.choices[0].finish_reason for chunk in ask(stream=True)] == ["length"]


def test_usage_is_shown_to_who_asks(server: Server, ask: Ask, ledger: Ledger) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    server.will(Answer(body=[event("Hi", finish="stop", usage=usage), DONE]))
    chunks = list(ask(stream=True))
    assert not any("usage" in chunk for chunk in chunks)
    assert ledger.call()["input_tokens"] == 3
    whole = obs.stream_chunk_builder(chunks)
    assert whole is not None
    assert whole.usage.total_tokens == 5


def test_a_usage_that_does_not_come_is_counted(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(Answer(body=[event("Hello"), event(" world", finish="stop"), DONE]))
    chunks = list(ask(stream=True, model="hosted_vllm/m", messages=HELLO, stream_options={"include_usage": True}))
    usage = chunks[-1].usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (13, 2)
    assert not any("usage" in chunk for chunk in chunks[:-1])
    row = ledger.call()
    assert (row["output_tokens"], row["cost_status"]) == (None, "unpriced")
