"""`edgequake-obs prices`: the figures and their reasons, for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import edgequake_obs
from edgequake_obs import _native, pricing
from edgequake_obs.cli import main

from .programs import ROOT, run

TABLE = ROOT / "pricing/sources/litellm_model_prices.json"
USAGE = '{"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}}'


@pytest.fixture(autouse=True)
def _prices_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    _native.reload_prices()
    yield
    monkeypatch.undo()
    edgequake_obs.configure(prices={})


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return json.loads(capsys.readouterr().out, parse_float=Decimal)


def changed(tmp_path: Path, **changes: dict[str, Any] | None) -> str:
    """A copy of the shipped table with other entries; None: without the entry."""
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    for key, fields in changes.items():
        if fields is None:
            del table[key]
        else:
            table[key] = {**table.get(key, {}), **fields}
    path = tmp_path / "table.json"
    path.write_text(json.dumps(table))
    return str(path)


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prices", "explain", "gpt-4o-mini", "--provider", "openai", "--usage", USAGE]) == 0
    said = lines(capsys)
    assert said[0] == f"gpt-4o-mini by the prices of {_native.price_versions()[0]}"
    for line in (
        "openai/gpt-4o-mini provider and model no such entry",
        "gpt-4o-mini the model, of this provider found",
        "input_cost_per_token 0.00000015",
        "cache_read 400 × 0.000000075 = 0.00003",
        "by list price 0.00018 USD",
        "to pay: 0.00018 USD (priced)",
    ):
        assert line in said


def test_explain_at_another_day_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["prices", "explain", "o3", "--usage", USAGE, "--format", "json"]
    found: list[Any] = []
    for when in ("2025-01-01", "2026-11-01"):
        assert main([*command, "--at", when]) == 0
        found.append(rows(capsys))
    assert [one["source"] for one in found] == ["history", "table"]
    for one in found:
        assert one["steps"][0] == ["o3", "the model, whoever provides it", "found"]
        assert one["cost"]["breakdown"]["text_out"]["rate"] == one["prices"]["output_cost_per_token"]
    assert found[0]["cost"]["usd"] > found[1]["cost"]["usd"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["gpt-99"], 1, "no prices for this model of this provider; give --provider"),
        (["gpt-4o", "--provider", "mistral"], 1, "EDGEQUAKE_OBS_PRICES"),
        (["gpt-4o", "--at", "once"], 2, "--at='once' is not a point in time"),
        (["gpt-4o", "--usage", "{"], 2, "--usage is not JSON"),
    ],
)
def test_explain_what_there_is_not(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, said: str
) -> None:
    assert main(["prices", "explain", *arguments]) == status
    assert said in capsys.readouterr().err


def test_explain_own_prices(capsys: pytest.CaptureFixture[str]) -> None:
    edgequake_obs.configure(
        prices={
            "prices": {"openai/gpt-4o-mini": {"input_cost_per_token": "0.5", "output_cost_per_token": "1"}},
            "discounts": [{"provider": "openai", "off": "0.5"}],
        }
    )
    usage = '{"prompt_tokens": 2, "completion_tokens": 1}'
    main(["prices", "explain", "gpt-4o-mini", "--provider", "openai", "--usage", usage])
    said = lines(capsys)
    assert "rates in USD, your own, under openai/gpt-4o-mini:" in said
    assert "by list price 2 USD" in said
    assert "to pay: 1 USD (priced)" in said


def test_show_and_search(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prices", "show", "gemini-2.5-flash", "--provider", "gemini"]) == 0
    said = lines(capsys)
    assert said[:2] == ["field value", "key gemini/gemini-2.5-flash"]
    assert "max_input_tokens 1048576" in said
    assert main(["prices", "show", "no-such-model"]) == 1
    assert "prices search" in capsys.readouterr().err
    assert main(["prices", "search", "GPT-4O-mini", "--format", "json"]) == 0
    found = {row["key"]: row for row in rows(capsys)}
    assert found["gpt-4o-mini"]["input_cost_per_token"] == Decimal("1.5e-7")
    assert "azure/gpt-4o-mini" in found


def test_conflicts_say_what_holds_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prices", "conflicts", "--format", "json"]) == 0
    found = rows(capsys)
    overlay = json.loads((ROOT / "pricing/sources/overlay.json").read_text(encoding="utf-8"))
    assert {row["key"] for row in overlay["corrections"]} <= {row["key"] for row in found}
    assert all(row["why"] and row["source"] for row in found)
    for row in found:
        if row["checked"] is None:
            assert row["one"] != row["other"] == row["holds"]


def test_update_diff_and_undo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 0}
    before = pricing.cost(usage, model="gpt-4o-mini")
    source = changed(
        tmp_path,
        **{"gpt-4o-mini": {"input_cost_per_token": 3e-07}, "gpt-9": {"litellm_provider": "openai", "mode": "chat"}},
    )
    assert main(["prices", "diff", "--from", source, "--format", "json"]) == 0
    change = {
        "key": "gpt-4o-mini", "field": "input_cost_per_token", "before": Decimal("1.5e-7"), "after": Decimal("3e-7"),
    }  # fmt: skip
    assert rows(capsys) == [change]
    assert pricing.cost(usage, model="gpt-4o-mini").usd == before.usd

    assert main(["prices", "update", "--from", source]) == 0
    assert "1 prices changed; 4,552 models" in capsys.readouterr().out
    after = pricing.cost(usage, model="gpt-4o-mini")
    assert after.usd == Decimal("0.0003")
    assert after.price_version != before.price_version
    # Another program begins with them.
    program = f"from edgequake_obs import pricing; print(pricing.cost({usage}, model='gpt-4o-mini').usd)"
    assert run(program, XDG_DATA_HOME=str(tmp_path / "data")).stdout == "0.0003\n"
    assert main(["prices", "diff", "--format", "json"]) == 0
    assert rows(capsys) == [change]

    main(["prices", "update", "--from", str(TABLE)])
    assert pricing.cost(usage, model="gpt-4o-mini").usd == before.usd
    for usd in (after.usd, before.usd):
        assert main(["prices", "update", "--undo"]) == 0
        assert pricing.cost(usage, model="gpt-4o-mini").usd == usd
    assert main(["prices", "update", "--undo"]) == 1
    assert "the shipped prices are in force" in capsys.readouterr().err
    assert list((tmp_path / "data/edgequake-obs").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<html>", "is no price table in litellm's form"),
        ("[]", "is no price table"),
        ("{}", "the table has no prices"),
        ('{"a": {"input_cost_per_token": -1}}', "is no price table"),
        (
            '{"a": {"litellm_provider": "openai", "input_cost_per_token": 1e-6}}',
            "it has 1 models and the table in force",
        ),
    ],
)
def test_a_table_that_is_not_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str) -> None:
    source = tmp_path / "table.json"
    source.write_text(content)
    assert main(["prices", "update", "--from", str(source)]) in (1, 2)
    assert said in capsys.readouterr().err
    assert _native.price_versions()[0] == _native.price_versions()[1]


def test_unlikely_prices_are_not_taken_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = changed(tmp_path, **{"gpt-4o-mini": {"input_cost_per_token": 0.00015}})
    assert main(["prices", "update", "--from", source]) == 1
    assert "gpt-4o-mini input_cost_per_token 0.00000015 -> 0.00015" in capsys.readouterr().err
    assert main(["prices", "update", "--from", source, "--force"]) == 0
    assert pricing.cost({"prompt_tokens": 1, "completion_tokens": 0}, model="gpt-4o-mini").usd == Decimal("0.00015")


def test_update_from_a_url(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = Path(changed(tmp_path, **{"gpt-4o-mini": {"input_cost_per_token": 3e-07}})).read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/table.json" else 404)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        base = f"http://127.0.0.1:{server.server_port}"
        assert main(["prices", "update", "--from", f"{base}/none.json"]) == 1
        assert "404" in capsys.readouterr().err
        assert main(["prices", "update", "--from", f"{base}/table.json"]) == 0
    finally:
        server.shutdown()
        server.server_close()
    assert pricing.cost({"prompt_tokens": 1000, "completion_tokens": 0}, model="gpt-4o-mini").usd == Decimal("0.0003")
