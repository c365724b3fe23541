"""The openai package, unpatched."""

from __future__ import annotations

import time
from typing import Any

import openai

from benchmarks.adapters import CONTENT, MESSAGES, MODEL


class Adapter:
    def __init__(self, port: int) -> None:
        named: dict[str, Any] = {"base_url": f"http://127.0.0.1:{port}/v1", "api_key": "sk-x", "max_retries": 0}
        self._create = openai.OpenAI(**named).chat.completions.create
        self._acreate = openai.AsyncOpenAI(**named).chat.completions.create
        self._asked: dict[str, Any] = {"model": MODEL, "messages": MESSAGES}

    def call(self) -> None:
        assert self._create(**self._asked).choices[0].message.content == CONTENT

    async def acall(self) -> None:
        assert (await self._acreate(**self._asked)).choices[0].message.content == CONTENT

    def stream(self) -> tuple[float, int]:
        chunks, letters, first = 0, 0, 0.0
        for chunk in self._create(stream=True, **self._asked):
            # The server ends with a chunk of usage alone, and this package hands it on.
            letters += len((chunk.choices and chunk.choices[0].delta.content) or "")
            if not chunks:
                first = time.perf_counter()
            chunks += 1
        assert letters
        return first, chunks

    async def astream(self) -> tuple[float, int]:
        chunks, letters, first = 0, 0, 0.0
        async for chunk in await self._acreate(stream=True, **self._asked):
            letters += len((chunk.choices and chunk.choices[0].delta.content) or "")
            if not chunks:
                first = time.perf_counter()
            chunks += 1
        assert letters
        return first, chunks

    def settle(self) -> None:
        pass
