"""The ledger on bad days: lines that nothing reads, files of others, a log that everybody could read."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from spool_writer import SpoolWriter, encoded, record, spool_of

from edgequake_obs import cli, ledger
from edgequake_obs.ledger.place import place_of
from edgequake_obs.ledger.writable import make_log, writable

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
sys.stdin.read()
"""

# Acts as another user of the machine, after everything it needs was imported with this one's rights.
AS_ANOTHER = """
import os, sys
from spool_writer import SpoolWriter, record
from edgequake_obs import ledger
import duckdb
duckdb.connect().execute("SELECT 1")
path, uid, gid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.setgroups([gid]); os.setgid(gid); os.setuid(uid); os.umask(0o007)
"""


def count(path: Path, relation: str = "calls") -> int:
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]


def test_the_log_of_a_fold_is_its_owners_alone(ledger_path: Path) -> None:
    ledger.ensure(ledger_path)
    before = os.umask(0)
    try:
        with writable(place_of(ledger_path)) as connection:
            for _ in range(2):  # a checkpoint takes the log away, and the next transaction needs another
                make_log(place_of(ledger_path))
                connection.execute("INSERT INTO meta VALUES ('test', '', NULL)")
                assert stat.S_IMODE(os.stat(f"{ledger_path}.wal").st_mode) == 0o600
                assert os.path.getsize(f"{ledger_path}.wal") > 0, "this is the log that DuckDB writes"
                connection.execute("CHECKPOINT")
    finally:
        os.umask(before)
    assert count(ledger_path, "meta WHERE key = 'test'") == 2


def test_a_log_that_a_kill_left_empty_is_no_hindrance(ledger_path: Path, writer: SpoolWriter) -> None:
    ledger.ensure(ledger_path)
    make_log(place_of(ledger_path))
    writer.write(record())
    assert count(ledger_path) == 1
    assert ledger.fold(ledger_path).records == 1


@pytest.mark.parametrize("kept", [100, 4096, -200, -1])
def test_half_a_log_that_a_kill_left_goes_before_a_large_fold(ledger_path: Path, script, kept: int) -> None:
    # DuckDB's large commits go past the log; what is left in it then does not belong to the file any more.
    ledger.ensure(ledger_path)
    SpoolWriter(ledger_path).write(*(record() for _ in range(500)))
    killed = script(
        """
        import os, signal, sys
        from edgequake_obs import ledger
        from edgequake_obs.ledger import batch
        class Os:
            def __getattr__(self, name):
                return getattr(os, name)
            def unlink(self, path):
                os.kill(os.getpid(), signal.SIGKILL)
        batch.os = Os()
        ledger.fold(sys.argv[1])
        """,
        ledger_path,
    )
    assert killed.wait() == -9
    log = Path(f"{ledger_path}.wal")
    log.write_bytes(log.read_bytes()[:kept])
    writer = SpoolWriter(ledger_path)
    for _ in range(20):
        writer.write(*(record() for _ in range(1000)))
    assert ledger.fold(ledger_path).records == 20_500
    assert count(ledger_path) == 20_500
    assert not log.exists()


def test_an_over_long_line_is_set_aside_beside_a_reader(ledger_path: Path, writer: SpoolWriter, script) -> None:
    ledger.ensure(ledger_path)
    holder = script(HOLD, ledger_path)
    assert holder.stdout.readline() == "open\n"
    huge = encoded(record(error_message="x" * (40 << 20)))
    writer.write(record())
    writer.append(b"\n" + huge + b"\n")
    writer.write(record())
    with pytest.raises(duckdb.Error, match="maximum_object_size"):
        count(ledger_path)
    with ledger.connect(ledger_path) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchall() == [(2,)]
        assert connection.execute("SELECT count(*) FROM call").fetchall() == [(0,)], "the reader keeps folds out"
        writer.append(b"\n" + huge + b"\n")
        # This process has it open as well now.
        ledger.connect(ledger_path).close()
        assert count(ledger_path) == 2
    holder.communicate()
    report = ledger.fold(ledger_path)
    assert (report.records, report.set_aside) == (2, 2)
    aside = Path(spool_of(ledger_path), "aside")
    assert [path.read_bytes().strip() == huge for path in aside.glob("*.long.jsonl")] == [True, True]
    assert not list(Path(spool_of(ledger_path)).glob("*.copy"))


def test_files_of_a_newer_version_are_spoken_of(ledger_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newer = SpoolWriter(ledger_path, schema=99)
    newer.write(record())
    assert cli.main(["fold", "--ledger", str(ledger_path)]) == 0
    said = capsys.readouterr()
    assert "newer version" in said.err
    assert "1 spool file." in said.err
    assert os.path.exists(newer.path)
    assert count(ledger_path) == 1


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A ledger's folder that is a group's: its owner is user 4242, its group 4343."""
    if os.geteuid() != 0:
        pytest.skip("only root can be several users")
    folder = Path(tempfile.mkdtemp(prefix="edgequake-obs-group-"))
    os.mkdir(folder / "ledger.spool")
    for path in (folder, folder / "ledger.spool"):
        os.chown(path, 4242, 4343)
        os.chmod(path, 0o2770)
    yield folder
    shutil.rmtree(folder)


def test_the_owner_folds_what_other_members_wrote(shared_folder: Path, script) -> None:
    path = shared_folder / "ledger.duckdb"
    member = script(
        AS_ANOTHER
        + """
writer = SpoolWriter(path)
writer.write(*(record() for _ in range(3)))
os.fchmod(writer.file, 0o660)
print("written", flush=True)
for line in sys.stdin:
    writer.write(record())
    print(writer.path, flush=True)
""",
        path,
        4244,
        4343,
    )
    assert member.stdout.readline() == "written\n", member.communicate()[1]
    fold = AS_ANOTHER + "print(tuple(ledger.fold(path))[:4])"
    assert script(fold, path, 4242, 4343).communicate()[0] == "(3, 1, 0, 0)\n"
    (left,) = [name for name in os.listdir(shared_folder / "ledger.spool") if name.startswith("0-")]
    assert left
    # The member's descriptor leads to a file without a name: it has to take another.
    member.stdin.write("again\n")
    member.stdin.flush()
    written = member.stdout.readline().strip()
    assert os.path.exists(written)
    os.chmod(written, 0o660)
    count_it = AS_ANOTHER + "print(ledger.connect(path).execute('SELECT count(*) FROM calls').fetchall()[0][0])"
    assert script(count_it, path, 4244, 4343).communicate()[0] == "4\n", "a member reads and does not fold"
    assert os.path.exists(written)
    assert script(fold, path, 4242, 4343).communicate()[0] == "(1, 1, 0, 0)\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_a_file_that_the_owner_may_not_read_is_busy(shared_folder: Path, script) -> None:
    path = shared_folder / "ledger.duckdb"
    code = AS_ANOTHER + "SpoolWriter(path).write(record())"
    assert script(code, path, 4244, 4343).communicate()[1] == ""  # 0600: as one would by hand, and no writer of ours
    fold = AS_ANOTHER + "print(tuple(ledger.fold(path))[:4])"
    assert script(fold, path, 4242, 4343).communicate()[0] == "(0, 0, 0, 1)\n"
