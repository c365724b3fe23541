"""Putting the hooks in and taking them out."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import openai._base_client as base
import pytest
import wrapt

from edgequake_obs import _native, patches

from .runs import MESSAGES, Ledger, only
from .server import Server

TARGETS = [
    (base.SyncAPIClient, "request"),
    (base.AsyncAPIClient, "request"),
    (base.SyncAPIClient, "_process_response"),
    (base.AsyncAPIClient, "_process_response"),
    (base.BaseClient, "_calculate_retry_timeout"),
    (base.SyncAPIClient, "_sleep_for_retry" if hasattr(base.SyncAPIClient, "_sleep_for_retry") else "_request"),
    (base.AsyncAPIClient, "_sleep_for_retry" if hasattr(base.AsyncAPIClient, "_sleep_for_retry") else "_request"),
]


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    patches.uninstrument()


def state() -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for owner, name in TARGETS:
        f = vars(owner)[name]
        found.append((f, f.__code__, f.__defaults__, f.__kwdefaults__, f.__closure__, dict(f.__dict__)))
    return found


def call(server: Server, exchange: str = "chat", **more: Any) -> Any:
    client = openai.OpenAI(base_url=server.url(exchange, "install"), api_key="none")
    return client.chat.completions.create(model="m", messages=MESSAGES, **more)


def test_uninstrument_restores_every_function() -> None:
    before = state()
    patches.instrument("openai")
    during = state()
    for (found, code, *_), (function, replaced, *_) in zip(before, during, strict=True):
        assert function is found
        assert replaced is not code
    patches.uninstrument()
    after = state()
    assert after == before
    assert all(a[1] is b[1] for a, b in zip(after, before, strict=True))
    patches.uninstrument()
    assert state() == before


def test_functions_look_the_same() -> None:
    seen: list[list[object]] = []
    for patched in (False, True):
        if patched:
            patches.instrument("openai")
        seen.append(
            [
                (
                    inspect.signature(f),
                    f.__name__,
                    f.__qualname__,
                    f.__doc__,
                    f.__module__,
                    f.__annotations__,
                    f.__defaults__,
                    f.__kwdefaults__,
                    inspect.iscoroutinefunction(f),
                    f.__code__.co_name,
                )
                for f in (vars(owner)[name] for owner, name in TARGETS)
            ]
        )
    assert seen[0] == seen[1]


def test_instrumenting_twice_records_once(server: Server, ledger: Ledger) -> None:
    patches.instrument("openai")
    patches.instrument()
    patches.instrument("openai", "openai")
    call(server)
    only(ledger.new(), outcome="completed")
    patches.uninstrument()
    call(server)
    assert ledger.new() == []
    patches.instrument()
    call(server)
    only(ledger.new(), outcome="completed")


def test_instrumenting_from_many_threads(server: Server, ledger: Ledger) -> None:
    before = state()
    for _ in range(20):
        threads = [threading.Thread(target=patches.instrument) for _ in range(4)]
        threads += [threading.Thread(target=patches.uninstrument) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    patches.instrument()
    call(server)
    only(ledger.new(), outcome="completed")
    patches.uninstrument()
    assert state() == before


def test_calls_go_on_while_hooks_come_and_go(server: Server, ledger: Ledger) -> None:
    stop = threading.Event()

    def toggle() -> None:
        while not stop.is_set():
            patches.instrument()
            patches.uninstrument()

    thread = threading.Thread(target=toggle)
    thread.start()
    try:
        for _ in range(10):
            assert call(server).choices[0].message.content
            assert len(list(call(server, "stream", stream=True))) >= 11
    finally:
        stop.set()
        thread.join()
    assert {r["outcome"] for r in ledger.new()} <= {"completed", "abandoned"}


def test_stream_begun_before_uninstrument_is_recorded_to_its_end(server: Server, ledger: Ledger) -> None:
    patches.instrument()
    stream = call(server, "stream", stream=True)
    patches.uninstrument()
    assert len(list(stream)) == 11
    only(ledger.new(), outcome="completed", input_tokens=11)


def test_unknown_library() -> None:
    with pytest.raises(ValueError, match=r"unknown library .opnai.; known: .*openai"):
        patches.instrument("opnai")
    assert patches.hooked() == {}


def test_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    before = state()
    monkeypatch.setattr(_native, "enabled", lambda: False)
    patches.instrument()
    assert state() == before


def test_targets_are_told() -> None:
    patches.instrument()
    found = patches.hooked()["openai"]
    expected = {f"openai._base_client.{owner.__name__}.{name}" for owner, name in TARGETS}
    assert {name for name, present in found.items() if present} == expected


def test_missing_target_is_skipped(monkeypatch: pytest.MonkeyPatch, server: Server, ledger: Ledger) -> None:
    monkeypatch.delattr(base.BaseClient, "_calculate_retry_timeout")
    patches.instrument()
    assert patches.hooked()["openai"]["openai._base_client.BaseClient._calculate_retry_timeout"] is False
    call(server)
    only(ledger.new(), outcome="completed")


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("restored", ["ours first", "theirs first"])
def test_beside_another_instrumentor(server: Server, ledger: Ledger, order: str, restored: str) -> None:
    """Other tools put a wrapper on `OpenAI.request` and on `create`, having captured what was there."""
    theirs: list[str] = []
    found_request = "request" in vars(openai.OpenAI)
    before = state()

    def wrapper(wrapped: Any, instance: object, args: Any, kwargs: Any) -> Any:
        theirs.append(wrapped.__name__)
        return wrapped(*args, **kwargs)

    completions: Any = sys.modules["openai.resources.chat.completions"]
    create = vars(completions.Completions)["create"]
    if order == "after":
        patches.instrument()
    wrapt.wrap_function_wrapper("openai", "OpenAI.request", wrapper)
    wrapt.wrap_function_wrapper(completions, "Completions.create", wrapper)
    if order == "before":
        patches.instrument()
    try:
        call(server)
        assert theirs == ["create", "request"]
        only(ledger.new(), outcome="completed", input_tokens=40)
    finally:
        if restored == "ours first":
            patches.uninstrument()
        if not found_request:
            del openai.OpenAI.request
        completions.Completions.create = create
        patches.uninstrument()
    assert state() == before


_PROGRAM = """
import sys
from edgequake_obs import _native, patches
order, url = sys.argv[1:]
if order == "before":
    assert "openai" not in sys.modules
    patches.instrument()
    assert "openai" not in sys.modules
import openai
taken = openai.OpenAI.request
client = openai.OpenAI(base_url=url, api_key="none")
create = client.chat.completions.create
if order == "after":
    patches.instrument("openai")
print(create(model="m", messages=[]).choices[0].finish_reason)
print(len(list(create(model="m", messages=[], stream=True))))
assert _native.flush(5.0)
"""


@pytest.mark.parametrize("order", ["before", "after"])
def test_before_and_after_the_import(server: Server, ledger: Ledger, order: str) -> None:
    done = program(_PROGRAM, order, server.url("chat", order))
    assert done.stdout.split() == ["stop", "0"], done.stderr
    records = ledger.new()
    assert [(r["operation"], r["streaming"]) for r in records] == [("chat", False), ("chat", True)]


def test_import_is_light() -> None:
    """Of what takes long, nothing is imported with the registry; the hooks come with `instrument`."""
    heavy = {"asyncio", "openai", "wrapt", "typing_extensions", "inspect", "duckdb", "pydantic", "httpx", "httpx2"}
    code = f"import sys; import edgequake_obs.patches; print(sorted({heavy!r} & set(sys.modules)))"
    done = program(code)
    assert done.stdout.strip() == "[]", done.stderr


def test_error_in_an_import_hook_does_not_reach_the_program(server: Server) -> None:
    code = """
import sys
from edgequake_obs import _native, patches
patches.instrument()
import edgequake_obs.patches.openai as ours
ours.install = lambda module: 1 / 0
import openai
print(openai.OpenAI.__name__, patches.hooked())
"""
    done = program(code, EDGEQUAKE_OBS_RAISE_INTERNAL="0")
    assert done.stdout.split() == ["OpenAI", "{}"], done.stderr


def test_errors_of_ours_do_not_reach_the_program(server: Server, ledger: Ledger) -> None:
    code = """
import sys
import edgequake_obs
from edgequake_obs import _native, patches
import openai
import edgequake_obs.patches.openai as hooks
import edgequake_obs.patches.tee as tee
import edgequake_obs.patches.vendor as vendor

class Broken:
    def __getattr__(self, name):
        def call(data=b"", *args, **kwargs):
            if name == broken:
                raise RuntimeError("ours")
            if name == "feed" and b"[DONE]" in data:
                return b"", data
            return self if name == "tap" else data
        return call

class Native:
    def __getattr__(self, name):
        if name == broken:
            raise RuntimeError("ours")
        return getattr(_native, name)

class Current:
    # Of every frame the call is taken and another put in its place.
    def get(self):
        return current.get()
    def set(self, frame):
        frame.call = Broken()
        return current.set(frame)
    def reset(self, token):
        return current.reset(token)

def noted():
    return edgequake_obs.stats()["internal_errors"]

current = hooks.current
hooks.current = Current()
hooks._native = tee._native = vendor._native = Native()
broken = None
patches.instrument()
url, bad = sys.argv[1:]
for broken in ["Service", "answered", "tap", "feed", "eof", "closed", "failed", "attempt", "attempt_failed",
               "stream_usage_injected"]:
    before = noted()
    client = openai.OpenAI(base_url=url, api_key="none")
    chunks = list(client.chat.completions.create(model="m", messages=[], stream=True))
    assert chunks[10].choices[0].finish_reason == "stop"
    with client.chat.completions.create(model="m", messages=[], stream=True) as stream:
        next(stream)
    with client.chat.completions.with_streaming_response.create(model="m", messages=[]) as response:
        response.read()
    try:
        openai.OpenAI(base_url=bad, api_key="none", max_retries=1).chat.completions.create(model="m", messages=[])
    except openai.NotFoundError:
        pass
    print(broken, noted() > before)
"""
    done = program(
        code, server.url("stream", "broken"), server.url("not-found", "bad"), EDGEQUAKE_OBS_RAISE_INTERNAL="0"
    )
    assert done.returncode == 0, done.stderr
    noted = dict(line.split() for line in done.stdout.splitlines())
    unused = {"attempt", "attempt_failed"}  # nothing was tried again
    assert {name for name, seen in noted.items() if seen == "False"} == unused


def test_records_are_lines_of_json(server: Server, ledger: Ledger) -> None:
    patches.instrument()
    call(server)
    (record,) = ledger.new()
    assert json.loads(json.dumps(record)) == record


def program(code: str, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own, on the same ledger."""
    root = Path(patches.__file__).resolve().parents[2]
    paths = [str(root), *(p for p in sys.path if p)]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment}
    return subprocess.run(
        [sys.executable, "-c", code, *args], env=variables, capture_output=True, text=True, timeout=60, check=False
    )
