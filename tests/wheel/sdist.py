"""Builds a wheel from the source distribution alone, as `pip install` does where no wheel fits.

python tests/wheel/sdist.py dist/*.tar.gz
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WANTED = (
    "LICENSE",
    "NOTICE",
    "README.md",
    "Cargo.lock",
    "pricing/data/prices.bin",
    "edgequake_obs/demo/exchanges.jsonl",
)


def main(arguments: list[str]) -> int:
    sdist = max((Path(argument).resolve() for argument in arguments), key=lambda path: path.stat().st_mtime)
    print(f"{sdist.name}: {sdist.stat().st_size / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as folder, tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        missing = [wanted for wanted in WANTED if wanted not in names]
        assert not missing, f"{missing} are missing"
        archive.extractall(folder, filter="data")
        (source,) = Path(folder).iterdir()
        # The repository's compiled dependencies serve: what is tried is whether the sources are all there.
        environment = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target")}
        maturin = Path(sys.executable).with_name("maturin")
        command = [maturin, "build", "--release", "--locked", "--out", folder, "--quiet"]
        subprocess.run(command, cwd=source, env=environment, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        print(f"it builds {wheel.name}, {wheel.stat().st_size / 1e6:.1f} MB")
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
