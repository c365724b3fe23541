"""What litellm 1.106.2 was recorded to do, this package does: all but the cases listed, each with its reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import cases, misses

ROOT = Path(__file__).resolve().parents[2]

# The shares that match: of calls as they are recorded, and of pure functions.
LEAST_CALLS, LEAST_FUNCTIONS = 0.92, 0.84

pytestmark = pytest.mark.skipif(
    not cases.FOLDER.exists(), reason=f"litellm's recorded cases are not here: {cases.FOLDER}"
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """Case -> why it is a miss, None for one that is not; from a process of its own, which the cases change."""
    file = tmp_path_factory.mktemp("parity") / "results.json"
    command = [sys.executable, "-m", "tests.parity", "--json", str(file)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(file.parent)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(file.read_text(encoding="utf-8"))


def test_no_case_is_missed_that_is_not_listed(results: dict[str, str | None]) -> None:
    listed = misses.read()
    new = {case: why for case, why in results.items() if why is not None and case not in listed}
    assert not new, f"{len(new)} cases do not match litellm any more: {json.dumps(new, indent=1)[:4000]}"


def test_every_listed_case_is_still_missed(results: dict[str, str | None]) -> None:
    done = [case for case in misses.read() if results.get(case, "gone") in (None, "gone")]
    assert not done, f"these match now, or are gone; `python -m tests.parity --update` takes them out: {done}"


def test_the_shares_that_match(results: dict[str, str | None]) -> None:
    groups = {case["id"]: case["group"] for case in cases.ours()}
    for least, is_function in ((LEAST_CALLS, False), (LEAST_FUNCTIONS, True)):
        asked = [why for case, why in results.items() if (groups[case] == "fn") == is_function]
        assert asked.count(None) / len(asked) >= least


def test_each_miss_has_its_reason() -> None:
    lines = misses.FILE.read_text(encoding="utf-8").splitlines()
    assert lines == sorted(lines)
    assert not [case for case, reason in misses.read().items() if reason in ("", misses.UNKNOWN)]
