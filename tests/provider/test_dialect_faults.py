"""Answers in other dialects that break: one row each, and an exception that litellm's users know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgequake_obs.demo.server import FAULTS, running

from .dialect_case import DialectCase
from .recorded import Answer
from .run import Rows, Said, play
from .test_corpus import complain
from .test_dialects import DIALECTS, SAMPLE, WAYS, cases_in
from .test_faults import ALWAYS_AN_ERROR, PATIENCE, STALLED, about_the_caller

EACH = 4


def victims(name: str, fault: str) -> list[DialectCase]:
    """Some exchanges that succeed as recorded, plain and streamed, others for each fault."""
    whole = [case for case in cases_in(SAMPLE, name)[0] if case.exchange.status == 200 and case.operation == "chat"]
    chosen: list[DialectCase] = []
    for streaming in (False, True):
        kind = [case for case in whole if case.exchange.streaming == streaming]
        start = FAULTS.index(fault) % len(kind)
        chosen += (kind[start:] + kind[:start])[: EACH // 2]
    return chosen


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_row_and_a_known_exception(fault: str, tmp_path: Path) -> None:
    timeout = STALLED if fault == "stall" else PATIENCE
    cases: list[Any] = [case for name in DIALECTS for case in victims(name, fault)]
    with running({case.id: case.exchange for case in cases}) as server:
        said, rows = play(server, cases, tmp_path, ways=WAYS, options=[f"fault={fault}"], timeout=timeout)
    dialects: dict[str, Any] = {**DIALECTS, "ollama_chat": DIALECTS["ollama"]}
    expected = {case.id: dialects[case.vendor].read(case.exchange) for case in cases}
    complain([line for case in cases for line in about(case, fault, expected[case.id], said, rows)], len(cases))


def about(case: Any, fault: str, expected: Answer, said: Said, rows: Rows) -> Iterator[str]:
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
        if (fault in ALWAYS_AN_ERROR and not failed) or failed != ("error" in got):
            yield f"{case.id} {way}: the outcome is {row['outcome']}, the caller got {got.get('error')}"
        if failed and not row["error_type"]:
            yield f"{case.id} {way}: an error without a type"
