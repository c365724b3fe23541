"""Answers that break: one row each, an exception that the client's users know, and nobody waits for ever.

The patched openai package must behave as the unpatched one does, whatever that is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from edgequake_obs.demo.server import FAULTS, running

from . import corpus
from .corpus import Case
from .recorded import Answer, read
from .run import WAYS, Rows, Said, play
from .test_corpus import complain

# Of so many exchanges every fault is tried in `make test`, of all of them in `make corpus`.
SPREAD = 200
BESIDE_THE_UNPATCHED = 20
UNPATCHED = ("bare-sync", "bare-async")
PARTS = 6
STALLED = 0.5  # seconds: the client's timeout where the server falls silent
PATIENCE = 20.0  # seconds: the timeout where it does not
THREADS = 8
# litellm's names for what can go wrong here; `Timeout` and `APIConnectionError` are the ones without a status.
LITELLM = {
    "drop": {"APIConnectionError", "InternalServerError", "APIError"},
    "stall": {"Timeout"},
    "500": {"InternalServerError", "APIError"},  # which of the two depends on the provider
    "429": {"RateLimitError"},
    "truncated": {"APIConnectionError", "APIResponseValidationError", "APIError", "JSONSchemaValidationError"},
    "invalid-utf8": {"APIConnectionError", "APIResponseValidationError", "APIError"},
}
ALWAYS_AN_ERROR = {"drop", "stall", "500", "429"}


def candidates() -> list[Case]:
    """The exchanges that succeed as recorded: the corpus's where it lies beside the repository, else the sample's."""
    known = corpus.whole()[0] if corpus.WHOLE.exists() else corpus.sample()
    return sorted((case for case in known.values() if case.exchange.status == 200), key=lambda case: case.id)


def spread(count: int) -> list[Case]:
    """So many of them: half of them streams where there are as many, of all vendors in turn."""
    chosen: list[Case] = []
    for streaming in (True, False):
        by_vendor: dict[str, list[Case]] = {}
        for case in candidates():
            if case.exchange.streaming == streaming:
                by_vendor.setdefault(case.vendor, []).append(case)
        in_turn = [case for row in zip_longest(*by_vendor.values()) for case in row if case]
        chosen += in_turn[: count // 2 if streaming else count - len(chosen)]
    return chosen


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_row_and_a_known_exception(fault: str, tmp_path: Path) -> None:
    cases = spread(SPREAD)
    if len(cases) < SPREAD:
        print(f"the corpus does not lie beside the repository: {len(cases)} exchanges of the sample, not {SPREAD}")
    # Beside the unpatched package too; it alone takes as long as everything else.
    play_with(fault, cases, tmp_path, dict.fromkeys(UNPATCHED, cases[:: len(cases) // BESIDE_THE_UNPATCHED]))


@pytest.mark.whole_corpus
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_any_exchange(fault: str, part: int, tmp_path: Path) -> None:
    if not corpus.WHOLE.exists():
        pytest.skip("the corpus does not lie beside the repository")
    play_with(fault, [case for case in candidates() if zlib.crc32(case.id.encode()) % PARTS == part], tmp_path)


def play_with(fault: str, cases: list[Case], folder: Path, fewer: Mapping[str, Sequence[Case]] | None = None) -> None:
    timeout = STALLED if fault == "stall" else PATIENCE
    with running({case.id: case.exchange for case in cases}) as server:
        options = [f"fault={fault}"]
        said, rows = play(server, cases, folder, options=options, timeout=timeout, threads=THREADS, fewer=fewer)
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
        patched, bare = said[f"patched-{flavour}", case.id], said.get((f"bare-{flavour}", case.id))
        # How much came before the silence, and whether it broke the call or the reading, is a matter of time.
        for what in ("vectors",) if fault == "stall" else ("pieces", "vectors", "error"):
            if bare and patched.get(what) != bare.get(what):
                yield f"{case.id} {flavour}: {what} {patched.get(what)}, unpatched: {bare.get(what)}"
        if rows.get((f"bare-{flavour}", case.id)):
            yield f"{case.id} {flavour}: a row, though the package was not patched"


def about_the_caller(case: Case, fault: str, way: str, expected: Answer, got: dict[str, Any]) -> Iterator[str]:
    error = got.get("error")
    if got["seconds"] > 2 * PATIENCE:
        yield f"{got['seconds']:.1f} s"
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
