"""Whole programs: how they end, with what they began; and whether they keep their connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest

import edgequake_obs
from edgequake_obs import patches

from .conftest import Compare
from .runs import FLAVOURS, MESSAGES, VERSION, Ledger, Program, items, only, result
from .server import Server
from .test_installing import program

ASKED: dict[str, Any] = {"model": "gpt-4o", "messages": MESSAGES}


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    patches.uninstrument()


_LEAVES = """
import asyncio, sys
import edgequake_obs
edgequake_obs.instrument("openai")
import openai

url, how, flavour = sys.argv[1:]
ASKED = {"model": "gpt-4o", "messages": [], "stream": True}

def leave(stream):
    globals()["kept"] = stream  # it lives as long as the interpreter
    if how == "by an exception":
        raise ValueError("the program's own")
    if how == "by sys.exit":
        sys.exit(3)

if flavour == "sync":
    stream = openai.OpenAI(base_url=url, api_key="none").chat.completions.create(**ASKED)
    if how != "unread":
        next(stream)
    leave(stream)
else:
    async def main():
        stream = await openai.AsyncOpenAI(base_url=url, api_key="none").chat.completions.create(**ASKED)
        if how != "unread":
            await stream.__anext__()
        leave(stream)
    asyncio.run(main())
"""


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("how", ["unread", "by its end", "by an exception", "by sys.exit"])
def test_stream_that_the_interpreters_end_leaves(server: Server, ledger: Ledger, how: str, flavour: str) -> None:
    url = server.url("stream", f"leaves-{how.replace(' ', '-')}-{flavour}", fault="stall")
    done = program(_LEAVES, url, how, flavour)
    assert done.returncode == {"by an exception": 1, "by sys.exit": 3}.get(how, 0), done.stderr
    record = only_one(ledger.new())
    # A loop that ends closes what it has begun (but in openai 1); what nobody closed is open when the interpreter ends.
    closes = flavour == "async" and how != "unread" and VERSION >= (2, 0)
    outcome = "closed_early" if closes else "abandoned"
    assert record["outcome"] == outcome, done.stderr
    assert (record["streaming"], record["request_model"]) == (True, "gpt-4o")
    if how != "unread":
        assert record["response_model"] == "gpt-4o-2024-08-06", "as far as it was read"


def only_one(records: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(records) == 1
    return records[0]


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_connections_are_kept(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        clients = [program.client(name) for name in ("chat", "stream")]
        kept: list[int] = []
        for client in clients:
            before = program.server.connections[program.run]
            for _ in range(3):
                answer = await result(client.chat.completions.create(**ASKED, stream=client is clients[1]))
                if client is clients[1]:
                    await items(answer)
            kept.append(program.server.connections[program.run] - before)
        return kept

    both = compare(situation, flavour)
    assert both.saw[0] == 1, "the same with us"
    assert len(both.records) == 6


@pytest.mark.parametrize("streams", [False, True])
def test_our_own_client_in_a_patched_program(server: Server, ledger: Ledger, streams: bool) -> None:
    patches.instrument()
    url = server.url("stream" if streams else "chat", f"own-{streams}")
    answer = edgequake_obs.completion("openai/gpt-4o", MESSAGES, stream=streams, api_base=url, api_key="none")
    if streams:
        list(answer)
    only(ledger.new(), origin="native", outcome="completed", attempts=1)


def test_our_own_client_beneath_a_call(server: Server, ledger: Ledger) -> None:
    """What a tool asks while a patched call is made is a call of its own."""
    patches.instrument("openai")
    url = server.url("chat", "beneath")
    client = openai.OpenAI(base_url=url, api_key="none")
    prepare = client._prepare_options

    def asks_first(options: Any) -> Any:
        edgequake_obs.completion("openai/gpt-4o", MESSAGES, api_base=url, api_key="none")
        return prepare(options)

    client._prepare_options = asks_first  # type: ignore[method-assign]
    client.chat.completions.create(**ASKED)
    assert sorted(record["origin"] for record in ledger.new()) == ["native", "openai"]
