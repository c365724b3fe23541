"""litellm and the anthropic SDK as drivers of recorded exchanges (see driver.py), each in an environment of its own."""

from __future__ import annotations

import importlib
import inspect
import os
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else its import asks the network

_FUNCTIONS = {"chat": "completion", "embeddings": "embedding", "rerank": "rerank"}


class Litellm:
    """litellm, asked with the very arguments that our own client takes."""

    def __init__(self, own: Any) -> None:
        self._own = own
        self._litellm: Any = importlib.import_module("litellm")
        self._litellm.suppress_debug_info = True
        # What it loads at its first call takes seconds, of which a call's timeout would be a part.
        self._litellm.completion("openai/gpt-4o", [{"role": "user", "content": "x"}], mock_response="x")

    def ask(self, case: dict[str, Any]) -> Any:
        return getattr(self._litellm, _FUNCTIONS[case["operation"]])(**self._own.arguments(case))

    def ask_async(self, case: dict[str, Any]) -> Any:
        return getattr(self._litellm, "a" + _FUNCTIONS[case["operation"]])(**self._own.arguments(case))


class Anthropic:
    """The anthropic SDK, asked as recorded."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        anthropic: Any = importlib.import_module("anthropic")
        named: dict[str, Any] = {"api_key": "sk-ant-none", "max_retries": 0, "timeout": job["timeout"]}
        self._sync, self._async = anthropic.Anthropic(**named), anthropic.AsyncAnthropic(**named)

    def _ask(self, client: Any, case: dict[str, Any]) -> Any:
        base = "/".join([self._job["server"], "x", case["id"], *case["options"]])
        create = client.with_options(base_url=base).messages.create
        known = inspect.signature(create).parameters
        request = {"max_tokens": 1, **case["request"], "model": case["model"]}
        extra = {name: value for name, value in request.items() if name not in known}
        return create(**{name: request[name] for name in request if name in known}, extra_body=extra or None)

    def ask(self, case: dict[str, Any]) -> Any:
        return self._ask(self._sync, case)

    def ask_async(self, case: dict[str, Any]) -> Any:
        return self._ask(self._async, case)
