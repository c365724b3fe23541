"""Programs in processes of their own, with nothing of this shell's environment but what a test gives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .server import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


def run(
    program: str | Path, *arguments: object, cwd: Path | None = None, status: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a file, or code, to its end."""
    start = [str(program)] if isinstance(program, Path) else ["-c", program]
    done = subprocess.run(
        [sys.executable, *start, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        timeout=2 * PATIENCE,
        check=False,
    )
    assert done.returncode == status, f"{done.args} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done
