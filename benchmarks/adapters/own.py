"""edgequake_obs' own client, with record, cost and ledger on."""

from __future__ import annotations

import time
from typing import Any

import edgequake_obs
from benchmarks.adapters import CONTENT, MESSAGES, MODEL


class Adapter:
    def __init__(self, port: int) -> None:
        base = f"http://127.0.0.1:{port}/v1"
        self._asked: dict[str, Any] = {"model": f"openai/{MODEL}", "api_base": base, "api_key": "sk-x"}

    def call(self) -> None:
        answer = edgequake_obs.completion(messages=MESSAGES, **self._asked)
        assert answer.choices[0].message.content == CONTENT

    async def acall(self) -> None:
        answer = await edgequake_obs.acompletion(messages=MESSAGES, **self._asked)
        assert answer.choices[0].message.content == CONTENT

    def stream(self) -> tuple[float, int]:
        chunks, letters, first = 0, 0, 0.0
        for chunk in edgequake_obs.completion(messages=MESSAGES, stream=True, **self._asked):
            letters += len(chunk.choices[0].delta.content or "")
            if not chunks:
                first = time.perf_counter()
            chunks += 1
        assert letters
        return first, chunks

    async def astream(self) -> tuple[float, int]:
        chunks, letters, first = 0, 0, 0.0
        async for chunk in await edgequake_obs.acompletion(messages=MESSAGES, stream=True, **self._asked):
            letters += len(chunk.choices[0].delta.content or "")
            if not chunks:
                first = time.perf_counter()
            chunks += 1
        assert letters
        return first, chunks

    def settle(self) -> None:
        assert edgequake_obs.flush(10)
