"""The price engine's cases through the wire: a provider's answer with that usage, and the ledger's row of the call."""

from __future__ import annotations

import collections
import json
from pathlib import Path
from typing import Any

import pytest

import edgequake_obs
from tests.unit.cost_cases import SAMPLE, WHOLE, Case, cases
from tests.unit.records import Ledger
from tests.unit.server import Answer, running

# Formats of answers in OpenAI's dialect, by the function that asks for them.
FORMATS = {
    "openai.chat": "chat",
    "xai.chat": "chat",
    "deepseek.chat": "chat",
    "openrouter.chat": "chat",
    "perplexity.chat": "chat",
    "openai.embeddings": "embeddings",
}
# Providers whose own dialect our client speaks: an answer in OpenAI's would not be theirs.
OWN_DIALECT = {"anthropic", "gemini", "ollama", "ollama_chat"}
# Facts that a call tells in another way than by an argument or in its answer.
ELSEWHERE = {"batch", "data_residency", "web_search_calls"}


def without_a_wire(case: Case) -> str | None:
    """Why a case cannot be asked of a server here; None if it can."""
    if FORMATS.get(case.usage_format.removesuffix(".stream")) is None or case.provider in OWN_DIALECT:
        return "another dialect"
    if told := ELSEWHERE & case.options.keys():
        return f"told by host, batch or tool: {', '.join(sorted(told))}"
    return "the prices of another day or hour" if case.dated else None


def answer(case: Case) -> Answer:
    tier = {"service_tier": case.options["service_tier"]} if "service_tier" in case.options else {}
    if case.usage_format.endswith(".stream"):
        text = {"id": "c", "model": case.model, "choices": [{"index": 0, "delta": {"content": "Hello."}}]}
        events = [text, *({"id": "c", "model": case.model, "choices": [], **tier, **event} for event in case.usage)]
        pieces = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
        return Answer(body=[*pieces, b"data: [DONE]\n\n"])
    body: dict[str, Any] = {"id": "c", "model": case.model, "usage": case.usage, **tier}
    if FORMATS[case.usage_format] == "embeddings":
        body["data"] = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
    else:
        body["choices"] = [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}]
    return Answer(body=json.dumps(body).encode())


def ask(case: Case, base: str) -> bool:
    """Make the call; False where our client does not know the provider."""
    given = {name: case.options[name] for name in ("base_model", "vertex_location") if name in case.options}
    given |= case.options.get("custom_pricing", {})
    named = {"model": case.model, "custom_llm_provider": case.provider, "api_base": base, "api_key": "sk-test"}
    try:
        if FORMATS[case.usage_format.removesuffix(".stream")] == "embeddings":
            edgequake_obs.embedding(input="Hello.", **named, **given)
        else:
            streaming = case.usage_format.endswith(".stream")
            found = edgequake_obs.completion(messages=[], stream=streaming, **named, **given)
            for _ in found if streaming else ():
                pass
    except edgequake_obs.BadRequestError as error:
        if "is not supported yet" not in str(error):
            raise
        return False
    return True


@pytest.mark.parametrize("path", [SAMPLE, WHOLE], ids=["sample", "whole"])
def test_cases_in_the_ledger(path: Path, tmp_path: Path) -> None:
    if not path.exists():
        pytest.skip("the corpus does not lie beside the repository: only the sample was asked")
    asked: list[Case] = []
    left_out: collections.Counter[str] = collections.Counter()
    edgequake_obs.configure(ledger=str(tmp_path / "ledger.duckdb"))
    try:
        with running() as server:
            for case in cases(path):
                reason = without_a_wire(case)
                if reason is None:
                    server.clear()
                    server.will(answer(case))
                if reason is None and not ask(case, server.base):
                    reason = f"no such provider yet: {case.provider}"
                if reason is not None:
                    left_out[reason] += 1
                    continue
                asked.append(case)
        rows = [row for row in Ledger(tmp_path / "ledger.duckdb").calls() if row["error_type"] is None]
    finally:
        edgequake_obs.configure(ledger="off")
    print(f"{len(asked)} cases were asked")
    for reason, count in left_out.most_common():
        print(f"{count:4} were not: {reason}")
    wrong = [
        f"{case.id}: {row['cost_usd']} {row['cost_status']}, not {case.usd} {case.status}"
        for case, row in zip(asked, rows, strict=True)
        if (row["cost_usd"], row["cost_status"]) != (case.usd, case.status)
    ]
    assert not wrong, "\n".join(wrong)
    assert len(asked) >= len(cases(path)) / 5
