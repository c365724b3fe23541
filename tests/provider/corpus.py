"""The recorded exchanges that the tests play back: which of them speak OpenAI's dialect, and how a client asks them.

A sample lies beside this file and is always played; the whole corpus is played where it lies beside the repository.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import re
from pathlib import Path
from typing import Any

from edgequake_obs.demo.recording import Exchange, load

SAMPLE = Path(__file__).with_name("data") / "exchanges.jsonl"
WHOLE = Path(__file__).resolve().parents[3] / "shared" / "recordings" / "exchanges.jsonl.gz"

# Ends of hosts, and the prefix by which litellm's users name the vendor that answers there. Written down here a second
# time on purpose: the tests must not ask the code under test whom it takes the vendor for.
VENDORS = {
    "api.openai.com": "openai",
    "openai.azure.com": "azure",
    "services.ai.azure.com": "azure_ai",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.together.ai": "together_ai",
    "api.together.xyz": "together_ai",
    "openrouter.ai": "openrouter",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "xai",
    "api.cerebras.ai": "cerebras",
    "router.huggingface.co": "huggingface",
    "api.z.ai": "zai",
    "ai-gateway.vercel.sh": "vercel_ai_gateway",
    "api.voyageai.com": "voyage",
    "azuredatabricks.net": "databricks",
    "snowflakecomputing.com": "snowflake",
}
# Whom nobody can recognise by its host is asked, and recorded, as what its dialect is called after.
UNKNOWN_VENDOR = "openai"

_ENDPOINT = {"chat": "/chat/completions", "embeddings": "/embeddings"}
_ASKED_BY = {"chat": "messages", "embeddings": "input"}
_AZURE_DEPLOYMENT = re.compile(r"/openai/deployments/([^/]+)/")


@dataclasses.dataclass(frozen=True)
class Case:
    """One exchange as both clients ask it.

    Attributes:
        exchange: What is played back.
        vendor: litellm's id of whoever answers at the recorded host.
        base_url: The vendor's own base URL, which the patched package is given.
        deployment: Azure's deployment name where the URL names one, else None.
        api_version: Azure's `api-version`, else None.
    """

    exchange: Exchange
    vendor: str
    base_url: str
    deployment: str | None
    api_version: str | None

    @property
    def id(self) -> str:
        return self.exchange.id

    @property
    def asked_as(self) -> str:
        """The prefix by which our own client asks it: `ollama/` would be Ollama's native dialect."""
        return UNKNOWN_VENDOR if self.vendor == "ollama" else self.vendor

    def to_json(self) -> dict[str, Any]:
        """What a driver needs to ask it."""
        exchange = self.exchange
        return {
            "id": exchange.id,
            "operation": exchange.operation,
            "streaming": exchange.streaming,
            "model": exchange.request.get("model") or exchange.model,
            "request": exchange.request,
            "vendor": self.asked_as,
            "base_url": self.base_url,
            "deployment": self.deployment,
            "api_version": self.api_version,
        }


def not_openai_dialect(exchange: Exchange) -> str | None:
    """Why an exchange cannot be asked through an OpenAI client; None if it can."""
    if exchange.operation not in _ENDPOINT:
        return "another operation"
    if not exchange.path.partition("?")[0].endswith(_ENDPOINT[exchange.operation]):
        return "another path: the provider's own dialect"
    if not exchange.request:
        return "no request body: not a call of a model"
    if _ASKED_BY[exchange.operation] not in exchange.request:
        return f"the request has no {_ASKED_BY[exchange.operation]!r}: another dialect under the same path"
    return None


def case_of(exchange: Exchange) -> Case:
    """How an exchange of OpenAI's dialect is asked."""
    path, _, query = exchange.path.partition("?")
    # Some recorders wrote a placeholder into the host, or lost it.
    host = re.sub("<[^>]*>", "somewhere", exchange.host) or "localhost:9999"
    scheme = "http" if re.search(r":\d+$", host) else "https"
    deployment = _AZURE_DEPLOYMENT.search(path)
    version = re.search(r"api-version=([^&]+)", query)
    vendor = next((name for end, name in VENDORS.items() if host.endswith(end)), UNKNOWN_VENDOR)
    return Case(
        exchange=exchange,
        vendor="ollama" if host.endswith(":11434") else vendor,
        base_url=f"{scheme}://{host}{path.removesuffix(_ENDPOINT[exchange.operation])}",
        deployment=deployment[1] if deployment else None,
        api_version=version[1] if version else None,
    )


@functools.cache
def sample() -> dict[str, Case]:
    """The exchanges that lie beside this file."""
    return {exchange.id: case_of(exchange) for exchange in load(SAMPLE).values()}


@functools.cache
def whole() -> tuple[dict[str, Case], collections.Counter[tuple[str, str, str]]]:
    """Every chat and embeddings exchange of the corpus that speaks OpenAI's dialect; and those that do not, counted
    by provider, operation and reason."""
    cases: dict[str, Case] = {}
    excluded: collections.Counter[tuple[str, str, str]] = collections.Counter()
    for exchange in load(WHOLE).values():
        reason = not_openai_dialect(exchange)
        if reason is None:
            cases[exchange.id] = case_of(exchange)
        elif exchange.operation in _ENDPOINT:
            excluded[exchange.provider, exchange.operation, reason] += 1
    return cases, excluded
