"""Answers in other dialects that break: one row each, and an exception that litellm's users know."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgequake_obs.demo.server import FAULTS, running

from . import corpus
from .dialect_case import DialectCase
from .recorded import Answer
from .run import Rows, Said, play
from .test_corpus import complain
from .test_dialects import DIALECTS, SAMPLE, WAYS, cases_in
from .test_faults import ALWAYS_AN_ERROR, PARTS, PATIENCE, STALLED, THREADS, about_the_caller

# Of so many exchanges of each dialect every fault is tried in `make test`, with those of OpenAI's 400 in all; of all of
# them in `make corpus`.
SPREAD = {"anthropic": 100, "gemini": 75, "ollama": 25}


def succeeding(recordings: Path, name: str) -> list[DialectCase]:
    """The chats that succeed as recorded."""
    return [case for case in cases_in(recordings, name)[0] if case.exchange.status == 200 and case.operation == "chat"]


def spread(name: str) -> list[DialectCase]:
    """Some of them, half of them streams where there are as many, from all over the recordings."""
    known = succeeding(corpus.WHOLE if corpus.WHOLE.exists() else SAMPLE, name)
    chosen: list[DialectCase] = []
    for streaming in (True, False):
        kind = [case for case in known if case.exchange.streaming == streaming]
        count = SPREAD[name] // 2 if streaming else SPREAD[name] - len(chosen)
        chosen += kind[:: max(1, len(kind) // count)][:count]
    return chosen


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_row_and_a_known_exception(fault: str, tmp_path: Path) -> None:
    cases = [case for name in DIALECTS for case in spread(name)]
    if len(cases) < sum(SPREAD.values()):
        print(f"{len(cases)} exchanges, not {sum(SPREAD.values())}: as many as there are")
    play_with(fault, cases, tmp_path)


@pytest.mark.whole_corpus
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", DIALECTS)
def test_a_fault_in_any_exchange(name: str, part: int, fault: str, tmp_path: Path) -> None:
    if not corpus.WHOLE.exists():
        pytest.skip("the corpus does not lie beside the repository")
    cases = [case for case in succeeding(corpus.WHOLE, name) if zlib.crc32(case.id.encode()) % PARTS == part]
    print(f"{fault}: {len(cases)} exchanges of {name}")
    play_with(fault, cases, tmp_path)


def play_with(fault: str, cases: list[DialectCase], folder: Path) -> None:
    timeout = STALLED if fault == "stall" else PATIENCE
    with running({case.id: case.exchange for case in cases}) as server:
        said, rows = play(
            server, cases, folder, ways=WAYS, options=[f"fault={fault}"], timeout=timeout, threads=THREADS
        )
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
        # Anthropic's start of a message alone: of the output only its text is known.
        if (row["usage"] or "").startswith("["):
            text = sum(len(piece["text"]) for piece in got["pieces"])
            if row["output_tokens"] is not None or row["estimated_output_tokens"] < max(1, text // 4):
                yield f"{case.id} {way}: {row['output_tokens']}, {row['estimated_output_tokens']} of {text} characters"
        if failed and not row["error_type"]:
            yield f"{case.id} {way}: an error without a type"
