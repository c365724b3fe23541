"""The span around a call, which becomes its parent."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from .conftest import Ask
from .programs import run
from .records import Ledger
from .server import Answer, Server, chat


@pytest.fixture(autouse=True)
def _answering(server: Server) -> None:
    server.will(Answer(body=chat()))


PROGRAM = """
import sys, edgequake_obs
edgequake_obs.completion("gpt-4o-mini", [], api_base=sys.argv[1], api_key="k")
print("opentelemetry" in "".join(sys.modules))
"""


def test_no_parent_without_opentelemetry(server: Server, tmp_path: Path) -> None:
    found = Ledger(tmp_path / "ledger.duckdb")
    done = run(PROGRAM, server.base, EDGEQUAKE_OBS_LEDGER=str(found.path))
    assert done.stdout.strip() == "False"
    assert found.call()["parent_span_id"] is None


def test_a_module_that_is_half_imported(ask: Ask, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", ModuleType("opentelemetry.trace"))
    ask()
    assert (ledger.call()["outcome"], ledger.call()["parent_span_id"]) == ("completed", None)


def test_the_parent_is_the_current_span(ask: Ask, ledger: Ledger) -> None:
    trace = pytest.importorskip("opentelemetry.trace")
    ids = trace.SpanContext(trace_id=0xABC << 64, span_id=0xDEF, is_remote=False)
    with trace.use_span(trace.NonRecordingSpan(ids)):
        ask()
    row = ledger.call()
    assert (row["trace_id"], row["parent_span_id"]) == (f"{0xABC << 64:032x}", f"{0xDEF:016x}")
    assert row["span_id"] not in (None, row["parent_span_id"])
