"""Loops of the SDK's own that ask, run the program's tools and ask again: a record for each request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Compare
from .runs import FLAVOURS, Program, result

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)

DECISION = {
    "model": "gpt-4o",
    "answers": [
        {
            "type": "choice",
            "name": "next_action",
            "choice": "press",
            "confidence": 0.9,
            "probabilities": [{"value": "press", "probability": 0.9}],
        }
    ],
    "usage": {
        "input_tokens": 100,
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 0},
        "output_tokens": 10,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 110,
    },
}


def turns(program: Program) -> tuple[str, str]:
    """A recorded response that calls a tool instead, and the one that ends the loop."""
    last = json.loads(program.server.exchanges["response"]["response_body"])
    call = {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "weather",
        "arguments": '{"city":"Bern"}',
        "status": "completed",
    }
    return json.dumps(last | {"id": "resp_first", "output": [call]}), json.dumps(last)


@pytest.mark.parametrize("streamed", [False, True])
def test_responses(compare: Compare, flavour: str, streamed: bool) -> None:
    runner = pytest.importorskip("openai.lib.responses_tool_runner", reason="this version has no tool runners")
    tool = {
        "type": "function",
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    }

    async def situation(program: Program) -> object:
        asked: list[object] = []
        first, last = turns(program)
        params: Any = {"model": "gpt-4o", "input": "The weather in Bern?"}
        if streamed:
            client = program.client(program.serve("turns", events(first), events(last), content_type=EVENTS))
        else:
            client = program.client(program.serve("turns", first, last))
        if program.asynchronous:

            async def look(arguments: object) -> str:
                asked.append(arguments)
                return "rain"

            made = runner.AsyncResponsesToolRunner(functions=[runner.AsyncRegisteredFunction(tool, look)])
            return await made.run(client, params, max_steps=4, stream=streamed), asked

        def look_up(arguments: object) -> str:
            asked.append(arguments)
            return "rain"

        made = runner.ResponsesToolRunner(functions=[runner.RegisteredFunction(tool, look_up)])
        return made.run(client, params, max_steps=4, stream=streamed), asked

    both = compare(situation, flavour)
    assert both.saw[1] == [{"city": "Bern"}]
    told = [(r["operation"], r["outcome"], r["streaming"], r["input_tokens"], r["cost_usd"]) for r in both.records]
    assert told == [("chat", "completed", streamed, 14, "0.000115")] * 2
    assert len({record["response_id"] for record in both.records}) == 2


EVENTS = "text/event-stream"


def events(response: str) -> str:
    """A stream that comes to this response."""
    whole = json.loads(response)
    begun = whole | {"output": [], "status": "in_progress", "usage": None}
    told: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
    for index, item in enumerate(whole["output"]):
        item.setdefault("status", "completed")
        empty = {**item, "arguments": "", "status": "in_progress"} if "arguments" in item else {**item, "content": []}
        told.append({"type": "response.output_item.added", "output_index": index, "item": empty})
        told.append({"type": "response.output_item.done", "output_index": index, "item": item})
    told.append({"type": "response.completed", "response": whole})
    lines = [json.dumps(event | {"sequence_number": number}) for number, event in enumerate(told)]
    return "".join(f"event: {json.loads(line)['type']}\ndata: {line}\n\n" for line in lines)


def test_decisions(compare: Compare, flavour: str) -> None:
    runner = pytest.importorskip("openai.lib.decisions_tool_runner", reason="this version has no decisions")
    done = json.loads(json.dumps(DECISION))
    done["answers"][0] |= {"choice": "done", "probabilities": [{"value": "done", "probability": 0.9}]}

    async def situation(program: Program) -> object:
        pressed: list[str] = []
        client = program.client(program.serve("decisions", json.dumps(DECISION), json.dumps(done)))

        def press() -> None:
            pressed.append("pressed")

        async def apress() -> None:
            press()

        async def seen() -> str:
            return "a button"

        def candidates(_: object) -> Any:
            return [
                {"id": "press", "description": "press it", "execute": apress if program.asynchronous else press},
                {"id": "done", "description": "it is done", "done": True},
            ]

        async def acandidates(observation: object) -> Any:
            return candidates(observation)

        if program.asynchronous:
            made = runner.AsyncDecisionsToolRunner(observe=seen, candidates=acandidates)
        else:
            made = runner.DecisionsToolRunner(observe=lambda: "a button", candidates=candidates)
        outcome = await result(made.run(client, {"model": "gpt-4o", "input": "Press the button."}))
        return outcome["status"], outcome["attempted_candidate_ids"], pressed

    both = compare(situation, flavour)
    assert both.saw == ["unverified", ["press"], ["pressed"]]
    told = [(r["operation"], r["outcome"], r["input_tokens"], r["output_tokens"], r["cost_usd"]) for r in both.records]
    assert told == [("chat", "completed", 100, 10, "0.00035")] * 2
