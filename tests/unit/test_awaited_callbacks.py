"""Callbacks that give something to await, and loops that end before it was."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import edgequake_obs as obs

from .conftest import MESSAGES
from .server import PATIENCE, Answer, Server, chat


@pytest.fixture(autouse=True)
def _nothing_registered() -> Iterator[None]:
    yield
    obs.success_callback = []


def test_a_loop_that_ends_with_what_it_was_given(server: Server) -> None:
    told: list[str] = []
    given = threading.Event()

    async def awaited(*_: Any) -> None:
        told.append("awaited")

    # They are taken in this order: the loop has the first one when the second is called.
    obs.success_callback = [awaited, lambda *_: given.set()]
    server.will(Answer(body=chat()))
    loop = asyncio.new_event_loop()
    loop.run_until_complete(obs.acompletion("m", MESSAGES, api_base=server.base, api_key="k"))
    assert given.wait(PATIENCE)
    loop.close()
    assert obs.flush(PATIENCE)
    assert told == ["awaited"]


def test_a_task_that_is_cancelled_before_its_turn(server: Server) -> None:
    told: list[str] = []
    given = threading.Event()

    async def awaited(*_: Any) -> None:
        told.append("awaited")

    async def main() -> None:
        known = asyncio.all_tasks()
        await obs.acompletion("m", MESSAGES, api_base=server.base, api_key="k")
        while not (new := asyncio.all_tasks() - known):
            # This turn of the loop makes the task, the next one would begin it.
            await asyncio.sleep(0)
            given.wait(PATIENCE)
        for task in new:
            task.cancel()

    obs.success_callback = [awaited, lambda *_: given.set()]
    server.will(Answer(body=chat()))
    asyncio.run(main())
    assert obs.flush(PATIENCE)
    assert told == ["awaited"]
