"""Coverage and a debugger on functions whose code is replaced in place."""

from __future__ import annotations

import asyncio
import bdb
import inspect
import sys
import trace
from collections.abc import Iterator
from types import FrameType
from typing import Any

import openai
import openai._base_client as base
import pytest

from edgequake_obs import patches

from .runs import FLAVOURS, MESSAGES, Ledger, only
from .server import Server

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    patches.uninstrument()


def call(server: Server, flavour: str) -> str:
    made = openai.AsyncOpenAI if flavour == "async" else openai.OpenAI
    client: Any = made(base_url=server.url("chat", "traced"), api_key="none")
    asked: Any = {"model": "m", "messages": MESSAGES}
    if flavour == "sync":
        return client.chat.completions.create(**asked).id

    async def ask() -> str:
        return (await client.chat.completions.create(**asked)).id

    return asyncio.run(ask())


def hooked_lines() -> set[int]:
    """The lines of the classes whose functions are hooked, of which we call nothing ourselves."""
    found: set[int] = set()
    for owner in (base.SyncAPIClient, base.AsyncAPIClient):
        lines, first = inspect.getsourcelines(owner)
        found.update(range(first, first + len(lines)))
    return found


def counted(server: Server, flavour: str) -> dict[int, int]:
    """How often each of them ran."""
    wanted = hooked_lines()
    before = sys.gettrace()
    tracer = trace.Trace(count=1, trace=0)
    try:
        tracer.runfunc(call, server, flavour)
    finally:
        sys.settrace(before)
    counts = tracer.results().counts.items()
    return {line: times for (file, line), times in counts if file == base.__file__ and line in wanted}


def test_lines_are_counted_as_before(server: Server, ledger: Ledger, flavour: str) -> None:
    call(server, flavour)  # what is done once is done
    plain = counted(server, flavour)
    patches.instrument("openai")
    patched = counted(server, flavour)
    assert plain
    assert patched == plain
    only(ledger.new(), outcome="completed")


def test_coverage(server: Server, ledger: Ledger, flavour: str) -> None:
    coverage = pytest.importorskip("coverage")
    call(server, flavour)
    seen: list[set[int]] = []
    for patched in (False, True):
        if patched:
            patches.instrument("openai")
        measured = coverage.Coverage(data_file=None, include=[base.__file__])
        with measured.collect():
            call(server, flavour)
        seen.append(hooked_lines() & set(measured.get_data().lines(base.__file__)))
    assert len(seen[0]) > 50
    assert seen[1] == seen[0]
    only(ledger.new(), outcome="completed")


class Stepping(bdb.Bdb):
    """Steps through every line, and looks at what there is."""

    def __init__(self) -> None:
        super().__init__()
        self.functions: list[str] = []

    def user_line(self, frame: FrameType) -> None:
        if frame.f_code.co_filename in (base.__file__, "<edgequake_obs hook>"):
            self.functions.append(frame.f_code.co_name)
            assert frame.f_locals is not None
            assert frame.f_lineno is not None
        self.set_step()


def test_stepped_through(server: Server, ledger: Ledger, flavour: str) -> None:
    patches.instrument("openai")
    debugger = Stepping()
    before = sys.gettrace()
    try:
        assert debugger.runcall(call, server, flavour).startswith("chatcmpl-")
    finally:
        sys.settrace(before)
    assert "request" in debugger.functions
    assert "_process_response" in debugger.functions
    only(ledger.new(), outcome="completed", input_tokens=40)
