"""The version of this package that wrote the schema before: a wheel built from the history, in its own environment.

Kept in .cache/previous; what is compiled for it shares the repository's target folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_STATED_IN = "exporters/src/spool.rs"
_SCHEMA = re.compile(r"SCHEMA: u32 = (\d+)")


def commit() -> str | None:
    """The last commit of the previous schema; None where the history does not have it."""
    found = _git("log", "--format=%H", "-G", "SCHEMA: u32 = ", "--", _STATED_IN)
    changes = found.decode().split() if found else []
    parent = _git("rev-parse", "--verify", "--quiet", f"{changes[0]}^") if len(changes) > 1 else None
    if parent is None:
        return None
    before = _git("show", f"{parent.decode().strip()}:{_STATED_IN}")
    return parent.decode().strip() if before and _SCHEMA.search(before.decode()) else None


def schema(of: str) -> int:
    """The number of the schema that a commit writes."""
    match = _SCHEMA.search((_git("show", f"{of}:{_STATED_IN}") or b"").decode())
    assert match
    return int(match[1])


def python(of: str) -> str:
    """An interpreter that has the wheel of a commit, built if it is not there yet."""
    folder = ROOT / ".cache" / "previous" / of[:12]
    interpreter = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / ".ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        wheel = _build(of, folder)
        venv.create(folder / "venv", with_pip=True)
        command = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
        subprocess.run(command, check=True)
        (folder / ".ready").touch()
    return str(interpreter)


def _build(of: str, folder: Path) -> Path:
    source = _git("archive", "--format=tar", of)
    assert source
    with tempfile.TemporaryDirectory() as tree, tarfile.open(fileobj=BytesIO(source)) as archive:
        archive.extractall(tree, filter="data")
        maturin = Path(sys.executable).with_name("maturin")
        command = [maturin, "build", "--release", "--locked", "--quiet", "--out", folder]
        environment = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target")}
        subprocess.run(command, cwd=tree, env=environment, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _git(*words: str) -> bytes | None:
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
