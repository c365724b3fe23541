"""Ctrl-C in a synchronous call, and a cancelled task: at once, one row, and the provider sees the connection close."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from edgequake_obs.demo.recording import load
from edgequake_obs.demo.server import running

from .launch import PLAIN, STREAM, calls, finish, start, until


@pytest.mark.parametrize("what", ["interrupt-call", "interrupt-stream", "cancel-call", "cancel-stream"])
@pytest.mark.parametrize("client", ["own", "patched"])
def test_a_stopped_call_is_one_row_and_ends_its_request(client: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    streamed = what.endswith("stream")
    with running(load()) as server:
        program = start("stopped", server.base_url, client, what, path=path)
        assert program.stdin is not None
        assert program.stdout is not None
        until("the request", lambda: (STREAM if streamed else PLAIN) in server.received)
        if streamed:
            assert program.stdout.readline() == "started\n"
        time.sleep(0.05)  # it was sent; now let it wait for the answer
        stopped = time.monotonic()
        if what.startswith("interrupt"):
            program.send_signal(signal.SIGINT)
        else:
            program.stdin.write("cancel\n")
            program.stdin.flush()
        line = program.stdout.readline().split()
        assert line, program.communicate()[1]
        assert line[0] == ("KeyboardInterrupt" if what.startswith("interrupt") else "CancelledError")
        print(f"{client} {what}: {float(line[1]) - stopped:.3f} s")
        # The answer was a minute away: whoever waited for it is far beyond this.
        assert float(line[1]) - stopped < 20
        if client == "own":
            # The process is still there, and holds the answer's objects: only the call's own end closes this.
            until("the server sees its client hang up", lambda: server.broken_off == 1)
        program.stdin.write("end\n")
        program.stdin.close()
        program.stdin = None
        finish(program)
    rows = calls(path)
    # Who gives up a call has no answer; who gives up a stream has left it early.
    expected = ("closed_early", None) if streamed else ("error", "cancelled")
    assert (rows[0]["outcome"], rows[0]["error_type"]) == expected
