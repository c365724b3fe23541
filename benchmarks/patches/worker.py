"""One way in a process of its own: calls with and without it in pairs, on command.

    python -m benchmarks.patches.worker WAY PORT      commands on stdin, `SCENARIO PAIRS` a line; figures as JSON

Each pair shares everything else: objects, connection, caches, the server's mood; which of the two goes first
alternates. A hot loop over the hooks alone would flatter them: here the SDK's work and the wait for the answer lie
between any two of them. Answers a line with the pairs' differences, each as microseconds by the clock and of the
thread's CPU.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.adapters import CONTENT, MESSAGES, MODEL
from benchmarks.patches.switch import Switch
from benchmarks.patches.ways import WAYS
from benchmarks.worker import figures_only, obey

WARM_UP = 2  # pairs
Taken = tuple[float, float]


def openai_call(port: int) -> Callable[..., Any]:
    client = importlib.import_module("openai").OpenAI(
        base_url=f"http://127.0.0.1:{port}/v1", api_key="sk-x", max_retries=0
    )
    # Looked up each time: some ways replace it in its class.
    return lambda **asked: client.chat.completions.create(model=MODEL, messages=MESSAGES, **asked)


def litellm_call(port: int) -> Callable[..., Any]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    litellm: Any = importlib.import_module("litellm")
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    asked: dict[str, Any] = {"model": f"openai/{MODEL}", "api_base": f"http://127.0.0.1:{port}/v1", "api_key": "sk-x"}
    return lambda **more: litellm.completion(messages=MESSAGES, **asked, **more)


CALLS = {"openai": openai_call, "litellm": litellm_call}


class Worker:
    def __init__(self, complete: Callable[..., Any], switch: Switch) -> None:
        self._complete, self._switch = complete, switch

    def measure(self, scenario: str, pairs: int) -> list[Taken]:
        once = getattr(self, f"_{scenario}")
        differences: list[Taken] = []
        for number in range(WARM_UP + pairs):
            turned_on_first = number % 2 == 0
            one, other = self._taken(once, turned_on_first), self._taken(once, not turned_on_first)
            with_, without = (one, other) if turned_on_first else (other, one)
            differences.append(((with_[0] - without[0]) * 1e6, (with_[1] - without[1]) * 1e6))
        self._switch.set(False)
        return differences[WARM_UP:]

    def _taken(self, once: Callable[[], None], turned_on: bool) -> Taken:
        if self._switch.set(turned_on):
            once()  # whose code was exchanged, the interpreter has to specialise anew
        wall, cpu = time.perf_counter(), time.thread_time()
        once()
        return time.perf_counter() - wall, time.thread_time() - cpu

    def _call(self) -> None:
        assert self._complete().choices[0].message.content == CONTENT

    def _stream(self) -> None:
        # Usage asked for by the caller, so that both sides hand on the same chunks.
        for chunk in self._complete(stream=True, stream_options={"include_usage": True}):
            if chunk.choices:
                _ = chunk.choices[0].delta.content


def main() -> None:
    figures = figures_only()
    name, port = sys.argv[1], int(sys.argv[2])
    way = WAYS[name]
    complete = CALLS[way.library](port)
    complete()  # what an SDK imports at its first call
    prepared = way.prepare(f"http://127.0.0.1:{port}")
    worker = Worker(complete, Switch(prepared, "openai", "litellm"))
    obey(worker.measure, figures)


if __name__ == "__main__":
    main()
