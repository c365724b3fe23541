"""Installs a wheel, and nothing beside what it asks for, into an empty environment on every Python found, for smoke.py.

    python tests/wheel/run.py dist/*.whl

Environments are kept in .cache/wheel.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SMOKE = Path(__file__).with_name("smoke.py")
LARGEST = 8 * 1024 * 1024  # bytes
OLDEST = (3, 10)
NEWEST_LOOKED_FOR = 16

DESCRIBE = "import sys; print(*sys.version_info[:2], 'free-threading' in sys.version, sys.executable)"
IN_A_SUBINTERPRETER = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import edgequake_obs
code = '''
try:
    import edgequake_obs
except ImportError as error:
    assert "main interpreter" in str(error), error
    import os
    os.write(1, b"refused")
'''
run = getattr(interpreters, "exec", None) or interpreters.run_string
run(interpreters.create(), code)
"""


def pythons() -> dict[tuple[int, int], str]:
    """Every ordinary CPython that this machine has, by version; and says which it leaves out."""
    names = [sys.executable, *(f"python3.{minor}" for minor in range(OLDEST[1], NEWEST_LOOKED_FOR))]
    paths = [path for name in names if (path := shutil.which(name))]
    paths += [str(path) for path in sorted(Path.home().glob(".pyenv/versions/*/bin/python"))]
    found: dict[tuple[int, int], str] = {}
    for path in paths:
        told = subprocess.run([path, "-c", DESCRIBE], capture_output=True, text=True, check=False).stdout.split()
        if len(told) != 4:
            continue  # a shim without a version behind it
        version = int(told[0]), int(told[1])
        if version >= OLDEST and told[2] == "False":
            found.setdefault(version, told[3])
    return dict(sorted(found.items()))


def check_the_wheel(wheel: Path) -> None:
    size = wheel.stat().st_size
    names = zipfile.ZipFile(wheel).namelist()
    print(f"{wheel.name}: {size / 1e6:.1f} MB, {len(names)} files")
    assert size <= LARGEST, f"{size} bytes are more than {LARGEST}"
    for wanted in ("py.typed", "_native.pyi", "demo/exchanges.jsonl"):
        assert f"edgequake_obs/{wanted}" in names, f"{wanted} is missing"
    for licence in ("LICENSE", "NOTICE"):
        assert any(re.search(rf"dist-info/(licenses/)?{licence}$", name) for name in names), f"{licence} is missing"
    strangers = [name for name in names if not re.match(r"edgequake_obs(-[^/]+\.dist-info)?/", name)]
    assert not strangers, strangers


def try_on(version: tuple[int, int], python: str, wheel: Path) -> None:
    folder = ROOT / ".cache" / "wheel" / ".".join(map(str, version))
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([python, "-m", "venv", folder], check=True)
    inside = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    subprocess.run([inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel], check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "EDGEQUAKE"))}
    with tempfile.TemporaryDirectory() as empty:
        environment["HOME"] = empty
        subprocess.run([inside, "-W", "error::ImportWarning", SMOKE], check=True, cwd=empty, env=environment)
        command = [inside, "-c", IN_A_SUBINTERPRETER]
        done = subprocess.run(command, capture_output=True, text=True, cwd=empty, env=environment, check=True)
        assert done.stdout == "refused", done


def main(arguments: list[str]) -> int:
    wheel = max((Path(argument).resolve() for argument in arguments), key=lambda path: path.stat().st_mtime)
    check_the_wheel(wheel)
    found = pythons()
    for version, python in found.items():
        try_on(version, python, wheel)
    print(f"{len(found)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
