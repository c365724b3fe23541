"""Every recorded exchange of the dialects that are not OpenAI's, through our own client.

What was sent is compared with what the recorded client sent, what the caller gets and what the ledger holds with what
the tests' own readers find in the recorded bytes.
"""

from __future__ import annotations

import collections
import functools
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edgequake_obs.demo.recording import load
from edgequake_obs.demo.server import ReplayServer, running

from . import corpus, dialect_anthropic, dialect_gemini, dialect_ollama
from .dialect_case import DialectCase, NotAskable
from .recorded import Answer
from .run import Rows, Said, play
from .test_corpus import ERRORS, complain

SAMPLE = Path(__file__).with_name("data") / "dialects.jsonl"
DIALECTS: dict[str, ModuleType] = {"anthropic": dialect_anthropic, "gemini": dialect_gemini, "ollama": dialect_ollama}
WAYS = ("own-sync", "own-async")


@functools.cache
def cases_in(recordings: Path, name: str) -> tuple[list[DialectCase], collections.Counter[str]]:
    """The exchanges of one dialect, and why others of it are not asked."""
    dialect: Any = DIALECTS[name]
    cases: list[DialectCase] = []
    excluded = collections.Counter[str]()
    for exchange in load(recordings).values():
        if (exchange.provider, exchange.operation) not in dialect.OPERATIONS:
            continue
        try:
            cases.append(dialect.case_of(exchange))
        except NotAskable as why:
            excluded[str(why)] += 1
    return cases, excluded


@pytest.mark.parametrize("name", DIALECTS)
def test_the_sample(name: str, tmp_path: Path) -> None:
    cases, _ = cases_in(SAMPLE, name)
    assert len(cases) >= 10
    assert {case.exchange.streaming for case in cases} == {False, True}
    complain(play_and_compare(name, cases, tmp_path), len(cases))


@pytest.mark.parametrize("name", DIALECTS)
def test_the_whole_corpus(name: str, tmp_path: Path) -> None:
    if not corpus.WHOLE.exists():
        pytest.skip("the corpus does not lie beside the repository: only the sample was played")
    cases, excluded = cases_in(corpus.WHOLE, name)
    print(f"{len(cases)} exchanges are played, {dict(excluded)} are not")
    asked_elsewhere = excluded.pop("OpenAI's dialect", 0)
    assert asked_elsewhere in (0, 60)
    assert sum(excluded.values()) <= len(cases) // 50
    complain(play_and_compare(name, cases, tmp_path), len(cases))


def play_and_compare(name: str, cases: list[DialectCase], folder: Path) -> Iterator[str]:
    dialect: Any = DIALECTS[name]
    with running({case.id: case.exchange for case in cases}) as server:
        said, rows = play(server, cases, folder, ways=WAYS)
        for case in cases:
            expected: Answer = dialect.read(case.exchange)
            for way in WAYS:
                problems = list(about_the_caller(case, way, expected, said))
                if not any("Error" in problem for problem in problems):
                    problems += about_the_row(dialect, case, way, expected, said, rows)
                yield from (f"{case.id} {way}: {problem}" for problem in problems)
            yield from (f"{case.id}: {problem}" for problem in about_the_request(dialect, case, server))


def about_the_request(dialect: Any, case: DialectCase, server: ReplayServer) -> Iterator[str]:
    sent: Any = server.received.get(case.id)
    if sent is None:
        yield "nothing was sent"
    else:
        yield from dialect.differences(sent.json(), case.exchange)


def about_the_caller(case: DialectCase, way: str, expected: Answer, said: Said) -> Iterator[str]:
    got = said[way, case.id]
    error: dict[str, Any] | None = got.get("error")
    if case.exchange.status >= 400 or expected.error:
        name = ERRORS.get(case.exchange.status, "OpenAIError")
        if error is None:
            yield f"no exception, though the provider answered {case.exchange.status} {expected.error}"
        elif not any(kind.endswith("." + name) for kind in error["kinds"]):
            yield f"{error['kinds'][0]} ({error['text']}) is no {name}"
        return
    if error is not None:
        yield f"{error['kinds'][0]}: {error['text']}"
        return
    if case.operation == "embeddings":
        if got["vectors"] != expected.vectors:
            yield f"{got['vectors']} embeddings, recorded: {expected.vectors}"
        return
    answer = Answer().add(got["pieces"])
    texts = {choice: text for choice, text in answer.texts.items() if text}
    if texts != {choice: text for choice, text in expected.texts.items() if text}:
        yield f"texts: {answer.texts!r:.300}, recorded: {expected.texts!r:.300}"
    if calls(answer) != calls(expected):
        yield f"tools: {calls(answer)!r:.300}, recorded: {calls(expected)!r:.300}"
    if answer.finish_reasons != expected.finish_reasons:
        yield f"finish_reasons: {answer.finish_reasons}, recorded: {expected.finish_reasons}"


def calls(answer: Answer) -> list[tuple[int, str | None, Any]]:
    """Tool calls with their arguments parsed; those that the provider does not name have no id."""
    return [
        (choice, tool.name, json.loads(tool.arguments or "{}"))
        for choice, tools in answer.tools.items()
        for tool in tools
        if tool.name
    ]


def about_the_row(dialect: Any, case: DialectCase, way: str, expected: Answer, said: Said, rows: Rows) -> Iterator[str]:
    found = rows.get((way, case.id), [])
    if len(found) != 1:
        yield f"{len(found)} rows"
        return
    row = found[0]
    failed = case.exchange.status >= 400 or bool(expected.error)
    facts: dict[str, Any] = {
        "origin": "native",
        "operation": case.operation,
        "provider": case.vendor,
        "outcome": "error" if failed else "completed",
        "http_status": case.exchange.status,
        "attempts": 1,
    }
    if failed:
        if not row["error_type"]:
            yield "an error without a type"
    else:
        facts |= {"response_model": expected.model or None, "response_id": expected.response_id or None}
        facts["finish_reasons"] = [reason for _, reason in sorted(expected.finish_reasons.items())]
        if expected.usage:
            facts |= dialect.tokens(expected.usage)
        recorded = json.loads(row["usage"]) if row["usage"] is not None else None
        if recorded != expected.usage:
            yield f"usage {recorded}, recorded: {expected.usage}"
        if expected.usage and row["cost_status"] in (None, "no_usage"):
            yield f"cost_status is {row['cost_status']}"
    for name, value in facts.items():
        if row[name] != value and not (value in (None, []) and row[name] in (None, [])):
            yield f"{name} is {row[name]!r}, expected: {value!r}"
    cost = said[way, case.id].get("response_cost")
    if cost is not None and abs(Decimal(repr(cost)) - (row["cost_usd"] or 0)) > Decimal("1e-11"):
        yield f"the answer's response_cost is {cost}, the ledger's {row['cost_usd']}"
