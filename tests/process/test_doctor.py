"""`edgequake-obs doctor`: what it finds in a sound place, and in broken ones, with the remedy."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import openai
import pytest
import wrapt

from edgequake_obs import _native, ledger, patches
from edgequake_obs.cli import doctor
from edgequake_obs.cli.doctor import collector, libraries
from edgequake_obs.cli.doctor import ledger as of_ledger
from edgequake_obs.cli.doctor.check import Check

from .launch import environment

DOCTOR = [sys.executable, "-m", "edgequake_obs.cli", "doctor"]


def test_all_is_well(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    done = subprocess.run(DOCTOR, env=environment(path), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "a call through openai gave one row" in done.stdout
    assert f"{openai.__version__}, 7 functions hooked" in done.stdout
    assert "websockets" in done.stdout, "what is not seen"
    assert str(path) in done.stdout
    assert not path.exists(), "looking makes nothing"


def test_all_is_wrong(tmp_path: Path) -> None:
    given = environment(
        tmp_path / "ledger.duckdb",
        EDGEQUAKE_OBS_PRICES=str(tmp_path / "none.json"),
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        EDGEQUAKE_OBS_DISABLED="1",
    )
    command = [*DOCTOR, "--format", "json", "--ledger", str(tmp_path / "ledger.duckdb" / "below")]
    (tmp_path / "ledger.duckdb").write_text("no folder")
    done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    found = [Check(**check) for check in json.loads(done.stdout)]
    wrong = {check.name: check.remedy for check in found if check.status == "wrong"}
    assert sorted(wrong) == ["collector", "ledger", "prices", "recording"]
    assert all(wrong.values()), "each has its remedy"
    assert not any(check.name == "self-test" for check in found)


def test_ledger_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    path.write_text("something else")
    check = of_ledger.check(str(path))
    assert (check.status, "not a valid DuckDB database" in check.found) == ("wrong", True)
    assert "move that file away" in check.remedy


def test_ledger_where_nobody_may_write() -> None:
    check = of_ledger.check("/proc/edgequake/ledger.duckdb")
    assert check.status == "wrong"
    assert "EDGEQUAKE_OBS_LEDGER" in check.remedy


def test_ledger_of_a_newer_version(tmp_path: Path) -> None:
    import duckdb

    path = str(tmp_path / "ledger.duckdb")
    ledger.ensure(path)
    assert of_ledger.check(path).status == "ok"
    with duckdb.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    check = of_ledger.check(path)
    assert (check.status, check.remedy) == ("wrong", "update edgequake_obs")


def test_ledger_that_somebody_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_ledger, "_PATIENCE", 0.1)
    path = str(tmp_path / "ledger.duckdb")
    ledger.ensure(path)
    hold = f"import duckdb; held = duckdb.connect({path!r}); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        check = of_ledger.check(path)
        holder.communicate(b"\n", timeout=30)
    assert check.status == "wrong"
    assert f"PID {holder.pid}" in check.found
    assert "calls are recorded all the same" in check.remedy
    assert of_ledger.check(path).status == "ok"


def test_collectors(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = f"http://127.0.0.1:{listening.getsockname()[1]}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", there)
        assert [(check.status, check.remedy) for check in collector.checks()] == [("ok", "")]
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://someone:s3cret@127.0.0.1:9/v1/metrics")
        metrics, general = collector.checks()
        assert (metrics.status, general.status) == ("wrong", "ok")
        assert "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" in metrics.remedy
        assert "s3cret" not in str(metrics)
    monkeypatch.setenv("EDGEQUAKE_OBS_OTEL", "off")
    assert [check.status for check in collector.checks()] == ["note"]


def test_version_without_our_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "hooked", lambda: {"openai": {"openai._base_client.SyncAPIClient.request": False}})
    check = next(check for check in libraries.checks() if check.name == "openai")
    patches.uninstrument()
    assert (check.status, "nothing could be hooked" in check.found) == ("wrong", True)
    assert "older" in check.remedy


def test_others_that_hook_the_same_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrapper(wrapped: object, instance: object, args: object, kwargs: object) -> None: ...

    before = vars(openai.OpenAI).get("request")
    wrapt.wrap_function_wrapper("openai", "OpenAI.request", wrapper)
    try:
        found = [check for check in libraries.checks() if "too" in check.found]
    finally:
        patches.uninstrument()
        del openai.OpenAI.request
    assert before is None
    assert [check.found for check in found] == [f"openai.OpenAI.request is hooked by {__name__} too"]
    assert "EDGEQUAKE_OBS_OTEL" in found[0].remedy


def test_old_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    day = date.today() - timedelta(days=doctor.OLD + 10)
    monkeypatch.setattr(_native, "price_versions", lambda: [f"{day}-abc"])
    check = doctor._prices()
    assert (check.status, check.found) == ("note", "100 days old")
    assert "prices update" in check.remedy
