"""What recorded exchanges of every provider become, against the conventions and against the ledger."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edgequake_obs.demo.recording import load
from edgequake_obs.demo.server import ReplayServer, running
from tests.provider import corpus
from tests.provider.run import play
from tests.provider.test_dialects import SAMPLE as DIALECTS
from tests.provider.test_dialects import cases_in

from .conventions import METRICS, faults_of_counts, faults_of_metric, faults_of_span
from .receiver import Receiver, Span, plain

ERROR = 2


def test_recorded_exchanges(receiver: Receiver, tmp_path: Path) -> None:
    cases = list(corpus.sample().values())
    with running(load(corpus.SAMPLE)) as server:
        rows = played(server, cases, ("own-sync", "patched-async"), receiver, tmp_path)
    spans = conform(receiver, rows)
    # The check has seen what it is to check.
    assert len({span.attributes["gen_ai.provider.name"] for span in spans}) >= 5
    assert {"chat", "embeddings"} <= {span.attributes["gen_ai.operation.name"] for span in spans}


@pytest.mark.parametrize(
    ("name", "provider"), [("anthropic", "anthropic"), ("gemini", "gcp.gemini"), ("ollama", "ollama")]
)
def test_dialects(name: str, provider: str, receiver: Receiver, tmp_path: Path) -> None:
    cases, _ = cases_in(DIALECTS, name)
    with running({case.id: case.exchange for case in cases}) as server:
        rows = played(server, cases, ("own-sync", "own-async"), receiver, tmp_path)
    spans = conform(receiver, rows)
    assert len(spans) == 2 * len(cases)
    assert {span.attributes["gen_ai.provider.name"] for span in spans} == {provider}


def played(
    server: ReplayServer, cases: Sequence[Any], ways: Sequence[str], receiver: Receiver, folder: Path
) -> dict[str, dict[str, Any]]:
    """Ask them all; the ledger's rows, by their span's id."""
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
    _, rows = play(server, cases, folder, ways=ways, environment=environment)
    return {row["span_id"]: row for several in rows.values() for row in several}


def conform(receiver: Receiver, recorded: dict[str, dict[str, Any]]) -> list[Span]:
    """Compare what arrived with the conventions and with the rows; the spans."""
    found = {span.span_id: span for span in receiver.spans}
    assert found.keys() == recorded.keys()
    assert len(found) == len(receiver.spans)
    faults: collections.Counter[str] = collections.Counter()
    for span_id, span in found.items():
        row, attributes = recorded[span_id], span.attributes
        faults.update(faults_of_span(span.name, attributes, span.status == ERROR))
        if row["cost_status"] == "priced":  # gateways report costs beside counts that contradict themselves
            faults.update(faults_of_counts(attributes))
        assert span.trace_id == row["trace_id"]
        assert (span.start_ns, span.end_ns) == (row["start_ns"], row["start_ns"] + row["duration_ns"])
        assert (span.status == ERROR) == (row["outcome"] == "error")
        assert attributes.get("gen_ai.usage.input_tokens") == row["input_tokens"]
        assert attributes.get("gen_ai.usage.output_tokens") == row["output_tokens"]
        assert attributes.get("gen_ai.response.model") == row["response_model"]
        assert attributes.get("gen_ai.response.finish_reasons", []) == (row["finish_reasons"] or [])
        cost = None if row["cost_usd"] is None else float(row["cost_usd"])
        assert attributes.get("gen_ai.usage.cost.amount") == cost
        assert attributes["edgequake.call_uid"] == str(row["call_uid"])
    for request in receiver.metric_requests:
        for of in request.resource_metrics:
            for scope in of.scope_metrics:
                for metric in scope.metrics:
                    data = getattr(metric, metric.WhichOneof("data"))
                    points = [plain(point.attributes) for point in data.data_points]
                    faults.update(faults_of_metric(metric, points))
    assert not faults, faults
    assert receiver.metrics().keys() <= METRICS.keys()
    return list(found.values())


def test_the_check_finds_faults() -> None:
    good = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m"}
    assert list(faults_of_span("chat m", good, False)) == []
    for more in (
        {"gen_ai.usage.cost": 1.0},
        {"gen_ai.system": "openai"},
        {"gen_ai.request.top_k": 1.0},
        {"gen_ai.request.temperature": 1},
        {"gen_ai.request.stream": False},
        {"gen_ai.provider.name": "azure"},
        {"gen_ai.output.type": "yaml"},
        {"gen_ai.response.id": ""},
        {"error.type": "x"},
    ):
        assert list(faults_of_span("chat m", {**good, **more}, False)), more
    assert list(faults_of_counts({"gen_ai.usage.input_tokens": 1, "gen_ai.usage.cache_read.input_tokens": 2}))
    assert list(faults_of_span("chat m", good, True))
    assert list(faults_of_span("chat", good, False))
