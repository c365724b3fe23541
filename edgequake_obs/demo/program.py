"""The program that the demo runs: a call of each kind, then what the ledger says about them.

Everything between the two rules is what a user's own program would look like, except that every call names a local
base URL, where the recorded answer of that call is played back.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import edgequake_obs
from edgequake_obs import cli
from edgequake_obs.demo.recording import Exchange, load
from edgequake_obs.demo.server import ReplayServer, running

# Asked through our own client, as `provider/model`, and in which way.
OWN_CLIENT = {
    "plain": [
        "groq-chat-test-groq-model-instructions-0-415fa212",
        "xai-chat-simple-0-f6a098fd",
        "deepseek-chat-chat-with-extended-thinking-deepseek-deepseek-reasoner-p-0-ca34a4e8",
        "mistral-chat-test-tool-choice-matrix-auto-mistral-0-015f3996",
    ],
    "streamed": [
        "openai-chat-simple-streaming-0-7b017cea",
        "mistral-chat-mistral-v1-chat-completions-post-1798d156-0-1884b415",
    ],
    "async": ["openai-chat-simple-0-2d7f3398", "mistral-chat-test-stop-settings-mistral-0-5309785c"],
    "async streamed": ["groq-chat-simple-streaming-0-3844c7ca"],
    "embedding": ["openai-embeddings-testopenai-test-instrumentation-0-e3a800f0"],
    "failing": [
        "openai-chat-testlm-test-exception-event-recorded-on-lm-error-0-30d2c371",
        "groq-chat-test-model-name-suggestion-groq-0-dbfad170",
    ],
}
# Asked through the openai package, after `instrument("openai")`.
OPENAI_PACKAGE = {
    "plain": "openai-chat-test-dbos-agent-run-0-d00b1095",
    "streamed": "openai-chat-test-openai-simple-request-0-d4e160cb",
    "streamed without usage": "openai-chat-test-chat-stream-0-a95af81d",
    "async": "openai-chat-simple-0-2d7f3398",
    "embedding": "openai-embeddings-testopenai-test-instrumentation-0-e3a800f0",
    "failing": "openai-chat-testlm-test-exception-event-recorded-on-lm-error-0-30d2c371",
}

# A recording's arguments are of any type, so the overloads by `stream` cannot tell which answer they lead to.
_completion: Callable[..., Any] = edgequake_obs.completion
_acompletion: Callable[..., Awaitable[Any]] = edgequake_obs.acompletion


class Tour:
    """The demo's calls, against one replaying server; each call prints a line."""

    def __init__(self, server: ReplayServer, exchanges: dict[str, Exchange]) -> None:
        self._server = server
        self._exchanges = exchanges

    def own_client(self) -> None:
        """Call through `edgequake_obs` itself, whose functions and answers are litellm's."""
        with edgequake_obs.context(user="ada", session="demo", tags={"feature": "tour", "client": "own"}) as run:
            for exchange_id in OWN_CLIENT["plain"]:
                answer = _completion(**self._own(exchange_id))
                self._line("own client", "plain", exchange_id, _said(answer.choices[0].message))
            for exchange_id in OWN_CLIENT["streamed"]:
                stream = _completion(**self._own(exchange_id))
                self._line("own client", "streamed", exchange_id, _joined(stream))
            asyncio.run(self._own_async())
            for exchange_id in OWN_CLIENT["embedding"]:
                vectors: Any = edgequake_obs.embedding(**self._own(exchange_id))
                self._line("own client", "embedding", exchange_id, f"{len(vectors.data)} vector")
            for exchange_id in OWN_CLIENT["failing"]:
                try:
                    _completion(**self._own(exchange_id), max_retries=0)
                except Exception as error:
                    self._line("own client", "failing", exchange_id, type(error).__name__)
        print(f"  {run.calls} calls so far, {run.input_tokens} tokens in, {run.cost_usd} USD")

    async def _own_async(self) -> None:
        calls = [_acompletion(**self._own(exchange_id)) for exchange_id in OWN_CLIENT["async"]]
        answers: list[Any] = await asyncio.gather(*calls)
        for exchange_id, answer in zip(OWN_CLIENT["async"], answers, strict=True):
            self._line("own client", "async", exchange_id, _said(answer.choices[0].message))
        for exchange_id in OWN_CLIENT["async streamed"]:
            stream = await _acompletion(**self._own(exchange_id))
            self._line("own client", "async streamed", exchange_id, _joined([chunk async for chunk in stream]))

    def openai_package(self) -> None:
        """Call through the openai package, which knows nothing of us; its program stays as it is."""
        openai = _package("openai")

        def client(way: str) -> Any:
            return openai.OpenAI(base_url=self._server.url(OPENAI_PACKAGE[way]), api_key="sk-demo", max_retries=0)

        def asked(way: str) -> dict[str, Any]:
            return self._exchanges[OPENAI_PACKAGE[way]].request

        edgequake_obs.instrument("openai")
        with edgequake_obs.context(user="grace", session="demo", tags={"feature": "tour", "client": "openai"}) as run:
            answer = client("plain").chat.completions.create(**asked("plain"))
            self._line("openai package", "plain", OPENAI_PACKAGE["plain"], _said(answer.choices[0].message))
            for way in ("streamed", "streamed without usage"):
                with client(way).chat.completions.create(**asked(way)) as stream:
                    self._line("openai package", way, OPENAI_PACKAGE[way], _joined(stream))
            asyncio.run(self._openai_async())
            vectors = client("embedding").embeddings.create(**asked("embedding"))
            self._line("openai package", "embedding", OPENAI_PACKAGE["embedding"], f"{len(vectors.data)} vector")
            try:
                client("failing").chat.completions.create(**asked("failing"))
            except openai.AuthenticationError as error:
                self._line("openai package", "failing", OPENAI_PACKAGE["failing"], type(error).__name__)
        edgequake_obs.uninstrument()
        print(f"  {run.calls} calls so far, {run.input_tokens} tokens in, {run.cost_usd} USD")

    async def _openai_async(self) -> None:
        exchange_id = OPENAI_PACKAGE["async"]
        asked = self._exchanges[exchange_id].request
        async with _package("openai").AsyncOpenAI(base_url=self._server.url(exchange_id), api_key="sk-demo") as client:
            answer: Any = await client.chat.completions.create(**asked)
        self._line("openai package", "async", exchange_id, _said(answer.choices[0].message))

    def _own(self, exchange_id: str) -> dict[str, Any]:
        """The arguments for our own client: what was asked when the exchange was recorded, and where it is played."""
        exchange = self._exchanges[exchange_id]
        model = f"{exchange.provider}/{exchange.model}"
        return {
            **exchange.request,
            "model": model,
            "api_base": self._server.url(exchange_id),
            "api_key": "sk-demo",
            "allowed_openai_params": list(exchange.request),  # sent as recorded, whatever litellm would refuse
        }

    def _line(self, client: str, way: str, exchange_id: str, outcome: str) -> None:
        print(f"  {client:15} {way:23} {self._exchanges[exchange_id].model:34} {outcome}")


def _package(name: str) -> Any:
    """A package that need not be installed, and whose types are therefore not known here."""
    return importlib.import_module(name)


def _said(message: Any) -> str:
    """What a message says, or which tools it calls."""
    calls: list[Any] = message.tool_calls or []
    return message.content or ", ".join(f"{call.function.name}({call.function.arguments})" for call in calls)


def _joined(chunks: Iterable[Any]) -> str:
    """What the chunks of a stream say together, with a mark between two of them."""
    return "·".join(filter(None, (_said(chunk.choices[0].delta) for chunk in chunks if chunk.choices)))


def main() -> int:
    """Run the demo with a temporary ledger; the exit status."""
    exchanges = load()
    with tempfile.TemporaryDirectory(prefix="edgequake-obs-demo-") as folder, running(exchanges) as server:
        ledger = str(Path(folder) / "ledger.duckdb")
        edgequake_obs.configure(ledger=ledger, service_name="edgequake-obs-demo")
        tour = Tour(server, exchanges)
        print("Calls (recorded answers, played back on this machine):")
        tour.own_client()
        if importlib.util.find_spec("openai"):
            tour.openai_package()
        else:
            print("  openai package  is not installed: its calls are left out")
        status = 0
        for command in (
            ["spend"],
            ["spend", "--by", "tags.client,outcome"],
            ["calls"],
        ):
            print(f"\n$ edgequake-obs {' '.join(command)}", flush=True)
            status = cli.main([*command, "--ledger", ledger]) or status
    return status
