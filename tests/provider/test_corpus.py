"""Every recorded exchange of OpenAI's dialect, through our own client and the patched openai package.

What the caller gets and what the ledger holds is compared with what the tests' own reader finds in the recorded bytes,
and the ledger's rows of the four ways with each other.
"""

from __future__ import annotations

import collections
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edgequake_obs.demo.server import ReplayServer, running

from . import corpus
from .corpus import Case
from .recorded import Answer, read
from .run import WAYS, Rows, Said, play

PARTS = 8
ERRORS = {400: "BadRequestError", 401: "AuthenticationError", 404: "NotFoundError", 429: "RateLimitError"}
# What must not differ between the rows of one exchange, whichever way it was asked.
SAME_BOTH_WAYS = (
    "operation", "provider", "request_model", "response_model", "response_id", "streaming", "outcome", "http_status",
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "reasoning_tokens",
    "audio_input_tokens", "audio_output_tokens", "estimated_input_tokens", "estimated_output_tokens", "usage",
    "cost_usd", "computed_cost_usd", "reported_cost_usd", "cost_status", "cost_breakdown", "price_key",
    "finish_reasons", "service_tier",
)  # fmt: skip


def test_the_sample_through_both_clients(tmp_path: Path) -> None:
    cases = list(corpus.sample().values())
    assert {case.vendor for case in cases} > {"openai", "azure", "groq", "mistral", "xai", "deepseek", "openrouter"}
    complain(play_and_compare(cases, tmp_path), len(cases))


@pytest.mark.parametrize("part", range(PARTS))
def test_the_whole_corpus_through_both_clients(part: int, tmp_path: Path) -> None:
    if not corpus.WHOLE.exists():
        pytest.skip("the corpus does not lie beside the repository: only the sample was played")
    cases = [case for case in corpus.whole()[0].values() if zlib.crc32(case.id.encode()) % PARTS == part]
    complain(play_and_compare(cases, tmp_path), len(cases))


def test_nothing_of_the_corpus_is_left_out_for_a_reason_nobody_knows() -> None:
    if not corpus.WHOLE.exists():
        pytest.skip("the corpus does not lie beside the repository")
    cases, excluded = corpus.whole()
    print(f"{len(cases)} exchanges are played")
    for (provider, operation, reason), count in sorted(excluded.items()):
        print(f"{count:4} {operation} of {provider} are not: {reason}")
    own_dialects = {"cohere", "gemini", "vertex_ai", "ollama", "writer"}
    others = {key: count for key, count in excluded.items() if key[0] not in own_dialects}
    assert others == {("openai", "embeddings", "no request body: not a call of a model"): 1}
    assert len(cases) > 2400


def complain(complaints: Iterable[str], played: int) -> None:
    """Fail with the complaints, the frequent kinds of them first, each with some examples."""
    kinds = collections.defaultdict[str, list[str]](list)
    for complaint in complaints:
        _, _, problem = complaint.partition(": ")
        kinds[re.sub(r"[\d.]+|'[^']*'", "…", problem)[:40]].append(complaint)
    if kinds:
        found = sorted(kinds.values(), key=len, reverse=True)
        shown = [line for kind in found for line in [f"{len(kind)} times:", *(f"    {line:.500}" for line in kind[:4])]]
        pytest.fail("\n".join([f"{sum(map(len, found))} complaints about {played} exchanges", *shown]), pytrace=False)


def play_and_compare(cases: list[Case], folder: Path) -> Iterator[str]:
    with running({case.id: case.exchange for case in cases}) as server:
        said, rows = play(server, cases, folder)
        for case in cases:
            expected = read(case.exchange)
            sound: list[str] = []
            for way in WAYS:
                problems = list(about_the_caller(case, way, expected, said))
                # Whose call broke has a row of what broke: to compare that as well would only repeat it.
                if not any("Error" in problem for problem in problems):
                    problems += about_the_row(case, way, expected, said, rows)
                    sound.append(way)
                yield from (f"{case.id} {way}: {problem}" for problem in problems)
            # Asked as another vendor's, a call has that one's prices as well.
            alike = (
                [sound]
                if case.asked_as == case.vendor
                else [[way for way in sound if way.startswith(kind)] for kind in ("own", "patched")]
            )
            for ways in alike:
                yield from (f"{case.id}: {problem}" for problem in about_agreement(case, ways, rows))
            yield from (f"{case.id}: {problem}" for problem in about_the_request(case, server))
        asked = {(way, case.id) for way in WAYS for case in cases}
        yield from (f"a row of no call that was made: {key}" for key in rows if key not in asked)


def about_the_caller(case: Case, way: str, expected: Answer, said: Said) -> Iterator[str]:
    """What the caller got, against the recorded bytes."""
    got = said.get((way, case.id))
    if got is None:
        yield "the driver says nothing of it"
        return
    error: dict[str, Any] | None = got.get("error")
    if case.exchange.status >= 400 or expected.error:
        home = "edgequake_obs." if way.startswith("own") else "openai."
        name = ERRORS.get(case.exchange.status, "APIError")
        if error is None:
            yield f"no exception, though the provider answered {case.exchange.status} {expected.error}"
        elif not any(kind.startswith(home) and kind.endswith("." + name) for kind in error["kinds"]):
            yield f"{error['kinds'][0]} ({error['text']}) is no {name} of {home}"
        return
    if error is not None:
        yield f"{error['kinds'][0]}: {error['text']}"
        return
    answer = Answer().add(got["pieces"])
    for what in ("texts", "tools", "finish_reasons"):
        recorded = getattr(expected, what)
        if way.startswith("own"):
            recorded = _as_litellm_reads(what, recorded, case)
        if getattr(answer, what) != recorded:
            yield f"{what}: {getattr(answer, what)!r:.300}, recorded: {recorded!r:.300}"
    if got["vectors"] != expected.vectors:
        yield f"{got['vectors']} embeddings, recorded: {expected.vectors}"
    asked_for_usage = not case.exchange.streaming or (case.exchange.request.get("stream_options") or {}).get(
        "include_usage"
    )
    if asked_for_usage and expected.usage:
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            recorded = expected.usage.get(name)
            if recorded is not None and (got["usage"] or {}).get(name) != recorded:
                yield f"usage: {got['usage']}, recorded: {expected.usage}"
                break


def _as_litellm_reads(what: str, recorded: dict[int, Any], case: Case) -> dict[int, Any]:
    """An answer without a reason has ended, `eos` is an end; reasoning in tags before an answer is no part of it."""
    if what == "finish_reasons" and case.exchange.operation != "embeddings":
        return {at: "stop" if reason == "eos" else reason for at, reason in recorded.items()} or {0: "stop"}
    if what == "texts" and not case.exchange.streaming and case.vendor not in ("groq", "fireworks_ai"):
        return {at: re.sub(r"^<think>.*?</think>", "", text, flags=re.DOTALL) for at, text in recorded.items()}
    return recorded


def about_the_row(case: Case, way: str, expected: Answer, said: Said, rows: Rows) -> Iterator[str]:
    """The ledger's row, against the recorded bytes."""
    found = rows.get((way, case.id), [])
    if len(found) != 1:
        yield f"{len(found)} rows"
        return
    row = found[0]
    failed = case.exchange.status >= 400 or bool(expected.error)
    facts: dict[str, Any] = {
        "origin": "native" if way.startswith("own") else "openai",
        "operation": case.exchange.operation,
        "provider": case.asked_as if way.startswith("own") else case.vendor,
        "streaming": bool(case.exchange.request.get("stream")),
        "outcome": "error" if failed else "completed",
        "http_status": case.exchange.status,
        "attempts": 1,
    }
    if not failed:
        facts |= {"response_model": expected.model or None, "response_id": expected.response_id or None}
        facts["finish_reasons"] = [reason for _, reason in sorted(expected.finish_reasons.items())] or None
        facts |= tokens_of(expected.usage)
        recorded = json.loads(row["usage"]) if row["usage"] is not None else None
        if recorded != expected.usage:
            yield f"usage {recorded}, recorded: {expected.usage}"
        if expected.usage is None and case.exchange.streaming and row["estimated_output_tokens"] is None:
            yield "a stream without usage, and no estimate"
    elif not row["error_type"]:
        yield "an error without a type"
    for name, value in facts.items():
        if row[name] != value and not (value is None and row[name] == []):
            yield f"{name} is {row[name]!r}, expected: {value!r}"
    if row["duration_ns"] <= 0 or (case.exchange.streaming and not failed and not row["time_to_first_chunk_ns"]):
        yield f"times {row['duration_ns']}, {row['time_to_first_chunk_ns']}"
    cost = (said.get((way, case.id)) or {}).get("response_cost")
    if cost is not None and abs(Decimal(repr(cost)) - (row["cost_usd"] or 0)) > Decimal("1e-11"):
        yield f"the answer's response_cost is {cost}, the ledger's {row['cost_usd']}"


def tokens_of(usage: dict[str, Any] | None) -> dict[str, int | None]:
    """The token columns that an OpenAI-shaped usage object fills, as semconv counts them."""
    if not usage or "prompt_tokens" not in usage:
        return {}
    into, out = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    tokens: dict[str, int | None] = {"input_tokens": usage["prompt_tokens"]}
    if usage.get("prompt_audio_seconds"):
        # Mistral leaves audio out of prompt_tokens; it shows in the total.
        tokens["input_tokens"] = usage["total_tokens"] - usage["completion_tokens"]
    if "completion_tokens" in usage:
        output, reasoning = usage["completion_tokens"], out.get("reasoning_tokens") or 0
        # xAI and Gemini leave reasoning out of completion_tokens; it shows in the total.
        apart = reasoning and usage.get("total_tokens") == usage["prompt_tokens"] + output + reasoning
        tokens["output_tokens"] = output + reasoning if apart else output
    if out.get("reasoning_tokens") is not None:
        tokens["reasoning_tokens"] = out["reasoning_tokens"]
    if into.get("cached_tokens") is not None:
        tokens["cache_read_tokens"] = into["cached_tokens"]
    return tokens


def about_agreement(case: Case, ways: Iterable[str], rows: Rows) -> Iterator[str]:
    """The rows of the four ways, against each other."""
    found = {way: rows[way, case.id][0] for way in ways if rows.get((way, case.id))}
    for name in SAME_BOTH_WAYS:
        if name == "request_model" and case.deployment:
            continue  # our own client names the deployment, as litellm's users do, the package what its body says
        values = {way: row[name] for way, row in found.items()}
        if len({repr(value) for value in values.values()}) > 1:
            yield f"{name} differs: {values}"


def about_the_request(case: Case, server: ReplayServer) -> Iterator[str]:
    """What was sent last, against what was asked: nothing is lost, and only stream_options may be added."""
    sent: dict[str, Any] = server.received[case.id].json()
    asked = {name: value for name, value in case.exchange.request.items() if value is not None}
    added = set(sent) - set(case.exchange.request) - {"stream_options", "model", "encoding_format"}
    if added:
        yield f"sent what nobody asked for: {sorted(added)}"
    for name, value in asked.items():
        if name not in ("model", "stream_options") and sent.get(name) != value:
            yield f"{name} was sent as {sent.get(name)!r:.200}, asked: {value!r:.200}"
