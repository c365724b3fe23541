"""Recorded exchanges through litellm and the anthropic SDK, patched and not: the program sees the same, well or badly;
each call is one row, and comes to what our own client's call of the same exchange, broken in the same way, comes to.

Each SDK is in an environment of its own (see `contract/versions.py`), made here where it is not there yet.
"""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from contract.versions import environment

from edgequake_obs.demo.server import FAULTS, running

from . import corpus, test_faults
from .corpus import Case
from .dialect_case import DialectCase
from .run import Rows, Said, play
from .test_corpus import complain
from .test_dialects import SAMPLE, cases_in

ENVIRONMENTS = {"litellm": "litellm-new", "anthropic": "anthropic"}
# How many of the sample are played in `make test`; `make corpus` plays all there are, and this many with each fault.
FEW = 16
SPREAD = 200
PARTS = 6
PATIENCE = 60.0  # seconds: beyond what litellm takes on a busy machine
SAME_AS_OWN = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "reasoning_tokens",
    "usage",
    "cost_usd",
    "cost_status",
)

# Of the same bytes, all that came: how many do before a silence is seen is a matter of time.
SAME_BYTES = {None, "drop", "500", "429", "truncated"}

_MADE_UP = re.compile("^call_[0-9a-f-]{28,36}")

AnyCase = Case | DialectCase


@functools.cache
def python_of(library: str) -> Path:
    """The interpreter of the library's environment; skips where it cannot be made."""
    try:
        return environment(ENVIRONMENTS[library])
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(f"no environment with {library}: {error}")


def cases_of(library: str, *, whole: bool) -> list[AnyCase]:
    """What the library can be made to send."""
    if whole and not corpus.WHOLE.exists():
        pytest.skip("the corpus does not lie beside the repository")
    recordings = corpus.WHOLE if whole else SAMPLE
    if library == "anthropic":
        return [as_recorded(case) for case in cases_in(recordings, "anthropic")[0]]
    dialects = [case for name in ("anthropic", "gemini") for case in cases_in(recordings, name)[0]]
    compatible = (corpus.whole()[0] if whole else corpus.sample()).values()
    return [*(case for case in compatible if case.vendor not in ("ollama", "snowflake", "databricks")), *dialects]


def as_recorded(case: DialectCase) -> DialectCase:
    """The same exchange for a client that speaks the dialect itself."""
    return DialectCase(case.exchange, case.vendor, case.operation, case.exchange.request)


def some(cases: Sequence[AnyCase], count: int) -> list[AnyCase]:
    return list(cases[:: max(1, len(cases) // count)][:count])


@pytest.mark.parametrize("library", ENVIRONMENTS)
def test_some_as_recorded(library: str, tmp_path: Path) -> None:
    play_with(library, some(cases_of(library, whole=False), FEW), None, tmp_path)


def test_some_cut_off(tmp_path: Path) -> None:
    cases = succeeding(cases_of("anthropic", whole=False))
    play_with("anthropic", some(by_streaming(cases), FEW), "truncated", tmp_path)


@pytest.mark.whole_corpus
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("library", ENVIRONMENTS)
def test_all_as_recorded(library: str, part: int, tmp_path: Path) -> None:
    cases = cases_of(library, whole=True)
    play_with(library, [case for case in cases if zlib.crc32(case.id.encode()) % PARTS == part], None, tmp_path)


@pytest.mark.whole_corpus
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("library", ENVIRONMENTS)
def test_a_spread_with_a_fault(library: str, fault: str, tmp_path: Path) -> None:
    play_with(library, some(succeeding(cases_of(library, whole=True)), SPREAD), fault, tmp_path)


def by_streaming(cases: Sequence[AnyCase]) -> list[AnyCase]:
    """Those whose answer is a stream first: most of what can go wrong halfway."""
    return sorted(cases, key=lambda case: not case.exchange.streaming)


def succeeding(cases: Sequence[AnyCase]) -> list[AnyCase]:
    return [case for case in cases if case.exchange.status == 200]


def play_with(library: str, cases: list[AnyCase], fault: str | None, folder: Path) -> None:
    ways = [f"{patch}{library}-{flavour}" for patch in ("", "bare_") for flavour in ("sync", "async")]
    # The anthropic SDK is asked in its own words; our own client, with the same exchange, in OpenAI's.
    own = cases if library == "litellm" else [*_in_own_words(cases)]
    with running({case.id: case.exchange for case in cases}) as server:
        said, rows = play(
            server,
            cases,  # pyright: ignore[reportArgumentType]
            folder,
            ways=ways,
            options=[] if fault is None else [f"fault={fault}"],
            timeout=test_faults.STALLED if fault == "stall" else PATIENCE,
            threads=4,
            fewer={"own-sync": own},  # pyright: ignore[reportArgumentType]
            pythons={**dict.fromkeys(ways, python_of(library)), "own-sync": Path(sys.executable)},
        )
    complain([line for case in cases for line in about(library, case, fault, said, rows)], len(cases))


def _in_own_words(cases: Sequence[AnyCase]) -> Iterator[DialectCase]:
    from . import dialect_anthropic

    for case in cases:
        yield dialect_anthropic.case_of(case.exchange)


def about(library: str, case: AnyCase, fault: str | None, said: Said, rows: Rows) -> Iterator[str]:
    for flavour in ("sync", "async"):
        patched, bare = said[f"{library}-{flavour}", case.id], said[f"bare_{library}-{flavour}", case.id]
        # How much came before the silence, and whether it broke the call or the reading, is a matter of time.
        for what in ("vectors",) if fault == "stall" else ("pieces", "usage", "vectors", "error"):
            if _lasting(patched.get(what)) != _lasting(bare.get(what)):
                yield f"{case.id} {flavour}: {what} {patched.get(what)!r:.300}, unpatched: {bare.get(what)!r:.300}"
        if rows.get((f"bare_{library}-{flavour}", case.id)):
            yield f"{case.id} {flavour}: a row, though nothing was patched"
        found = rows.get((f"{library}-{flavour}", case.id), [])
        if len(found) != 1:
            yield f"{case.id} {flavour}: {len(found)} rows"
            continue
        row, own = found[0], rows["own-sync", case.id][0]
        if row["origin"] != library:
            yield f"{case.id} {flavour}: origin {row['origin']}"
        if fault in test_faults.ALWAYS_AN_ERROR and row["outcome"] != "error":
            yield f"{case.id} {flavour}: the outcome is {row['outcome']}"
        if row["provider"] == own["provider"]:
            yield from (f"{case.id} {flavour}: {problem}" for problem in _unlike(fault, row, own))


def _unlike(fault: str | None, row: dict[str, Any], own: dict[str, Any]) -> Iterator[str]:
    if fault in SAME_BYTES or row["outcome"] == own["outcome"] == "completed":
        differing = [name for name in SAME_AS_OWN if row[name] != own[name]]
    else:
        # Our own client gives up at what is no text, others may read on: they know as much, or more.
        differing = [name for name in SAME_AS_OWN if row[name] is None and own[name] is not None]
    for name in differing:
        yield f"{name} is {row[name]!r:.300}, our own client's: {own[name]!r:.300}"


def _lasting(value: Any) -> Any:
    """Without what is another each time: ids that litellm makes up for calls of tools."""
    if isinstance(value, dict):
        return {name: _lasting(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_lasting(item) for item in value]
    return _MADE_UP.sub("call_", value) if isinstance(value, str) else value
