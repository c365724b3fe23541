"""`cargo check` for systems that we support by `cfg` only: nothing is run there, and nothing is promised of them.

Skips, and says so, a system whose standard library cannot be had here. `ring` compiles some C when it is built, for
which there is no compiler here; checking links nothing, so a program that does nothing stands in for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = ("aarch64-apple-darwin", "x86_64-pc-windows-gnu")


def main() -> int:
    checked = failed = skipped = 0
    for system in SYSTEMS:
        if subprocess.run(["rustup", "target", "add", system], capture_output=True, check=False).returncode:
            print(f"SKIPPED {system}: its standard library cannot be had here")
            skipped += 1
            continue
        # An extension module finds its interpreter at load time, and an abi3 one needs none to be compiled.
        tools = {f"{tool}_{system.replace('-', '_')}": shutil.which("true") or "true" for tool in ("CC", "AR")}
        environment = {**os.environ, **tools, "PYO3_NO_PYTHON": "1"}
        for crate in ("pricing", "exporters", "native"):
            command = ["cargo", "check", "--quiet", "--locked", "--target", system, "-p", crate]
            if crate == "native":
                command += ["--features", "extension-module"]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                print(f"{system} {crate}: compiles")
                checked += 1
            else:
                print(f"{system} {crate}:\n{done.stderr[-4000:]}")
                failed += 1
    print(f"{checked} passed, {failed} failed, {skipped} skipped")
    return failed > 0


if __name__ == "__main__":
    raise SystemExit(main())
