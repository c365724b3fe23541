"""What somebody does first who has installed the wheel and nothing else; run in a folder without this repository.

Prints one line. Needs no test runner: the environment has none.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import edgequake_obs
from edgequake_obs import ledger
from edgequake_obs.demo.program import OWN_CLIENT
from edgequake_obs.demo.recording import Exchange, load
from edgequake_obs.demo.server import ReplayServer, running

COMMAND = str(Path(sys.executable).with_name("edgequake-obs"))


def arguments(server: ReplayServer, exchange: Exchange, *options: str) -> dict[str, Any]:
    return {
        **exchange.request,
        "model": f"{exchange.provider}/{exchange.model}",
        "api_base": server.url(exchange.id, *options),
        "api_key": "sk-smoke",
        "max_retries": 0,
    }


def command(*words: str) -> str:
    done = subprocess.run([COMMAND, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def calls(server: ReplayServer, exchanges: dict[str, Exchange]) -> int:
    plain, streamed = exchanges[OWN_CLIENT["async"][0]], exchanges[OWN_CLIENT["streamed"][0]]
    with edgequake_obs.context(user="ada", tags={"feature": "smoke"}) as run:
        answer: Any = edgequake_obs.completion(**arguments(server, plain))
        assert answer.choices[0].message.content
        assert answer._hidden_params["response_cost"] > 0
        assert len(list(edgequake_obs.completion(**arguments(server, streamed)))) > 2

        async def both() -> None:
            await edgequake_obs.acompletion(**arguments(server, plain))
            stream: Any = await edgequake_obs.acompletion(**arguments(server, streamed))
            assert [chunk async for chunk in stream]

        asyncio.run(both())
        vector: Any = edgequake_obs.embedding(**arguments(server, exchanges[OWN_CLIENT["embedding"][0]]))
        assert vector.data
        refused = 0
        try:
            edgequake_obs.completion(**arguments(server, plain, "fault=429"))
        except edgequake_obs.RateLimitError as error:
            refused = error.status_code
        assert refused == 429
    assert run.calls == 6
    assert run.cost_usd
    return run.calls


def children(path: str) -> None:
    if not hasattr(os, "fork"):
        return
    child = os.fork()
    if not child:
        os._exit(edgequake_obs.stats()["recorded"] != 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "a forked child begins to count anew"
    assert path


def main() -> None:
    assert "site-packages" in edgequake_obs.__file__, edgequake_obs.__file__
    edgequake_obs.instrument()  # nothing to patch is installed, and that is no error
    with tempfile.TemporaryDirectory() as folder, running(load()) as server:
        path = os.path.join(folder, "ledger.duckdb")
        edgequake_obs.configure(ledger=path, service_name="smoke")
        made = calls(server, load())
        children(path)
        assert edgequake_obs.flush()
        rows = ledger.spend(by="outcome", path=path).fetchall()
        assert {row[0]: row[1] for row in rows} == {"completed": made - 1, "error": 1}, rows
        assert all(isinstance(row[4], Decimal) for row in rows if row[0] == "completed"), rows
        assert f"\t{made}\t" in command("spend", "--by", "service_name", "--ledger", path)
        assert len(command("calls", "--ledger", path).splitlines()) == made + 1
        assert command("fold", "--ledger", path)
        assert f"Exported {made} calls" in command("export", "--to", os.path.join(folder, "copy"), "--ledger", path)
        shown = command("demo")
        assert "embedding" in shown
        assert "openai package  is not installed" in shown
        print(f"Python {sys.version.split()[0]}, DuckDB {sys.modules['duckdb'].__version__}: {made} calls recorded, ok")


if __name__ == "__main__":
    main()
