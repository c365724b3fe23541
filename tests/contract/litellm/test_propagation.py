"""Providers are told of a request's trace, whichever of litellm's ways to them it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import litellm
import pytest

import edgequake_obs
from contract.runs import FLAVOURS, MESSAGES, Ledger, Program, items, observe, result
from contract.server import Server

OWN = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"


@pytest.fixture(autouse=True)
def _asked_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("EDGEQUAKE_OBS_PROPAGATE", "1")
    edgequake_obs.configure(otel="http://127.0.0.1:9")
    edgequake_obs.instrument("litellm")
    yield
    edgequake_obs.uninstrument()
    monkeypatch.undo()
    edgequake_obs.configure(otel="off")


async def complete(program: Program, exchange: str, **arguments: Any) -> Any:
    url = program.url(exchange)
    if arguments["model"].startswith("anthropic/"):
        url = f"{url}/messages"
    function = litellm.acompletion if program.asynchronous else litellm.completion
    where: dict[str, Any] = {"messages": MESSAGES, "api_base": url, "api_key": "sk-none", "max_tokens": 64}
    answer = await result(function(**where, **arguments))
    if not arguments.get("stream"):
        return answer
    # litellm's streams have both ways, of which only the one asked for works.
    return await items(answer) if program.asynchronous else list(answer)


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    ("model", "exchange", "streaming"),
    [
        ("openai/gpt-4o", "chat", False),  # by the openai SDK
        ("openai/gpt-4o", "stream", True),
        ("anthropic/claude-sonnet-4-5", "message", False),  # by its own HTTP client
        ("anthropic/claude-sonnet-4-5", "message-stream", True),
    ],
)
def test_they_are_told(
    model: str, exchange: str, streaming: bool, flavour: str, server: Server, ledger: Ledger
) -> None:
    run = f"told-{exchange}-{flavour}"
    program = Program(server, flavour == "async", run)
    observe(lambda program: complete(program, exchange, model=model, stream=streaming), program)
    (record,), (sent,) = ledger.new(), server.take(run)
    assert record["outcome"] == "completed", (record.get("error_type"), record.get("error_message"))
    assert sent.headers["traceparent"] == f"00-{record['trace_id']}-{record['span_id']}-01"


@pytest.mark.parametrize("model", ["openai/gpt-4o", "anthropic/claude-sonnet-4-5"])
def test_what_the_program_sets_itself_stays(model: str, server: Server) -> None:
    exchange = "chat" if model.startswith("openai") else "message"
    program = Program(server, False, f"own-{exchange}")
    own = {"Traceparent": OWN}
    observe(lambda program: complete(program, exchange, model=model, extra_headers=own), program)
    (sent,) = server.take(program.run)
    assert sent.headers["traceparent"] == OWN
