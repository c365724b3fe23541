"""Run the contract tests with other versions of the patched libraries, each in a virtual environment of its own.

    python tests/contract/versions.py [NAME ...] [-- PYTEST-ARGUMENT ...]
    python tests/contract/versions.py newest [-- PYTEST-ARGUMENT ...]

`newest` takes what is published today, in environments made anew each time, and says which versions that is.

The environments are cached in `.cache/venvs/<name>`, made anew when their pins change. What the tests need besides is
pinned in `requirements-dev.txt`; the package under test is the one that this interpreter imports.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import subprocess
import sys
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What litellm's cache imports, and 1.80's streams of Anthropic's messages, and it asks for only with its proxy.
_OF_ITS_PROXY = ["fastapi==0.165.0", "orjson==3.13.0", "soundfile==0.14.0"]
# The newest of each major version but the one in `requirements-dev.txt`, and the oldest that is supported.
VERSIONS = {
    "openai-2": ["openai==2.54.0", "httpx==0.28.1", "coverage==7.17.3"],
    "openai-1": ["openai==1.40.0", "httpx==0.27.2"],
    "litellm-new": ["-r", "benchmarks/peers.txt", *_OF_ITS_PROXY],
    "anthropic": ["anthropic==2.10.0", "openai==3.52.0"],
    "others": [
        "openai==2.54.0",
        "opentelemetry-instrumentation-openai==0.62.4",
        "openinference-instrumentation-openai==0.1.66",
        "logfire==5.2.0",
    ],
    "others-new": ["openai==3.54.0", "langfuse==5.0.4", "opentelemetry-instrumentation-genai-openai==1.3b0"],
    "litellm-old": ["litellm==1.80.0", "openai==2.54.0", *_OF_ITS_PROXY],
}
# For tests elsewhere that need more than is to be in the main environment.
BESIDE = {"workers": ["celery==5.7.0", "ipykernel==7.4.0", "jupyter-client==8.10.0", "openai==3.52.0"]}
# Installed after the others and without what it asks for (see benchmarks/peers.txt).
ALONE = {"litellm-new": ["litellm==1.109.1"]}
NEWEST = {
    "openai-newest": ["openai"],
    "litellm-newest": ["litellm", "mcp", "fastapi", "orjson", "soundfile"],  # its responses import mcp
    "anthropic-newest": ["anthropic", "openai"],
}
# litellm's own types make pydantic warn dozens of times.
_QUIET = "ignore::UserWarning:pydantic._internal._generate_schema"
_SHARED = ("pytest==", "wrapt==", "duckdb==")


def main(arguments: list[str]) -> int:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    names, pytest_arguments = arguments[:at], arguments[at + 1 :]
    is_newest = names == ["newest"]
    chosen = list(NEWEST) if is_newest else names or list(VERSIONS)
    if unknown := [name for name in chosen if name not in VERSIONS | NEWEST]:
        print(f"unknown: {', '.join(unknown)}; known: {', '.join(VERSIONS)}", file=sys.stderr)
        return 2
    # One process a core; what each says is shown whole, in order.
    with ThreadPoolExecutor(os.cpu_count()) as at_once:
        runs = [at_once.submit(_run, name, pytest_arguments) for name in chosen]
        failed = [name for name, run in zip(chosen, runs, strict=True) if not _passed(run.result())]
    if is_newest:
        print(f"drift: {', '.join(failed)}" if failed else "no drift")
    return int(bool(failed))


def _run(name: str, pytest_arguments: list[str]) -> subprocess.CompletedProcess[str]:
    python = environment(name)
    library = name.partition("-")[0]
    tests = "tests/contract" if library == "openai" else f"tests/contract/{library}"
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", _QUIET, tests]
    done = subprocess.run([*command, *pytest_arguments], cwd=ROOT, check=False, capture_output=True, text=True)
    done.stdout = f"{name}: {', '.join(_installed(python, name))}\n{done.stdout}"
    return done


def _passed(run: subprocess.CompletedProcess[str]) -> bool:
    print(run.stdout, end="", flush=True)
    print(run.stderr, end="", file=sys.stderr, flush=True)
    return run.returncode == 0


def _installed(python: Path, name: str) -> list[str]:
    """The versions that an environment really has."""
    libraries = {pin.partition("==")[0] for pin in (VERSIONS | NEWEST)[name] + ALONE.get(name, []) if pin[0].isalpha()}
    code = "import importlib.metadata as m, sys; print(*(f'{n}=={m.version(n)}' for n in sys.argv[1:] if '/' not in n))"
    done = subprocess.run([python, "-c", code, *sorted(libraries)], check=True, capture_output=True, text=True)
    return done.stdout.split()


def environment(name: str) -> Path:
    """The interpreter of an environment that holds the version's pins and the package under test."""
    folder = ROOT / ".cache" / "venvs" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another test process may want it too
        return _made(name, folder)


def _made(name: str, folder: Path) -> Path:
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    lines = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").split()
    alone = ALONE.get(name, [])
    pins = [*(VERSIONS | NEWEST | BESIDE)[name], *(line for line in lines if line.startswith(_SHARED))]
    stamp = folder / ".pins"
    files = [(ROOT / pins[at + 1]).read_text(encoding="utf-8") for at, pin in enumerate(pins) if pin == "-r"]
    wanted = "\n".join([sys.version, *pins, *alone, *files])
    if name in NEWEST or not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        # By links: a copy that is still being written cannot be started, and is while another thread forks.
        venv.create(folder, clear=True, with_pip=True, symlinks=os.name != "nt")
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *pins], cwd=ROOT, check=True)
        if alone:
            subprocess.run([*install, "--no-deps", *alone], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    spec = importlib.util.find_spec("edgequake_obs")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("edgequake_obs is not installed for this interpreter: make build")
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    # By a path file, not by PYTHONPATH: this interpreter's other packages must not come along.
    package = Path(spec.submodule_search_locations[0]).resolve().parent
    if package == ROOT:
        (Path(site) / "under_test.pth").write_text(f"{package}\n", encoding="utf-8")
    else:
        link = Path(site) / "edgequake_obs"
        if not link.exists():
            link.symlink_to(package / "edgequake_obs", target_is_directory=True)
    return python


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
