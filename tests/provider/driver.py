"""Asks recorded exchanges through one client, in a process of its own, and writes down what its caller got.

    python driver.py JOB      (a JSON file; see `Job` in run.py)

Prints one JSON object per call. It reads answers as a user's program does: by attribute.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TextIO

import driver_sdks  # pyright: ignore[reportMissingImports, reportImplicitRelativeImport] - beside this file

import edgequake_obs

KEY = "sk-not-a-key"


def as_text(content: Any) -> str:
    if isinstance(content, dict):
        return json.dumps(content, sort_keys=True)
    if isinstance(content, list):
        parts = [part if isinstance(part, dict) else part.model_dump() for part in content]
        return "".join(part.get("text", "") for part in parts if part.get("type") == "text")
    return content or ""


def pieces(answer: Any, part: str) -> list[dict[str, Any]]:
    """The choices of an answer (`message`) or of a chunk (`delta`)."""
    found: list[dict[str, Any]] = []
    for choice in answer.choices or []:
        message = getattr(choice, part)
        tools: list[list[Any]] = []
        for position, call in enumerate((message and message.tool_calls) or []):
            arguments = call.function.arguments or ""
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            tools.append([position if part == "message" else call.index, call.id, call.function.name, text])
        text = as_text(message.content) if message else ""
        found.append({"index": choice.index, "text": text, "tools": tools, "finish_reason": choice.finish_reason})
    return found


def usage_of(answer: Any) -> dict[str, Any] | None:
    usage = getattr(answer, "usage", None)
    if usage is None:
        return None
    return {name: getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}


class Outcome:
    """What the caller of one call got, up to the exception if there was one."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.said: dict[str, Any] = {
            "id": case["id"],
            "pieces": [],
            "usage": None,
            "vectors": 0,
            "usage_only_chunks": 0,
        }
        self._operation = case["operation"]
        self._started = time.monotonic()

    def answer(self, answer: Any) -> None:
        if not hasattr(answer, "choices") and not hasattr(answer, "data"):
            self.said["pieces"].append(answer.model_dump(mode="json"))  # Anthropic's, which only its own SDK gives
            return
        if self._operation == "embeddings":
            self.said["vectors"] = len(answer.data)
        else:
            self.said["pieces"] += pieces(answer, "message")
        self.said["usage"] = usage_of(answer)
        self.said["response_cost"] = getattr(answer, "_hidden_params", {}).get("response_cost")

    def chunk(self, chunk: Any) -> None:
        if not hasattr(chunk, "choices"):
            self.said["pieces"].append(chunk.model_dump(mode="json"))
            return
        self.said["pieces"] += pieces(chunk, "delta")
        usage = usage_of(chunk)
        self.said["usage"] = usage or self.said["usage"]
        self.said["usage_only_chunks"] += bool(usage and not chunk.choices)

    def failed(self, error: BaseException) -> None:
        kinds = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
        self.said["error"] = {"kinds": kinds, "text": str(error)[:300], "status": getattr(error, "status_code", None)}

    def ended(self) -> dict[str, Any]:
        return {**self.said, "seconds": time.monotonic() - self._started}


class OwnClient:
    """`edgequake_obs.completion` and its relatives."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job

    def arguments(self, case: dict[str, Any]) -> dict[str, Any]:
        base = "/".join([self._job["server"], "x", case["id"], *case["options"]])
        named = {"api_version": case["api_version"]} if case["vendor"] == "azure" and case["api_version"] else {}
        return {
            # What was recorded is sent, also where litellm holds that the vendor does not know it.
            "allowed_openai_params": list(case["request"]),
            **case["request"],
            **named,
            "model": f"{case['vendor']}/{case['deployment'] or case['model']}",
            "api_base": base + case.get("path", "/v1"),
            "api_key": KEY,
            "timeout": self._job["timeout"],
            "max_retries": 0,
        }

    def ask(self, case: dict[str, Any]) -> Any:
        call = edgequake_obs.embedding if case["operation"] == "embeddings" else edgequake_obs.completion
        return call(**self.arguments(case))

    def ask_async(self, case: dict[str, Any]) -> Any:
        call = edgequake_obs.aembedding if case["operation"] == "embeddings" else edgequake_obs.acompletion
        return call(**self.arguments(case))


class OpenaiPackage:
    """The openai package, told the vendor's real base URL; only the bytes on the wire go elsewhere."""

    def __init__(self, job: dict[str, Any]) -> None:
        import openai

        # openai 3 stands on httpx2, openai 2 on httpx; what is used of them is the same.
        httpx: Any = importlib.import_module("httpx2" if int(openai.__version__.split(".")[0]) >= 3 else "httpx")
        self._job = job
        self._openai = openai
        self._clients: dict[tuple[Any, ...], Any] = {}

        def elsewhere(request: Any) -> None:
            # The header is the drivers' own: which exchange this client, shared by many, asks now.
            target = request.headers.pop("x-replay").encode() + request.url.raw_path
            request.url = httpx.URL(job["server"]).copy_with(raw_path=target)

        class Elsewhere(httpx.HTTPTransport):  # pyright: ignore[reportUntypedBaseClass]
            def handle_request(self, request: Any) -> Any:
                elsewhere(request)
                return super().handle_request(request)

        class ElsewhereAsync(httpx.AsyncHTTPTransport):  # pyright: ignore[reportUntypedBaseClass]
            async def handle_async_request(self, request: Any) -> Any:
                elsewhere(request)
                return await super().handle_async_request(request)

        self._http = httpx.Client(transport=Elsewhere())
        self._http_async = httpx.AsyncClient(transport=ElsewhereAsync())

    def _client(self, case: dict[str, Any], flavour: str) -> Any:
        azure = case["deployment"] is not None
        where = (flavour, azure, case["base_url"], case["deployment"], case["api_version"])
        if where not in self._clients:
            http = self._http_async if flavour == "Async" else self._http
            named: dict[str, Any] = {"base_url": case["base_url"]}
            if azure:
                endpoint = case["base_url"].partition("/openai/")[0].rstrip("/")
                named = {
                    "azure_endpoint": endpoint,
                    "azure_deployment": case["deployment"],
                    "api_version": case["api_version"],
                }
            kind = getattr(self._openai, flavour + ("AzureOpenAI" if azure else "OpenAI"))
            self._clients[where] = kind(
                **named, api_key=KEY, http_client=http, max_retries=0, timeout=self._job["timeout"]
            )
        return self._clients[where]

    def _ask(self, case: dict[str, Any], flavour: str) -> Any:
        client = self._client(case, flavour)
        create = client.embeddings.create if case["operation"] == "embeddings" else client.chat.completions.create
        named = inspect.signature(create).parameters
        request = {"model": case["model"], **case["request"]}
        known = {name: value for name, value in request.items() if name in named}
        extra = {name: value for name, value in request.items() if name not in named}
        target = "/".join(["/x", case["id"], *case["options"]])
        return create(**known, extra_body=extra or None, extra_headers={"x-replay": target})

    def ask(self, case: dict[str, Any]) -> Any:
        return self._ask(case, "")

    def ask_async(self, case: dict[str, Any]) -> Any:
        return self._ask(case, "Async")


class Client(Protocol):
    """What asks a case, either way."""

    def ask(self, case: dict[str, Any]) -> Any: ...
    def ask_async(self, case: dict[str, Any]) -> Any: ...


# By a way's name before its flavour; a `bare` one is not patched.
CLIENTS: dict[str, Callable[[dict[str, Any]], Client]] = {
    "own": OwnClient,
    "patched": OpenaiPackage,
    "bare": OpenaiPackage,
    "litellm": lambda job: driver_sdks.Litellm(OwnClient(job)),
    "anthropic": driver_sdks.Anthropic,
}
PATCHED = {"patched": "openai", "litellm": "litellm", "anthropic": "anthropic"}


def run_sync(client: Client, cases: list[dict[str, Any]], way: str, threads: int) -> Iterator[dict[str, Any]]:
    def one(case: dict[str, Any]) -> dict[str, Any]:
        outcome = Outcome(case)
        with edgequake_obs.context(tags={"exchange": case["id"], "way": way}):
            try:
                answer = client.ask(case)
                if case["request"].get("stream"):
                    for chunk in answer:
                        outcome.chunk(chunk)
                else:
                    outcome.answer(answer)
            except Exception as error:
                outcome.failed(error)
        return outcome.ended()

    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(one, cases)


async def run_async(client: Client, cases: list[dict[str, Any]], way: str) -> AsyncIterator[dict[str, Any]]:
    room = asyncio.Semaphore(16)

    async def one(case: dict[str, Any]) -> dict[str, Any]:
        async with room:
            outcome = Outcome(case)
            with edgequake_obs.context(tags={"exchange": case["id"], "way": way}):
                try:
                    answer = await client.ask_async(case)
                    if case["request"].get("stream"):
                        async for chunk in answer:
                            outcome.chunk(chunk)
                    else:
                        outcome.answer(answer)
                except Exception as error:
                    outcome.failed(error)
            return outcome.ended()

    for done in asyncio.as_completed([one(case) for case in cases]):
        yield await done


async def drive(client: Client, cases: list[dict[str, Any]], way: str, out: TextIO) -> None:
    async for said in run_async(client, cases, way):
        print(json.dumps({**said, "way": way}), file=out)


def main() -> None:
    job: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    ways, cases = job["ways"], job["cases"]
    kind = ways[0].rpartition("-")[0]
    client = CLIENTS[kind.removeprefix("bare_")](job)
    if kind in PATCHED:
        edgequake_obs.instrument(PATCHED[kind])
    with os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace") as out:
        for way in ways:
            if way.endswith("async"):
                asyncio.run(drive(client, cases, way, out))
                continue
            for said in run_sync(client, cases, way, job["threads"]):
                print(json.dumps({**said, "way": way}), file=out)
    if not edgequake_obs.flush(10):
        raise SystemExit("flush() gave up")


if __name__ == "__main__":
    main()
