"""Answers that break: one row each, an exception that the client's users know, and nobody waits for ever.

The patched openai package must behave as the unpatched one does, whatever that is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgequake_obs.demo.server import FAULTS, running

from . import corpus
from .corpus import Case
from .recorded import Answer, read
from .run import WAYS, Rows, Said, play
from .test_corpus import complain

EACH = 10
TIMEOUT = 0.5
# litellm's names for what can go wrong here; `Timeout` and `APIConnectionError` are the ones without a status.
LITELLM = {
    "drop": {"APIConnectionError", "InternalServerError", "APIError"},
    "stall": {"Timeout"},
    "500": {"InternalServerError"},
    "429": {"RateLimitError"},
    "truncated": {"APIConnectionError", "APIResponseValidationError", "APIError", "JSONSchemaValidationError"},
    "invalid-utf8": {"APIConnectionError", "APIResponseValidationError", "APIError"},
}
ALWAYS_AN_ERROR = {"drop", "stall", "500", "429"}


def victims(fault: str) -> list[Case]:
    """Ten exchanges that succeed as recorded, half of them streams, of as many vendors as there are."""
    whole = [case for case in corpus.sample().values() if case.exchange.status == 200 and case.vendor != "ollama"]
    chosen: list[Case] = []
    for streaming in (False, True):
        kind = sorted((case for case in whole if case.exchange.streaming == streaming), key=lambda case: case.id)
        by_vendor: dict[str, list[Case]] = {}
        for case in kind:
            by_vendor.setdefault(case.vendor, []).append(case)
        # Start with another vendor for each fault, so that together the faults meet them all.
        names = sorted(by_vendor)
        start = FAULTS.index(fault) % len(names)
        turn = names[start:] + names[:start]
        deep = [by_vendor[name][n] for n in range(EACH) for name in turn if n < len(by_vendor[name])]
        chosen += deep[: EACH // 2]
    return chosen


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_row_and_a_known_exception(fault: str, tmp_path: Path) -> None:
    cases = victims(fault)
    assert len({case.id for case in cases}) == EACH
    with running({case.id: case.exchange for case in cases}) as server:
        ways = (*WAYS, "bare-sync", "bare-async")
        said, rows = play(server, cases, tmp_path, ways=ways, options=[f"fault={fault}"], timeout=TIMEOUT)
    complain([line for case in cases for line in about(case, fault, said, rows)], len(cases))


def about(case: Case, fault: str, said: Said, rows: Rows) -> Iterator[str]:
    expected = read(case.exchange)
    for way in WAYS:
        got = said[way, case.id]
        for problem in about_the_caller(case, fault, way, expected, got):
            yield f"{case.id} {way}: {problem}"
        found = rows.get((way, case.id), [])
        if len(found) != 1:
            yield f"{case.id} {way}: {len(found)} rows"
            continue
        row = found[0]
        failed = row["outcome"] == "error"
        if fault in ALWAYS_AN_ERROR and not failed:
            yield f"{case.id} {way}: the outcome is {row['outcome']}"
        if way.startswith("own") and failed != ("error" in got):
            yield f"{case.id} {way}: the outcome is {row['outcome']}, the caller got {got.get('error')}"
        if failed and not row["error_type"]:
            yield f"{case.id} {way}: an error without a type"
        if fault in ("500", "429") and row["http_status"] != int(fault):
            yield f"{case.id} {way}: http_status is {row['http_status']}"
    for flavour in ("sync", "async"):
        patched, bare = said[f"patched-{flavour}", case.id], said[f"bare-{flavour}", case.id]
        for what in ("pieces", "vectors", "error"):
            if patched.get(what) != bare.get(what):
                yield f"{case.id} {flavour}: {what} {patched.get(what)}, unpatched: {bare.get(what)}"
        if rows.get((f"bare-{flavour}", case.id)):
            yield f"{case.id} {flavour}: a row, though the package was not patched"


def about_the_caller(case: Case, fault: str, way: str, expected: Answer, got: dict[str, Any]) -> Iterator[str]:
    error = got.get("error")
    if got["seconds"] > TIMEOUT + 10:
        yield f"{got['seconds']:.1f} s, with a timeout of {TIMEOUT} s"
    if error is None:
        if fault in ALWAYS_AN_ERROR:
            yield "no exception"
        elif not case.exchange.streaming and fault == "truncated":
            yield "half a document was taken for a whole one"
    elif way.startswith("own"):
        names = {kind.rpartition(".")[2] for kind in error["kinds"] if kind.startswith("edgequake_obs.")}
        if not names & LITELLM[fault]:
            yield f"{error['kinds'][0]} ({error['text']}) is none of {sorted(LITELLM[fault])}"
    # What arrived before the fault is handed on, and nothing else.
    for choice, text in Answer().add(got["pieces"]).texts.items():
        if fault != "invalid-utf8" and not expected.texts.get(choice, "").startswith(text):
            yield f"text {text!r:.200}, recorded: {expected.texts.get(choice)!r:.200}"
