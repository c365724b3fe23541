"""Programs that make their workers themselves, recorded by `edgequake-obs run --` without a change to them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from .launch import PATIENCE, calls, environment, until

SAID = "The capital of Mexico is Mexico City."

ASKING = """
import os
import openai

def asked():
    client = openai.OpenAI(max_retries=0)
    return client.chat.completions.create(model="gpt-4o", messages=[]).choices[0].message.content

async def asked_async():
    async with openai.AsyncOpenAI(max_retries=0) as client:
        answer = await client.chat.completions.create(model="gpt-4o", messages=[])
        return answer.choices[0].message.content

def told(text):
    return f"{os.getpid()} {text}".encode()
"""
ASGI = """
from asking import asked_async, told

async def app(scope, receive, send):
    if scope["type"] == "http":
        body = told(await asked_async())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": body})
"""
WSGI = """
from asking import asked, told

asked()  # with --preload this is the parent's

def app(environ, start_response):
    body = told(asked())
    start_response("200 OK", [("connection", "close")])
    return [body]
"""
TESTS = """
import pytest
from asking import asked

@pytest.mark.parametrize("number", range(4))
def test_a_call(number):
    assert asked()
"""
POOLS = """
import concurrent.futures, multiprocessing
from asking import asked

if __name__ == "__main__":
    asked()
    context = multiprocessing.get_context("forkserver")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        for future in [pool.submit(asked) for _ in range(4)]:
            future.result()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, program in [("asking", ASKING), ("asgi", ASGI), ("wsgi", WSGI), ("test_calls", TESTS), ("pools", POOLS)]:
        (tmp_path / f"{name}.py").write_text(program)
    return tmp_path


def started(folder: Path, url: str, *command: str) -> subprocess.Popen[str]:
    surroundings = environment(folder / "ledger.duckdb", OPENAI_BASE_URL=url, OPENAI_API_KEY="sk-none")
    paths = [str(folder), surroundings.get("PYTHONPATH", "")]
    surroundings["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    line = [sys.executable, "-m", "edgequake_obs.cli", "run", "--", sys.executable, "-m", *command]
    return subprocess.Popen(
        line,
        cwd=folder,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@contextlib.contextmanager
def serving(folder: Path, url: str, *command: str) -> Iterator[str]:
    """A server under `run --`, to its orderly end; its own URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with started(folder, url, *(part.format(port=port) for part in command)) as process:
        try:
            until("the server listens", lambda: process.poll() is not None or _listens(port))
            yield f"http://127.0.0.1:{port}"
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _listens(port: int) -> bool:
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0


def ask(server: str) -> int:
    """Who answered."""
    with urllib.request.urlopen(server, timeout=PATIENCE) as answer:
        pid, _, text = answer.read().decode().partition(" ")
    assert text == SAID
    return int(pid)


@pytest.mark.parametrize(
    ("command", "by_the_parent"),
    [
        (("uvicorn", "asgi:app", "--workers", "2", "--port", "{port}"), 0),
        (("gunicorn", "wsgi:app", "--preload", "--workers", "2", "--bind", "127.0.0.1:{port}"), 1),
    ],
    ids=["uvicorn", "gunicorn"],
)
def test_workers(folder: Path, url: str, command: tuple[str, ...], by_the_parent: int) -> None:
    pytest.importorskip(command[0])
    with serving(folder, url, *command) as server:
        answered = [ask(server) for _ in range(8)]
    rows = calls(folder / "ledger.duckdb")
    assert [(row["origin"], row["outcome"]) for row in rows] == [("openai", "completed")] * (8 + by_the_parent)
    assert sorted(row["pid"] for row in rows[by_the_parent:]) == sorted(answered)
    assert by_the_parent == 0 or rows[0]["pid"] not in answered


# Processes by fork and spawn: see test_run.py.
def test_a_pool_of_a_fork_server(folder: Path, url: str) -> None:
    with started(folder, url, "pools") as process:
        said, _ = process.communicate(timeout=2 * PATIENCE)
    assert (process.returncode, said) == (0, "")
    rows = calls(folder / "ledger.duckdb")
    assert [(row["origin"], row["outcome"]) for row in rows] == [("openai", "completed")] * 5
    assert rows[0]["pid"] not in {row["pid"] for row in rows[1:]}


def test_xdist(folder: Path, url: str) -> None:
    with started(folder, url, "pytest", "-n", "2", "-q", "-p", "no:cacheprovider", "test_calls.py") as process:
        said, _ = process.communicate(timeout=2 * PATIENCE)
    assert process.returncode == 0, said
    rows = calls(folder / "ledger.duckdb")
    assert [(row["origin"], row["outcome"]) for row in rows] == [("openai", "completed")] * 4
