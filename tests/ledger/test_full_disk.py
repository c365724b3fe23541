"""A disk that is full when somebody folds: nothing is lost, and with room again everything is there once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from spool_writer import SpoolWriter, record

from edgequake_obs import ledger


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB, where this user may have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_fold_on_a_full_disk_fails_and_the_next_one_makes_up_for_it(small_disk: Path) -> None:
    path = small_disk / "ledger.duckdb"
    ledger.ensure(path)
    writer = SpoolWriter(path)
    # What is different in every line leaves little to compress.
    calls = [record(response_id=os.urandom(300).hex()) for _ in range(8_000)]
    for start in range(0, len(calls), 500):
        writer.write(*calls[start : start + 500])
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        while True:
            try:
                file.write(b"\0" * 65_536)
                file.flush()
            except OSError:
                break
    filler.write_bytes(filler.read_bytes()[: -(300 << 10)])
    with pytest.raises(ledger.LedgerError, match="waits for the next fold"):
        ledger.fold(path)
    with ledger.connect(path) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT call_uid) FROM calls").fetchall() == [(8_000,) * 2]
    filler.unlink()
    assert ledger.fold(path).records == 8_000
    with duckdb.connect(path, read_only=True) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT call_uid) FROM call").fetchall() == [(8_000,) * 2]
