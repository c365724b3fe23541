"""What importing the package does, and above all what it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_import_touches_neither_network_nor_threads_nor_anything_heavy() -> None:
    command = [sys.executable, "-m", "benchmarks.importing"]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert (found["modules"], found["network"], found["threads"]) == ([], [], 0)
