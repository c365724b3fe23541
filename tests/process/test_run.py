"""`edgequake-obs run -- COMMAND`: the calls of a program, and of what it starts, are recorded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .launch import calls, environment

PROGRAM = """
import multiprocessing, subprocess, sys
import openai

def ask():
    client = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
    print(client.chat.completions.create(model="gpt-4o", messages=[]).choices[0].message.content)

if __name__ == "__main__":
    ask()
    if len(sys.argv) == 2:
        for method in ("fork", "spawn"):
            process = multiprocessing.get_context(method).Process(target=ask)
            process.start()
            process.join()
        subprocess.run([sys.executable, __file__, sys.argv[1], "alone"], check=True)
"""


def run(*command: object, path: Path, **more: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "edgequake_obs.cli", "run", *map(str, command)]
    return subprocess.run(line, env=environment(path, **more), capture_output=True, text=True, timeout=60, check=False)


def test_program_and_what_it_starts(url: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    path = tmp_path / "ledger.duckdb"
    done = run("--", sys.executable, program, url, path=path)
    assert (done.returncode, done.stderr) == (0, "")
    recorded = calls(path)
    assert [row["origin"] for row in recorded] == ["openai"] * 4
    assert len({row["pid"] for row in recorded}) == 4


def test_disabled(url: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    path = tmp_path / "ledger.duckdb"
    done = run("--", sys.executable, program, url, "alone", path=path, EDGEQUAKE_OBS_DISABLED="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert not path.exists()


def test_the_programs_own_sitecustomize_runs_too(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('mine')")
    done = run("--", sys.executable, "-c", "print('program')", path=tmp_path / "l.duckdb", PYTHONPATH=str(tmp_path))
    assert done.stdout.split() == ["mine", "mine", "program"], "the first is the command's own interpreter's"


@pytest.mark.parametrize(
    ("command", "status", "said"), [((), 2, "nothing to run"), (("--", "no-such-program"), 1, "no program")]
)
def test_what_cannot_be_run(tmp_path: Path, command: tuple[str, ...], status: int, said: str) -> None:
    done = run(*command, path=tmp_path / "l.duckdb")
    assert done.returncode == status
    assert said in done.stderr


def test_exit_status_is_the_programs(tmp_path: Path) -> None:
    assert run("--", sys.executable, "-c", "raise SystemExit(7)", path=tmp_path / "l.duckdb").returncode == 7
