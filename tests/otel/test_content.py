"""Prompts and answers, only where they are asked for."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

import edgequake_obs
from tests.unit.records import Ledger
from tests.unit.server import DONE, USAGE_EVENT, Answer, Server, chat, event

from .conftest import MESSAGES, Ask
from .receiver import Receiver

ASKED = [{"role": "user", "parts": [{"type": "text", "content": "Say hello."}]}]
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "Hello."}], "finish_reason": "stop"}]
STREAM = [event("Hel"), event("lo."), event(finish="stop"), USAGE_EVENT, DONE]
VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def on_span(receiver: Receiver) -> dict[str, Any]:
    """The content of the last span."""
    names = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions")
    found = receiver.spans[-1].attributes
    return {name: json.loads(found[name]) for name in names if name in found}


@pytest.mark.parametrize(
    ("value", "in_ledger", "on_spans"),
    [
        (None, False, False),
        ("NO_CONTENT", False, False),
        ("false", False, False),
        ("true", True, True),
        ("SPAN_ONLY", True, True),
        ("span_and_event", True, True),
        ("EVENT_ONLY", True, False),
    ],
)
def test_where_it_goes(
    value: str | None,
    in_ledger: bool,
    on_spans: bool,
    ask: Ask,
    server: Server,
    native: Receiver,
    ledger: Ledger,
) -> None:
    edgequake_obs.configure(capture_content=value)
    server.will(Answer(body=chat()))
    ask()
    assert edgequake_obs.flush()
    content = ledger.call()["content"]
    assert (content is not None) == in_ledger
    if in_ledger:
        assert json.loads(content) == {"input": ASKED, "output": ANSWERED}
    said = {"gen_ai.input.messages": ASKED, "gen_ai.output.messages": ANSWERED}
    assert on_span(native) == (said if on_spans else {})


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("client", ["own", "patched"])
def test_of_every_client(client: str, streaming: bool, ask: Ask, server: Server, native: Receiver) -> None:
    edgequake_obs.configure(capture_content=True)
    server.will(Answer(body=STREAM if streaming else chat()))
    if client == "own":
        answer = ask(stream=streaming)
    else:
        edgequake_obs.instrument("openai")
        try:
            package = openai.OpenAI(base_url=server.base, api_key="sk-none", max_retries=0)
            answer = package.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=streaming)  # type: ignore[call-overload]
        finally:
            edgequake_obs.uninstrument()
    if streaming:
        list(answer)
    assert edgequake_obs.flush()
    assert on_span(native) == {"gen_ai.input.messages": ASKED, "gen_ai.output.messages": ANSWERED}


TOOLS = [
    {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}},
    {"type": "custom", "custom": {"name": "write"}},
]


@pytest.mark.parametrize("client", ["own", "patched"])
@pytest.mark.parametrize("captured", [True, False])
def test_the_tools_that_a_model_has(captured: bool, client: str, ask: Ask, server: Server, native: Receiver) -> None:
    edgequake_obs.configure(capture_content=captured)
    server.will(Answer(body=chat()))
    if client == "own":
        ask(tools=TOOLS)
    else:
        edgequake_obs.instrument("openai")
        try:
            package: Any = openai.OpenAI(base_url=server.base, api_key="sk-none", max_retries=0)
            package.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, tools=TOOLS)
        finally:
            edgequake_obs.uninstrument()
    assert edgequake_obs.flush()
    found = native.spans[-1].attributes.get("gen_ai.tool.definitions")
    expected = [{"type": "function", "name": "look"}, {"type": "custom", "name": "write"}]
    assert (found and json.loads(found)) == (expected if captured else None)


def test_it_is_redacted(ask: Ask, server: Server, native: Receiver, ledger: Ledger) -> None:
    edgequake_obs.configure(capture_content=True)
    key = "sk-proj-" + "a1B2" * 10
    server.will(Answer(body=chat(f"Your key is {key}.")), Answer(body=chat("Dear Mrs Miller")))
    ask(
        messages=[{"role": "user", "content": f"My key is {key}, and yours is sk-test."}],
        api_key="the-call-s-own-key-1",
    )
    edgequake_obs.configure(redact=["Miller"])
    try:
        ask(messages=[{"role": "user", "content": "I am Mrs Miller"}])
        assert edgequake_obs.flush()
    finally:
        edgequake_obs.configure(redact=[])
    texts = json.dumps([span.attributes for span in native.spans]) + str([row["content"] for row in ledger.calls()])
    assert key not in texts
    assert "Miller" not in texts
    assert "My key is" in texts
    assert "I am Mrs" in texts


def test_what_is_long_is_cut(ask: Ask, server: Server, native: Receiver) -> None:
    edgequake_obs.configure(capture_content=True)
    server.will(Answer(body=chat()))
    ask(messages=[{"role": "user", "content": "x" * 10_000_000}])
    assert edgequake_obs.flush(10)
    assert sum(len(str(value)) for value in native.spans[0].attributes.values()) < 300_000
    assert on_span(native)["gen_ai.output.messages"] == ANSWERED
    assert on_span(native)["gen_ai.input.messages"][0]["parts"][0]["content"].endswith("[cut]")
