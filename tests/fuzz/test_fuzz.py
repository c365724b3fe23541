"""A bounded run of the fuzzing, always of the same cases; `make fuzz` goes on with others."""

from __future__ import annotations

from pathlib import Path

import pytest

from .runs import problems_of_calls, problems_of_lines


@pytest.mark.parametrize("seed", [1, 2])
def test_spoilt_answers(seed: int, tmp_path: Path) -> None:
    assert problems_of_calls(tmp_path, seed, 600) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_spoilt_spool_lines(seed: int, tmp_path: Path) -> None:
    assert problems_of_lines(tmp_path, seed, 1_000) == []
