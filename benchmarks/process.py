"""The processes of a run: the yardstick's server, and a worker for each client."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Generator
from pathlib import Path

HERE = Path(__file__).resolve().parent


def environment(ledger: Path) -> dict[str, str]:
    """The environment of every worker: a ledger of the run's own, and nothing that would turn something else on."""
    strange = ("OTEL_", "EDGEQUAKE_OBS_", "OPENAI_", "LITELLM_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    kept = {name: value for name, value in kept.items() if not name.lower().endswith("_proxy")}
    return {**kept, "EDGEQUAKE_OBS_LEDGER": str(ledger), "PYTHONPATH": str(HERE.parent)}


@contextlib.contextmanager
def serving(python: str, chunks: int) -> Generator[int, None, None]:
    """The yardstick's server with streams of so many chunks; its port."""
    command = [python, str(HERE / "server.py"), str(chunks)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


class Client:
    """A worker process: one adapter, measured on command."""

    def __init__(self, name: str, python: str, port: int, ledger: Path, worker: str = "benchmarks.worker") -> None:
        self.name = name
        command = [python, "-m", worker, name, str(port)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, env=environment(ledger), cwd=HERE.parent
        )
        if self._read() != "ready":
            raise RuntimeError(f"the worker for {name} did not start")

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def measure(self, scenario: str, times: int) -> dict[str, float]:
        """Let it run a scenario so often; microseconds per call or stream."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{scenario} {times}\n")
        self._process.stdin.flush()
        answer = self._read()
        if not answer:
            raise RuntimeError(f"the worker for {self.name} died in {scenario}")
        return json.loads(answer)

    def stop(self) -> None:
        """Let it end by itself."""
        self._process.communicate()

    def kill(self) -> None:
        """End one that would still want to send what it has."""
        self._process.kill()
        self._process.communicate()
