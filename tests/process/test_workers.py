"""A task queue's workers and a notebook's kernel under `edgequake-obs run --`, in an environment that has them."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
from pathlib import Path

import pytest
from contract.versions import environment as environment_of

from .launch import PATIENCE, calls, environment, until
from .test_servers import ASKING

TASKS = """
import celery
from asking import asked

app = celery.Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {"data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control"}

@app.task
def ask():
    return asked()
"""
NOTEBOOK = """
import sys
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name="python3")
try:
    for _ in range(2):
        reply = client.execute_interactive("from asking import asked; assert asked()", timeout=60)
        assert reply["content"]["status"] == "ok", reply
finally:
    client.stop_channels()
    manager.shutdown_kernel()
"""


@functools.cache
def python() -> Path:
    """The interpreter that has celery and ipykernel; skips where its environment cannot be made."""
    try:
        return environment_of("workers")
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(f"no environment with celery and ipykernel: {error}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, program in (("asking", ASKING), ("tasks", TASKS), ("notebook", NOTEBOOK)):
        (tmp_path / f"{name}.py").write_text(program)
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    return tmp_path


def surroundings(folder: Path, url: str) -> dict[str, str]:
    known = environment(folder / "ledger.duckdb", OPENAI_BASE_URL=url, OPENAI_API_KEY="sk-none")
    return {**known, "PYTHONPATH": str(folder), "HOME": str(folder)}


def started(folder: Path, url: str, *command: str) -> subprocess.Popen[str]:
    line = [str(python()), "-m", "edgequake_obs.cli", "run", "--", str(python()), *command]
    return subprocess.Popen(
        line,
        cwd=folder,
        env=surroundings(folder, url),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_celerys_prefork_workers(folder: Path, url: str) -> None:
    asking = [str(python()), "-c", "import tasks; [tasks.ask.delay() for _ in range(6)]"]
    subprocess.run(asking, cwd=folder, env=surroundings(folder, url), check=True, timeout=2 * PATIENCE)
    worker = ("-m", "celery", "-A", "tasks", "worker", "--pool", "prefork", "--concurrency", "2", "--loglevel", "ERROR")
    with started(folder, url, *worker) as process:
        try:
            path = folder / "ledger.duckdb"
            until("six rows", lambda: process.poll() is not None or (path.exists() and len(calls(path)) >= 6))
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    rows = calls(folder / "ledger.duckdb")
    assert [(row["origin"], row["outcome"]) for row in rows] == [("openai", "completed")] * 6
    assert process.pid not in {row["pid"] for row in rows}


def test_a_notebooks_kernel(folder: Path, url: str) -> None:
    with started(folder, url, "notebook.py") as process:
        said, _ = process.communicate(timeout=4 * PATIENCE)
    assert process.returncode == 0, said
    rows = calls(folder / "ledger.duckdb")
    assert [(row["origin"], row["outcome"]) for row in rows] == [("openai", "completed")] * 2
    assert {row["pid"] for row in rows}.isdisjoint({process.pid})
