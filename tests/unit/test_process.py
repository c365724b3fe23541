"""What concerns the process as a whole: the import, settings, counts."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import edgequake_obs

from .conftest import Ask
from .programs import ROOT, run
from .records import Ledger
from .server import Answer, Server, chat, error, running

HEAVY = ("asyncio", "duckdb", "wrapt", "openai", "pydantic", "opentelemetry", "ssl")

IMPORT = """
import sys
events = []
sys.addaudithook(lambda event, _: events.append(event))
before = set(sys.modules)
import edgequake_obs
import json
print(json.dumps([sorted(set(sys.modules) - before), [e for e in events if e.startswith(("socket.", "subprocess."))]]))
"""
# Makes as many calls as its second argument says, and says what became of them.
CALL = """
import json, sys, edgequake_obs
for _ in range(int(sys.argv[2])):
    answer = edgequake_obs.completion("gpt-4o-mini", [], api_base=sys.argv[1], api_key="k")
edgequake_obs.flush()
print(json.dumps([answer.choices[0].message.content, edgequake_obs.stats()]))
"""


def answers(server: Server, count: int = 1) -> Server:
    server.will(*[Answer(body=chat())] * count)
    return server


def call(server: Server, calls: int = 1, cwd: Path | None = None, **environment: str) -> tuple[dict[str, Any], str]:
    """`stats()` and standard error of a program whose calls all succeed."""
    done = run(CALL, answers(server, calls).base, calls, cwd=cwd, **environment)
    said, stats = json.loads(done.stdout)
    assert said == "Hello."
    assert len(server.requests) == calls
    return stats, done.stderr


def test_import() -> None:
    imported, network = json.loads(run(IMPORT).stdout)
    assert "edgequake_obs" in imported
    assert [name for name in imported if name.partition(".")[0] in HEAVY] == []
    assert network == []


def test_import_makes_no_files(tmp_path: Path) -> None:
    run("import edgequake_obs; edgequake_obs.flush(); edgequake_obs.stats()", HOME=str(tmp_path), cwd=tmp_path)
    assert list(tmp_path.rglob("*")) == []


def test_auto() -> None:
    done = run("import edgequake_obs.auto, openai, edgequake_obs; print(edgequake_obs.stats()['hooked'])")
    assert "openai" in done.stdout


def test_version() -> None:
    found = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert found is not None
    assert edgequake_obs.__version__ == found[1]


def test_everything_public_is_there() -> None:
    assert sorted(edgequake_obs.__all__) == sorted(set(edgequake_obs.__all__))
    for name in edgequake_obs.__all__:
        assert getattr(edgequake_obs, name) is not None
    assert edgequake_obs.ledger.connect
    with pytest.raises(AttributeError, match="nothing"):
        _ = edgequake_obs.nothing  # type: ignore[attr-defined]


def test_configure_switches_the_ledger(server: Server, ask: Ask, tmp_path: Path) -> None:
    first, second = Ledger(tmp_path / "first.duckdb"), Ledger(tmp_path / "folder" / "second.duckdb")
    answers(server, 4)
    try:
        edgequake_obs.configure(ledger=str(first.path))
        ask(user="1")
        edgequake_obs.configure(ledger=second.path)
        ask(user="2")
        edgequake_obs.configure(ledger="off")
        ask(user="3")
        edgequake_obs.configure(ledger=first.path)
        ask(user="4")
        assert [row["user_id"] for row in first.calls()] == ["1", "4"]
        assert [row["user_id"] for row in second.calls()] == ["2"]
    finally:
        edgequake_obs.configure(ledger="off")


def test_configure_wins_over_the_environment(server: Server, tmp_path: Path) -> None:
    given, environment = Ledger(tmp_path / "given.duckdb"), tmp_path / "environment.duckdb"
    program = f"import edgequake_obs\nedgequake_obs.configure(ledger={str(given.path)!r})\n{CALL}"
    run(program, answers(server).base, 1, EDGEQUAKE_OBS_LEDGER=str(environment))
    assert given.call()["outcome"] == "completed"
    assert not list(tmp_path.glob("environment*"))


def test_service_name(server: Server, tmp_path: Path) -> None:
    found = Ledger(tmp_path / "ledger.duckdb")
    call(server, EDGEQUAKE_OBS_LEDGER=str(found.path), OTEL_SERVICE_NAME="of the environment")
    program = f"import edgequake_obs\nedgequake_obs.configure(service_name='given')\n{CALL}"
    environment = {"EDGEQUAKE_OBS_LEDGER": str(found.path), "OTEL_SERVICE_NAME": "of the environment"}
    run(program, answers(server).base, 1, **environment)
    assert [row["service_name"] for row in found.calls()] == ["of the environment", "given"]
    assert found.calls()[0]["pid"] > 0
    assert found.calls()[0]["host"]


@pytest.mark.parametrize("name", ["otel", "capture_content"])
def test_what_configure_cannot_mean(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        edgequake_obs.configure(**{name: "x"})  # type: ignore[arg-type]


@pytest.mark.parametrize("off", ["off", "OFF"])
def test_no_ledger(server: Server, tmp_path: Path, off: str) -> None:
    stats, said = call(server, cwd=tmp_path, HOME=str(tmp_path), EDGEQUAKE_OBS_LEDGER=off)
    assert list(tmp_path.rglob("*")) == []
    assert (stats["ledger"], stats["problem"], said) == (None, None, "")


def test_a_relative_path(server: Server, tmp_path: Path) -> None:
    """It means the folder that the program was in when it made its first call."""
    (tmp_path / "later").mkdir()
    program = f"{CALL}\nimport os; os.chdir('later')\n{CALL}"
    run(program, answers(server, 2).base, 1, cwd=tmp_path, EDGEQUAKE_OBS_LEDGER="mine.duckdb")
    assert list((tmp_path / "later").iterdir()) == []
    assert len(Ledger(tmp_path / "mine.duckdb").calls()) == 2


def test_the_users_data_folder(server: Server, tmp_path: Path) -> None:
    xdg, home = tmp_path / "xdg", tmp_path / "home"
    stats, _ = call(server, XDG_DATA_HOME=str(xdg), HOME=str(home))
    assert stats["ledger"] == str(xdg / "edgequake-obs" / "ledger.duckdb")
    assert len(Ledger(Path(stats["ledger"])).calls()) == 1
    assert not home.exists()
    with running() as another:
        stats, _ = call(another, XDG_DATA_HOME="relative", HOME=str(home))
    assert stats["ledger"] == str(home / ".local" / "share" / "edgequake-obs" / "ledger.duckdb")


def test_no_home(server: Server, tmp_path: Path) -> None:
    stats, said = call(server, calls=3, cwd=tmp_path)
    assert said.count("EDGEQUAKE_OBS_LEDGER") == 1, "one warning, which names the remedy"
    assert stats["ledger"] is None
    assert "EDGEQUAKE_OBS_LEDGER" in stats["problem"]
    assert list(tmp_path.rglob("*")) == []


def test_a_ledger_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    stats, said = call(server, calls=3, EDGEQUAKE_OBS_LEDGER=str(tmp_path / "file" / "ledger.duckdb"))
    assert stats["problem"]
    assert stats["dropped"]["unwritable"] + stats["queued_bytes"] > 0
    assert "Traceback" not in said


def test_disabled(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    stats, said = call(server, calls=2, EDGEQUAKE_OBS_DISABLED="1", EDGEQUAKE_OBS_LEDGER=str(path))
    assert (stats["recorded"], stats["written"], said) == (0, 0, "")
    assert list(tmp_path.iterdir()) == []


PATCHED = """
import sys, openai, edgequake_obs
import openai._base_client as base
classes = (base.BaseClient, base.SyncAPIClient, base.AsyncAPIClient)

def found():
    # By identity, as a wrapper says that it equals the original; and with the code, which can be exchanged.
    return [(name, id(value), getattr(value, "__code__", None)) for one in classes for name, value in vars(one).items()]

before = found()
edgequake_obs.instrument()
print(found() == before, edgequake_obs.stats()["hooked"])
client = openai.OpenAI(base_url=sys.argv[1], api_key="k")
print(client.chat.completions.create(model="gpt-4o-mini", messages=[]).choices[0].message.content)
edgequake_obs.uninstrument()
print(found() == before)
"""


@pytest.mark.parametrize("disabled", ["1", "true", "0"])
def test_disabled_patches(server: Server, tmp_path: Path, disabled: str) -> None:
    path = tmp_path / "ledger.duckdb"
    environment = {"EDGEQUAKE_OBS_DISABLED": disabled, "EDGEQUAKE_OBS_LEDGER": str(path)}
    untouched, said, put_back = run(PATCHED, answers(server).base, **environment).stdout.splitlines()
    assert (said, put_back) == ("Hello.", "True")
    if disabled == "0":
        assert untouched.startswith("False")
        assert Ledger(path).call()["origin"] == "openai"
    else:
        assert untouched == "True {}"
        assert list(tmp_path.iterdir()) == []


def test_disabled_failures(server: Server, tmp_path: Path) -> None:
    server.will(Answer(401, error("no")))
    path = tmp_path / "ledger.duckdb"
    environment = {"EDGEQUAKE_OBS_DISABLED": "1", "EDGEQUAKE_OBS_LEDGER": str(path)}
    done = run(CALL, server.base, 1, status=1, **environment)
    assert "AuthenticationError" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_instrument_knows_its_libraries() -> None:
    with pytest.raises(ValueError, match=r"'nobody'.*openai"):
        edgequake_obs.instrument("nobody")
    assert edgequake_obs.stats()["hooked"] == {}


def test_stats(server: Server, ask: Ask, ledger: Ledger) -> None:
    before = edgequake_obs.stats()
    answers(server, 2)
    ask()
    ask()
    assert edgequake_obs.flush()
    after = edgequake_obs.stats()
    for name in ("recorded", "written"):
        assert after[name] - before[name] == 2  # type: ignore[operator]
    assert after["dropped"] == {"queue_full": 0, "unwritable": 0, "internal": 0}
    assert (after["queued_bytes"], after["internal_errors"], after["problem"]) == (0, 0, None)
    assert after["ledger"] == str(ledger.path)
    assert after["hooked"] == {}


def test_flush(server: Server, ask: Ask, ledger: Ledger) -> None:
    answers(server, 2)
    ask()
    assert edgequake_obs.flush(timeout=30) is True
    assert any((ledger.path.parent / "ledger.spool").iterdir())
    ask()
    assert asyncio.run(edgequake_obs.aflush(timeout=30)) is True
    assert edgequake_obs.stats()["queued_bytes"] == 0


def test_a_call_says_nothing(
    server: Server, ask: Ask, ledger: Ledger, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    answers(server)
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        ask()
        edgequake_obs.flush()
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
