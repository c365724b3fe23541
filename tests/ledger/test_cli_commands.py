"""The command line: what it prints in which format, and its exit statuses."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from spool_writer import START_NS, SpoolWriter, full_record, record, spool_of

from edgequake_obs import cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], ledger_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("COLUMNS", raising=False)

    def main(*words: str) -> tuple[int, str, str]:
        status = cli.main([*words, "--ledger", str(ledger_path)] if words and words[0] != "-h" else list(words))
        return (status, *capsys.readouterr())

    return main


@pytest.fixture
def four_calls(writer: SpoolWriter) -> None:
    second = 10**9
    writer.write(
        record(call_uid="01a1ee4d-0000-7000-8000-000000000001", cost_usd="1234.5", input_tokens=1234567),
        record(START_NS + second, response_model="mistral-large", provider="mistral", cost_usd="0.000000125"),
        record(START_NS + 2 * second, response_model="mistral-large", provider="mistral", cost_usd="0.0341"),
        record(
            START_NS + 3 * second,
            response_model=None,
            cost_usd=None,
            cost_status="unpriced",
            outcome="error",
            error_type="RateLimitError",
            input_tokens=None,
            output_tokens=None,
            duration_ns=42_000,
        ),
    )


SPEND = """\
┌───────────────────────┬───────┬───────────┬────────┬────────────┬──────────┬────────┐
│ response_model        │ calls │     input │ output │   cost_usd │ unpriced │ errors │
├───────────────────────┼───────┼───────────┼────────┼────────────┼──────────┼────────┤
│ gpt-5-mini-2026-01-01 │     1 │ 1,234,567 │    200 │ 1,234.5000 │        0 │      0 │
│ mistral-large         │     2 │     2,000 │    400 │     0.0341 │        0 │      0 │
│ –                     │     1 │         – │      – │     –      │        1 │      1 │
├───────────────────────┼───────┼───────────┼────────┼────────────┼──────────┼────────┤
│ total                 │     4 │ 1,236,567 │    600 │ 1,234.5341 │        1 │      1 │
└───────────────────────┴───────┴───────────┴────────┴────────────┴──────────┴────────┘
1 call has no known cost and is not in the sum: see it with `edgequake-obs calls --where 'cost_usd IS NULL'`.
"""

CALLS = """\
┌─────────────────────┬──────────┬───────────────────────┬───────────┬───────────┬───────────┬────────┬────────────────┬──────────┬────────────────┐
│    started_at (UTC) │ provider │ model                 │ operation │ outcome   │     input │ output │       cost_usd │ duration │ error_type     │
├─────────────────────┼──────────┼───────────────────────┼───────────┼───────────┼───────────┼────────┼────────────────┼──────────┼────────────────┤
│ 2026-09-21 14:13:23 │ openai   │ gpt-5-mini            │ chat      │ error     │         – │      – │     –          │    42 µs │ RateLimitError │
│ 2026-09-21 14:13:22 │ mistral  │ mistral-large         │ chat      │ completed │     1,000 │    200 │     0.0341     │   812 ms │ –              │
│ 2026-09-21 14:13:21 │ mistral  │ mistral-large         │ chat      │ completed │     1,000 │    200 │     0.00000012 │   812 ms │ –              │
│ 2026-09-21 14:13:20 │ openai   │ gpt-5-mini-2026-01-01 │ chat      │ completed │ 1,234,567 │    200 │ 1,234.5000     │   812 ms │ –              │
└─────────────────────┴──────────┴───────────────────────┴───────────┴───────────┴───────────┴────────┴────────────────┴──────────┴────────────────┘
"""  # noqa: E501 -- as wide as it is


@pytest.mark.usefixtures("four_calls")
def test_tables(run: Run) -> None:
    assert run("spend", "--format", "table") == (0, SPEND, "")
    assert run("calls", "--format", "table") == (0, CALLS, "")


@pytest.mark.usefixtures("four_calls")
def test_plain_is_the_default_where_there_is_no_terminal(run: Run) -> None:
    status, out, err = run("spend")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "response_model\tcalls\tinput_tokens\toutput_tokens\tcost_usd\tunpriced_calls\terrors",
        "gpt-5-mini-2026-01-01\t1\t1234567\t200\t1234.500000000000\t0\t0",
        "mistral-large\t2\t2000\t400\t0.034100125000\t0\t0",
        "\t1\t\t\t\t1\t1",
    ]
    assert run("spend", "--format", "plain")[1] == out


def test_json_and_csv_have_every_column_and_every_digit(run: Run, writer: SpoolWriter, ledger_path: Path) -> None:
    written = full_record()
    writer.write(written)
    status, out, _ = run("calls", "--format", "json")
    assert status == 0
    (call,) = json.loads(out, parse_float=Decimal)
    with duckdb.connect(ledger_path, read_only=True) as connection:
        assert list(call) == connection.sql("SELECT * FROM calls").columns
    assert call["reported_cost_usd"] == Decimal("999999.999999999999")
    for name in ("call_uid", "usage", "tags", "metadata", "finish_reasons", "error_message", "streaming", "trace_id"):
        assert call[name] == written[name]
    assert call["started_at"] == "2026-09-21 14:13:20.123456"

    (row,) = csv.DictReader(io.StringIO(run("calls", "--format", "csv")[1]))
    assert row["cost_usd"] == "0.000123456789"
    assert row["error_message"] == written["error_message"]
    assert json.loads(row["tags"]) == written["tags"]
    assert row["cached"] == "false"

    (group,) = json.loads(run("spend", "--by", "day,tags.team", "--format", "json")[1], parse_float=Decimal)
    assert group["day"] == "2026-09-21"
    assert group["tags.team"] == "a,b"
    assert group["cost_usd"] == Decimal("0.000123456789")
    plain = run("calls", "--format", "plain", "--where", "error_type = 'X'")[1].splitlines()
    assert len(plain) == 2


def test_values_with_tabs_and_control_characters_stay_on_their_line(run: Run, writer: SpoolWriter) -> None:
    writer.write(record(response_model="a\tb\nc\x1b[31m"))
    assert run("spend", "--format", "plain")[1].splitlines()[1].split("\t")[0] == "a\\tb\\nc\x1b[31m"
    table = run("spend", "--format", "table")[1]
    assert "a b c [31m" in table
    assert "\x1b" not in table


@pytest.mark.usefixtures("four_calls")
def test_bounds_conditions_and_limits(run: Run) -> None:
    assert len(run("spend", "--top", "1")[1].splitlines()) == 2
    table = run("spend", "--top", "1", "--format", "table")[1]
    assert "total                 │     4 │" in table
    assert "2 more groups are not shown, but are in the total." in table
    assert len(run("calls", "--limit", "2")[1].splitlines()) == 3
    assert len(run("calls", "--where", "provider = 'mistral'")[1].splitlines()) == 3
    assert len(run("calls", "--since", "2026-09-21T14:13:22")[1].splitlines()) == 3
    assert run("spend", "--until", "2026-09-21T14:13:22", "--by", "provider")[1].count("\n") == 3
    assert run("spend", "--by", "day", "--tz", "Pacific/Auckland")[1].splitlines()[1].startswith("2026-09-22\t4")


def test_periods_are_in_order_in_a_table(run: Run, writer: SpoolWriter) -> None:
    day = 86_400 * 10**9
    writer.write(*(record(START_NS + number * day, cost_usd=cost) for number, cost in enumerate(("3", "1", "2"))))
    table = run("spend", "--by", "day", "--format", "table")[1]
    assert [line[2:12] for line in table.splitlines()[3:6]] == ["2026-09-21", "2026-09-22", "2026-09-23"]


def test_fold(run: Run, writer: SpoolWriter) -> None:
    writer.write(record(), record())
    writer.append(b"\ntorn\n")
    status, out, err = run("fold", "--format", "table")
    assert (status, err) == (0, "")
    assert out.startswith("Folded 2 calls from 1 file in ")
    assert "1 line could not be read and is kept in" in out
    writer.write(record())
    assert json.loads(run("fold", "--format", "json")[1])[0].items() >= {"records": 1, "files": 1, "busy": 0}.items()


@pytest.mark.parametrize("command", ["spend", "calls", "fold"])
def test_no_ledger_yet_and_an_empty_one_are_no_errors(run: Run, ledger_path: Path, command: str) -> None:
    status, out, err = run(command, "--format", "table")
    assert (status, err) == (0, "")
    assert out == f"There is no ledger at {ledger_path} yet: it begins with the first recorded call.\n"
    status, out, err = run(command, "--format", "json")
    assert (status, json.loads(out)) == (0, [])
    assert "yet" in err
    assert not ledger_path.exists()
    os.mkdir(spool_of(ledger_path))
    if command != "fold":
        assert run(command, "--format", "table") == (0, "No calls recorded there, or none that match.\n", "")
        assert run(command, "--format", "plain")[1].count("\n") == 1
        assert json.loads(run(command, "--format", "json")[1]) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["spend", "--by", "modell"], "by='modell' is neither"),
        (["spend", "--since", "soon"], "since='soon' is not a point in time"),
        (["spend", "--where", "foo bar"], "is not an SQL condition"),
        (["calls", "--where", "nonsense = 1"], "is not an SQL condition"),
        (["spend", "--tz", "Mars"], "is not a time zone"),
        (["calls", "--limit", "0"], "above zero"),
        (["spend", "--format", "xml"], "invalid choice"),
        (["spend", "--nonsense"], "unrecognized"),
        (["nonsense"], "invalid choice"),
    ],
)
@pytest.mark.usefixtures("four_calls")
def test_wrong_usage_is_2(run: Run, words: list[str], message: str) -> None:
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert message in err
    assert err.startswith(("edgequake-obs: ", "usage: "))
    assert "Traceback" not in err


@pytest.mark.usefixtures("four_calls")
def test_what_fails_is_1(run: Run, ledger_path: Path, script) -> None:
    status, _, err = run("calls", "--where", "CAST(provider AS INTEGER) = 1")
    assert status == 1
    assert err.startswith("edgequake-obs: the query failed: Conversion Error")
    assert err.count("\n") == 1
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
    holder = script(code, ledger_path)
    holder.stdout.readline()
    status, out, err = run("spend")
    assert (status, out) == (1, "")
    assert f"(PID {holder.pid})" in err
    assert "-readonly" in err
    assert err.count("\n") == 1


def test_a_ledger_that_is_none_and_one_that_is_off(
    run: Run, ledger_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgequake_obs import _native

    os.mkdir(spool_of(ledger_path))
    ledger_path.write_text("this is no database" * 1000)
    status, _, err = run("spend")
    assert status == 1
    assert "cannot be opened" in err
    monkeypatch.setattr(_native, "ledger_path", lambda: None)
    assert cli.main(["spend"]) == 1
    assert "EDGEQUAKE_OBS_LEDGER" in capsys.readouterr().err


def test_help_names_the_commands(run: Run) -> None:
    status, out, _ = run("-h")
    assert status == 0
    assert all(command in out for command in ("spend", "calls", "fold"))


def _started(ledger_path: Path, *words: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "edgequake_obs.cli", *words, "--ledger", str(ledger_path)]
    environment = {**os.environ, "PYTHONPATH": f"{os.getcwd()}:{os.environ.get('PYTHONPATH', '')}"}
    environment.pop("COLUMNS", None)
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**environment, **options}
    )


@pytest.mark.usefixtures("four_calls")
def test_as_a_module(ledger_path: Path) -> None:
    out, err = _started(ledger_path, "spend", "--format", "table", PYTHONIOENCODING="utf-8").communicate()
    assert (out, err) == (SPEND, "")
    out, err = _started(ledger_path, "spend", "--format", "table", PYTHONIOENCODING="ascii").communicate()
    assert err == ""
    assert out.splitlines()[0].startswith("+-----")
    assert out.isascii()


def test_a_reader_that_has_seen_enough_is_no_error(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(*(record(error_message="x" * 500) for _ in range(2_000)))
    process = _started(ledger_path, "calls", "--format", "csv", "--limit", "2000")
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0


@pytest.mark.usefixtures("four_calls")
def test_in_a_terminal_it_is_a_table_that_fits(ledger_path: Path) -> None:
    pty = pytest.importorskip("pty")
    for width in (80, 60):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "edgequake_obs.cli", "spend", "--by", "response_model,user_id",
             "--ledger", str(ledger_path)],
            stdout=theirs,
            env={**os.environ, "PYTHONPATH": f"{os.getcwd()}:{os.environ.get('PYTHONPATH', '')}",
                 "COLUMNS": str(width), "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        assert process.wait() == 0
        os.close(theirs)
        shown = os.read(ours, 100_000).decode()
        os.close(ours)
        lines = [line.rstrip("\r") for line in shown.splitlines()]
        assert lines[0].startswith("┌")
        assert all(len(line) <= width for line in lines if line[0] in "┌│├└")


def test_recompute(ledger_path: Path, writer: SpoolWriter, capsys: pytest.CaptureFixture[str]) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100}
    names = {"request_model": "gpt-4o-mini", "response_model": "gpt-4o-mini", "price_key": "gpt-4o-mini"}
    writer.write(record(usage=usage, **names), record(request_model="unknown", response_model="unknown", usage=usage))
    command = ["recompute", "--ledger", str(ledger_path)]
    assert cli.main([*command, "--dry-run", "--format", "table"]) == 0
    assert "A dry run: 2 of the figures would be corrected, and none was." in capsys.readouterr().out
    assert cli.main([*command, "--format", "table"]) == 0
    said = capsys.readouterr().out
    assert "2 corrections written" in said
    assert cli.main([*command, "--format", "json"]) == 0
    found = {row["model"]: row for row in json.loads(capsys.readouterr().out, parse_float=Decimal)}
    assert found["gpt-4o-mini"] == {
        "provider": "openai", "model": "gpt-4o-mini", "calls": 1, "corrected": 0, "cost_usd_before": Decimal("0.00021"),
        "cost_usd_after": Decimal("0.00021"), "unpriced_before": 0, "unpriced_after": 0,
    }  # fmt: skip
    assert found["unknown"]["unpriced_after"] == 1
    assert cli.main(["spend", "--ledger", str(ledger_path), "--format", "table"]) == 0
    assert "1 call has no known cost and is not in the sum" in capsys.readouterr().out
    assert cli.main([*command, "--as-model", "gpt-4o"]) == 2
    assert "give model, or dry_run" in capsys.readouterr().err
