"""Against the official collector, which `make collector` builds, and rotel."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgequake_obs.demo.recording import load
from edgequake_obs.demo.server import running
from tests.provider import corpus
from tests.provider.run import play
from tests.provider.test_dialects import DIALECTS as NAMES
from tests.provider.test_dialects import SAMPLE as DIALECTS
from tests.provider.test_dialects import cases_in
from tests.unit.programs import run
from tests.unit.records import Ledger

from .conventions import METRICS, faults_of_span
from .real_collector import PATIENCE, RealCollector, attributes_of, binary

PROGRAMS = Path(__file__).with_name("programs")
GO = shutil.which("go")
WHY_NOT = "the collector is not built: `make collector`" if GO else "the collector is built with Go, which is not here"


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[RealCollector]:
    if not binary().exists():
        pytest.skip(WHY_NOT)
    yield from started(tmp_path, durable=False)


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[RealCollector]:
    if not binary().exists():
        pytest.skip(WHY_NOT)
    yield from started(tmp_path, durable=True)


def started(folder: Path, *, durable: bool) -> Iterator[RealCollector]:
    (folder / "collected").mkdir()
    found = RealCollector(folder / "collected", durable=durable)
    found.start()
    yield found
    found.stop()


@pytest.mark.parametrize("compression", ["gzip", "none"])
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_recorded_exchanges(protocol: str, compression: str, collector: RealCollector, tmp_path: Path) -> None:
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.grpc_url if protocol == "grpc" else collector.url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "EVENT_ONLY",
    }
    cases: list[Any] = list(corpus.sample().values())
    for name in NAMES:
        cases += cases_in(DIALECTS, name)[0]
    with running({**load(corpus.SAMPLE), **load(DIALECTS)}) as server:
        _, rows = play(server, cases, tmp_path, ways=("own-async",), environment=settings)
    collector.stop()
    spans = collector.spans()
    recorded = {row["span_id"] for several in rows.values() for row in several}
    assert sorted(span["spanId"] for span in spans) == sorted(recorded)
    faults = [
        fault
        for span in spans
        for fault in faults_of_span(span["name"], attributes_of(span), span["status"].get("code") == 2)
    ]
    assert faults == []
    assert "gen_ai.client.inference.duration" in collector.metric_names() <= METRICS.keys()
    said = {row["span_id"] for several in rows.values() for row in several if row["content"] is not None}
    assert {event["spanId"] for event in collector.events()} == said != set()
    assert {event["eventName"] for event in collector.events()} == {"gen_ai.client.inference.operation.details"}


def test_one_that_is_killed_and_comes_back(collector: RealCollector, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.duckdb")
    command = [sys.executable, str(PROGRAMS / "steady.py")]
    environment = {
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "EDGEQUAKE_OBS_LEDGER": str(ledger.path),
    }
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as program:
        assert program.stdout is not None
        program.stdout.readline()
        time.sleep(1)
        collector.stop()  # what it has taken is in its file
        time.sleep(1)
        collector.start()
        time.sleep(1)
        collector.stop(signal.SIGTERM)
        time.sleep(0.5)
        collector.start()
        out, err = program.communicate("enough\n", timeout=PATIENCE)
        assert program.returncode == 0, err
    collector.stop()
    spans = [span["spanId"] for span in collector.spans()]
    rows = [row["span_id"] for row in ledger.calls()]
    assert len(rows) == json.loads(out)["calls"]
    assert sorted(spans) == sorted(rows)
    assert err.count("cannot send") <= 1  # a minute


def test_one_that_is_killed_in_the_middle_of_a_write(durable: RealCollector, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.duckdb")
    moments = random.Random(8)
    environment = {
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "OTEL_EXPORTER_OTLP_ENDPOINT": durable.url,
        "OTEL_BSP_SCHEDULE_DELAY": "1",  # a request is always under way
        "EDGEQUAKE_OBS_LEDGER": str(ledger.path),
    }
    command, pipe = [sys.executable, str(PROGRAMS / "steady.py"), "0.0005"], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as program:
        assert program.stdout is not None
        program.stdout.readline()
        for _ in range(5):
            time.sleep(moments.uniform(0.1, 0.5))
            durable.stop(signal.SIGKILL)
            durable.start()
        out, err = program.communicate("enough\n", timeout=PATIENCE)
        assert program.returncode == 0, err
    durable.stop()
    said = json.loads(out)
    rows = {row["span_id"] for row in ledger.calls()}
    # What was taken and not answered for is sent again: each is there, now and then twice, and counted once.
    assert {span["spanId"] for span in durable.spans()} == rows
    assert len(rows) == said["calls"] == said["otlp"]["exported"]
    assert not any(said["otlp"]["dropped"].values())


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_rotel(protocol: str, tmp_path: Path) -> None:
    found = importlib.util.find_spec("rotel")
    if found is None or found.origin is None:
        pytest.skip("rotel is not installed: pip install rotel")
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as free:
            ports.append(free.getsockname()[1])
    agent = Path(found.origin).with_name("rotel-agent")
    command = [str(agent), "start", "--otlp-grpc-endpoint", f"127.0.0.1:{ports[0]}"]
    command += ["--otlp-http-endpoint", f"127.0.0.1:{ports[1]}", "--exporter", "blackhole"]
    command += ["--debug-log", "traces", "--debug-log", "metrics", "--debug-log-verbosity", "detailed"]
    log = tmp_path / "rotel.log"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    socket.create_connection(("127.0.0.1", ports[1]), 1).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
                    time.sleep(0.05)
            port = ports[0] if protocol == "grpc" else ports[1]
            run(
                PROGRAMS / "ending.py",
                "end",
                OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
                OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
                EDGEQUAKE_OBS_LEDGER="off",
            )
            while "edgequake.cost" not in (text := log.read_text(encoding="utf-8")):
                assert time.monotonic() < deadline, text
                time.sleep(0.05)
        finally:
            process.terminate()
    assert text.count("edgequake.call_uid") == 3
