"""Recorded exchanges through litellm and the anthropic SDK, patched and not: the program sees the same, well or badly;
each call is one row, and comes to what our own client's call of the same exchange, broken in the same way, comes to.
What our own client does not speak (Bedrock's and Cohere's dialects) comes to what its recorded usage is priced at.

Each SDK is in an environment of its own (see `contract/versions.py`), made here where it is not there yet.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from contract.versions import environment

from edgequake_obs import pricing
from edgequake_obs.demo.recording import load
from edgequake_obs.demo.server import FAULTS, running

from . import corpus, dialect_bedrock, dialect_cohere, test_faults
from .corpus import Case
from .dialect_case import DialectCase, NotAskable
from .run import Rows, Said, play
from .test_corpus import complain
from .test_dialects import SAMPLE, cases_in

ENVIRONMENTS = {"litellm": "litellm-new", "anthropic": "anthropic"}
SAMPLE_OF_LITELLM = SAMPLE.with_name("dialects_of_litellm.jsonl")
OF_LITELLM: dict[str, ModuleType] = {"bedrock": dialect_bedrock, "cohere": dialect_cohere}
# How many of the sample are played in `make test`, half of them broken off; `make corpus` plays all there are, and this
# many with each fault.
FEW = 24
SPREAD = 200
PARTS = 6
PATIENCE = 60.0  # seconds: beyond what litellm takes on a busy machine
SAME_AS_OWN = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "reasoning_tokens",
    "estimated_output_tokens",
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
    return [
        *(case for case in compatible if case.vendor not in ("ollama", "snowflake", "databricks")),
        *dialects,
        *of_litellm(corpus.WHOLE if whole else SAMPLE_OF_LITELLM),
    ]


def of_litellm(recordings: Path) -> Iterator[DialectCase]:
    """The exchanges of dialects that litellm speaks and our own client does not."""
    for exchange in load(recordings).values():
        dialect: Any = OF_LITELLM.get(exchange.provider)
        if dialect is not None and (exchange.provider, exchange.operation) in dialect.OPERATIONS:
            try:
                yield dialect.case_of(exchange)
            except NotAskable:
                continue


def as_recorded(case: DialectCase) -> DialectCase:
    """The same exchange for a client that speaks the dialect itself."""
    return DialectCase(case.exchange, case.vendor, case.operation, case.exchange.request)


def some(cases: Sequence[AnyCase], count: int) -> list[AnyCase]:
    return list(cases[:: max(1, len(cases) // count)][:count])


@pytest.mark.parametrize("library", ENVIRONMENTS)
def test_some(library: str, tmp_path: Path) -> None:
    cases = cases_of(library, whole=False)
    few = [*some([case for case in cases if _is_ours(case)], FEW), *(case for case in cases if not _is_ours(case))]
    faults = {case.id: ("truncated", "drop")[at % 2] for at, case in enumerate(succeeding(few)) if at % 3}
    play_with(library, few, faults, tmp_path)


@pytest.mark.whole_corpus
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("library", ENVIRONMENTS)
def test_all_as_recorded(library: str, part: int, tmp_path: Path) -> None:
    cases = cases_of(library, whole=True)
    play_with(library, [case for case in cases if zlib.crc32(case.id.encode()) % PARTS == part], {}, tmp_path)


@pytest.mark.whole_corpus
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("library", ENVIRONMENTS)
def test_a_spread_with_a_fault(library: str, fault: str, tmp_path: Path) -> None:
    cases = some(succeeding(cases_of(library, whole=True)), SPREAD)
    play_with(library, cases, dict.fromkeys((case.id for case in cases), fault), tmp_path)


def _is_ours(case: AnyCase) -> bool:
    return case.exchange.provider not in OF_LITELLM


def succeeding(cases: Sequence[AnyCase]) -> list[AnyCase]:
    return [case for case in cases if case.exchange.status == 200]


def play_with(library: str, cases: list[AnyCase], faults: Mapping[str, str], folder: Path) -> None:
    ways = [f"{patch}{library}-{flavour}" for patch in ("", "bare_") for flavour in ("sync", "async")]
    # The anthropic SDK is asked in its own words; our own client, with the same exchange, in OpenAI's.
    own = list(filter(_is_ours, cases)) if library == "litellm" else [*_in_own_words(cases)]
    with running({case.id: case.exchange for case in cases}) as server:
        said, rows = play(
            server,
            cases,  # pyright: ignore[reportArgumentType]
            folder,
            ways=ways,
            faults=faults,
            together=True,
            timeout=test_faults.STALLED if "stall" in faults.values() else PATIENCE,
            threads=4,
            fewer={"own-sync": own},  # pyright: ignore[reportArgumentType]
            pythons={**dict.fromkeys(ways, python_of(library)), "own-sync": Path(sys.executable)},
        )
    complain([line for case in cases for line in about(library, case, faults.get(case.id), said, rows)], len(cases))


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
        row = found[0]
        if row["origin"] != library:
            yield f"{case.id} {flavour}: origin {row['origin']}"
        if fault in test_faults.ALWAYS_AN_ERROR and row["outcome"] != "error":
            yield f"{case.id} {flavour}: the outcome is {row['outcome']}"
        if row["attempts"] == 0:
            continue  # the library itself refused what was asked
        if _is_ours(case):
            own = rows["own-sync", case.id][0]
            problems = _unlike(fault, row, own) if row["provider"] == own["provider"] else ()
        else:
            problems = _unlike_recorded(case, fault, row, patched)
        yield from (f"{case.id} {flavour}: {problem}" for problem in problems)


def _unlike(fault: str | None, row: dict[str, Any], own: dict[str, Any]) -> Iterator[str]:
    if fault is None and row["outcome"] != own["outcome"]:
        return  # one of the two cannot read what was recorded
    if fault in SAME_BYTES or row["outcome"] == own["outcome"] == "completed":
        differing = [name for name in SAME_AS_OWN if row[name] != own[name]]
    elif row["usage"] is not None and own["usage"] is None:
        return  # our own client gives up at what is no text, others may read on
    else:
        known = [name for name in SAME_AS_OWN if own[name] is not None and not name.startswith("estimated")]
        differing = [name for name in known if row[name] is None]
    for name in differing:
        yield f"{name} is {row[name]!r:.300}, our own client's: {own[name]!r:.300}"


def _unlike_recorded(case: AnyCase, fault: str | None, row: dict[str, Any], got: dict[str, Any]) -> Iterator[str]:
    """Against what the recorded usage is priced at; what was broken off before it is estimated, if there is a text."""
    if fault is None and row["outcome"] == "completed":
        dialect: Any = OF_LITELLM[case.exchange.provider]
        usage = dialect.usage_of(case.exchange)
        recorded = json.loads(row["usage"]) if row["usage"] else None
        if recorded != usage:
            yield f"usage is {recorded}, recorded: {usage}"
        cost = pricing.cost(usage, model=case.exchange.model, provider=row["provider"])
        if (row["cost_usd"], row["cost_status"]) != (cost.usd, cost.status):
            yield f"the cost is {row['cost_usd']} {row['cost_status']}, of the recorded usage: {cost.usd} {cost.status}"
    has_text = any(piece["text"] for piece in got["pieces"] if "text" in piece)
    if row["streaming"] and has_text and row["usage"] is None and not row["estimated_output_tokens"]:
        yield "a stream with text and without usage, and no estimate"


def _lasting(value: Any) -> Any:
    """Without what is another each time: ids that litellm makes up for calls of tools."""
    if isinstance(value, dict):
        return {name: _lasting(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_lasting(item) for item in value]
    return _MADE_UP.sub("call_", value) if isinstance(value, str) else value
