"""Calls that get spoilt answers: one record each, an exception that the client's users know, and nothing else.

python -m tests.fuzz.calling LEDGER SEED FIRST LAST      prints what is wrong; nothing if nothing is
"""

from __future__ import annotations

import asyncio
import resource
import sys
from typing import Any

import edgequake_obs
from edgequake_obs.demo.recording import Exchange
from tests.provider import corpus

from .mutations import Mutations
from .server import answering

_TIMEOUT = 3.0  # seconds
_MOST_MEMORY = 400 << 10  # kB above the start
# One of so many goes through the openai package, which takes a hundred times as long.
_PATCHED = 25

MESSAGES = [{"role": "user", "content": "Hello"}]


def spoilt(seed: int, number: int) -> tuple[Exchange, bytes]:
    """The exchange that case `number` begins with, and what is made of its answer."""
    exchanges = [case.exchange for case in corpus.sample().values()]
    exchange, other = exchanges[number % len(exchanges)], exchanges[(number * 7 + 3) % len(exchanges)]
    return exchange, Mutations(seed * 1_000_003 + number).response(exchange, other)


class Caller:
    """Makes the calls of one run."""

    def __init__(self, base: str, seed: int) -> None:
        import openai

        self._base = base
        self._seed = seed
        self._openai = openai
        self._loop = asyncio.new_event_loop()

    def call(self, number: int) -> None:
        """Makes call `number`; an exception that its caller could not expect passes through."""
        exchange, _ = spoilt(self._seed, number)
        streaming = exchange.streaming
        if exchange.operation == "embeddings":
            self._own(number, edgequake_obs.embedding, input="Hello")
        elif number % _PATCHED == 0:
            self._patched(number, streaming)
        elif number % 3 == 0:
            self._loop.run_until_complete(self._own_async(number, streaming))
        else:
            self._own(number, edgequake_obs.completion, messages=MESSAGES, stream=streaming)

    def _arguments(self, number: int) -> dict[str, Any]:
        base = f"{self._base}/{number}/v1"
        return {"model": "openai/m", "api_base": base, "api_key": "sk-x", "max_retries": 0, "timeout": _TIMEOUT}

    def _own(self, number: int, function: Any, **asked: Any) -> None:
        try:
            answer = function(**self._arguments(number), **asked)
            for chunk in answer if asked.get("stream") else [answer]:
                _read(chunk)
        except edgequake_obs.OpenAIError as error:
            str(error)

    async def _own_async(self, number: int, streaming: bool) -> None:
        try:
            answer: Any = await edgequake_obs.acompletion(
                **self._arguments(number), messages=MESSAGES, stream=streaming
            )
            if streaming:
                async for chunk in answer:
                    _read(chunk)
            else:
                _read(answer)
        except edgequake_obs.OpenAIError as error:
            str(error)

    def _patched(self, number: int, streaming: bool) -> None:
        outcomes: list[str] = []
        for patched in (False, True):
            (edgequake_obs.instrument if patched else edgequake_obs.uninstrument)()
            try:
                with self._openai.OpenAI(
                    base_url=f"{self._base}/{number}/v1", api_key="sk-x", max_retries=0, timeout=_TIMEOUT
                ) as client:
                    # Asked for here, since the patch would ask for it otherwise, and hide the chunk that comes of it.
                    asked = {"stream": True, "stream_options": {"include_usage": True}} if streaming else {}
                    answer: Any = client.chat.completions.create(model="m", messages=MESSAGES, **asked)
                    outcomes.append(str([str(chunk) for chunk in answer] if streaming else answer))
            except Exception as error:
                outcomes.append(type(error).__name__)
        if outcomes[0] != outcomes[1]:
            start = next(
                (i for i, (a, b) in enumerate(zip(*outcomes, strict=False)) if a != b), min(map(len, outcomes))
            )
            said = [outcome[max(start - 40, 0) : start + 100] for outcome in outcomes]
            print(f"{number}: the openai package says {said[0]!r}, patched: {said[1]!r}")


def _read(answer: Any) -> None:
    """As a program reads it: by attribute, and all of it."""
    choices = getattr(answer, "choices", None)
    for choice in choices if isinstance(choices, list) else []:
        message = getattr(choice, "message", None) or getattr(choice, "delta", None)
        for name in ("content", "role", "tool_calls"):
            getattr(message, name, None)
    getattr(answer, "usage", None)
    answer.model_dump()
    str(answer)


def main(arguments: list[str]) -> int:
    ledger, seed, first, last = arguments[0], int(arguments[1]), int(arguments[2]), int(arguments[3])
    edgequake_obs.configure(ledger=ledger)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with answering(lambda number: spoilt(seed, number)[1]) as base:
        caller = Caller(base, seed)
        for number in range(first, last):
            with edgequake_obs.context(tags={"case": str(number)}):
                try:
                    caller.call(number)
                except Exception as error:
                    print(f"{number}: {type(error).__name__}: {error!s:.300}")
    if not edgequake_obs.flush(30):
        print("the records are not written")
    if errors := edgequake_obs.stats()["internal_errors"]:
        print(f"{errors} internal errors")
    if (grown := resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) > _MOST_MEMORY:
        print(f"{grown >> 10} MB more memory")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
