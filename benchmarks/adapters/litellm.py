"""litellm as it comes, without callbacks; its price table from the package, as there is no network."""

from __future__ import annotations

import importlib
import os
import time
from typing import Any

from benchmarks.adapters import CONTENT, MESSAGES, MODEL

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
litellm: Any = importlib.import_module("litellm")  # it is in the peers' environment only: no types here


class Adapter:
    def __init__(self, port: int) -> None:
        litellm.telemetry = False
        litellm.suppress_debug_info = True
        base = f"http://127.0.0.1:{port}/v1"
        self._asked: dict[str, Any] = {"model": f"openai/{MODEL}", "api_base": base, "api_key": "sk-x"}

    def call(self) -> None:
        answer: Any = litellm.completion(messages=MESSAGES, **self._asked)
        assert answer.choices[0].message.content == CONTENT

    async def acall(self) -> None:
        answer: Any = await litellm.acompletion(messages=MESSAGES, **self._asked)
        assert answer.choices[0].message.content == CONTENT

    def stream(self) -> tuple[float, int]:
        chunks, letters, first = 0, 0, 0.0
        answer: Any = litellm.completion(messages=MESSAGES, stream=True, **self._asked)
        for chunk in answer:
            letters += len(chunk.choices[0].delta.content or "")
            if not chunks:
                first = time.perf_counter()
            chunks += 1
        assert letters
        return first, chunks

    async def astream(self) -> tuple[float, int]:
        chunks, letters, first = 0, 0, 0.0
        answer: Any = await litellm.acompletion(messages=MESSAGES, stream=True, **self._asked)
        async for chunk in answer:
            letters += len(chunk.choices[0].delta.content or "")
            if not chunks:
                first = time.perf_counter()
            chunks += 1
        assert letters
        return first, chunks

    def settle(self) -> None:
        pass
