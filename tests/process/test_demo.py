"""The demo, as a newcomer runs it: no key, no network, and their own ledger left alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .launch import PATIENCE, environment


def test_the_demo_shows_every_kind_of_call_and_its_cost(tmp_path: Path) -> None:
    own = tmp_path / "ledger.duckdb"
    command = [sys.executable, "-m", "edgequake_obs.demo"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment(own), check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for kind in ("plain", "streamed", "async", "async streamed", "embedding", "failing"):
        assert f"  own client      {kind}" in done.stdout
    for kind in ("plain", "streamed", "async", "embedding", "failing"):
        assert f"  openai package  {kind}" in done.stdout
    spend, by_client, calls = done.stdout.split("\n$ edgequake-obs ")[1:]
    # The same exchange through both clients is one line of two calls, so both are priced alike.
    assert "o4-mini-2025-04-16\t2\t38\t168\t0.000781" in spend
    assert "own\terror\t2\t" in by_client
    assert "openai\terror\t1\t" in by_client
    assert len(calls.strip().splitlines()) == 2 + 18  # the command, the heads of the columns, a line for each call
    assert not own.exists()
