"""Callbacks and the process they run in: its memory, its forks, its end."""

from __future__ import annotations

import time

import pytest

from .programs import run
from .server import PATIENCE, Answer, Server, chat


def test_the_queue_is_bounded_and_drops_are_counted(server: Server) -> None:
    program = f"""
import threading, edgequake_obs as obs
go, begun = threading.Event(), threading.Event()
def blocks(*_):
    begun.set()
    go.wait({PATIENCE})
told = []
obs.input_callback = [blocks]
obs.success_callback = [lambda *_: told.append(1)]
text = "x" * 2000
ask = lambda: obs.completion("m", [{{"role": "user", "content": text}}], api_base="{server.base}", api_key="k")
ask()
assert begun.wait({PATIENCE})
for _ in range(11):
    ask()
stats = obs.stats()["callbacks"]
assert stats["dropped"] > 0 and stats["queued_bytes"] <= 10000, stats
go.set()
assert obs.flush({PATIENCE})
assert 1 <= len(told) < 12, told
from edgequake_obs._callbacks.observing import open_calls
assert not open_calls
"""
    server.will(*[Answer(body=chat()) for _ in range(12)])
    run(program, EDGEQUAKE_OBS_LEDGER="off", EDGEQUAKE_OBS_QUEUE_BYTES="10000")


def test_a_fork_has_callbacks_of_its_own(server: Server) -> None:
    program = f"""
import os, edgequake_obs as obs
told = []
obs.success_callback = [lambda *_: told.append(os.getpid())]
ask = lambda: obs.completion("m", [], api_base="{server.base}", api_key="k")
ask()
assert obs.flush({PATIENCE}) and told == [os.getpid()]
child = os.fork()
if not child:
    ask()
    assert obs.flush({PATIENCE}) and told[1:] == [os.getpid()], told
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
ask()
assert obs.flush({PATIENCE}) and told == [os.getpid()] * 2
"""
    server.will(*[Answer(body=chat()) for _ in range(3)])
    run(program, EDGEQUAKE_OBS_LEDGER="off")


@pytest.mark.parametrize("blocks", [False, True], ids=["quick", "blocked"])
def test_the_end_of_the_program(server: Server, blocks: bool) -> None:
    program = f"""
import threading, edgequake_obs as obs
def told(*_):
    print("told", flush=True)
    threading.Event().wait({PATIENCE * 4 if blocks else 0})
obs.success_callback = [told]
obs.completion("m", [], api_base="{server.base}", api_key="k")
"""
    server.will(Answer(body=chat()))
    began = time.monotonic()
    assert run(program, EDGEQUAKE_OBS_LEDGER="off").stdout == "told\n"
    assert time.monotonic() - began < PATIENCE * 2
