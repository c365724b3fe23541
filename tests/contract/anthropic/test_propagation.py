"""Providers are told of a request's trace by the anthropic SDK too."""

from __future__ import annotations

import pytest

import edgequake_obs
from contract.anthropic.test_anthropic import message
from contract.runs import FLAVOURS, Ledger, Program, items, observe
from contract.server import Server


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("streaming", [False, True])
def test_they_are_told(
    streaming: bool, flavour: str, server: Server, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEQUAKE_OBS_PROPAGATE", "1")
    edgequake_obs.configure(otel="http://127.0.0.1:9")
    edgequake_obs.instrument("anthropic")

    async def situation(program: Program) -> object:
        answer = await message(program, "message-stream" if streaming else "message", stream=streaming)
        return await items(answer) if streaming else answer

    program = Program(server, flavour == "async", f"told-{streaming}-{flavour}")
    try:
        observe(situation, program)
    finally:
        edgequake_obs.uninstrument()
        monkeypatch.undo()
        edgequake_obs.configure(otel="off")
    (record,), (sent,) = ledger.new(), server.take(program.run)
    assert sent.headers["traceparent"] == f"00-{record['trace_id']}-{record['span_id']}-01"
