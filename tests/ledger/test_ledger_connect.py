"""Who may open the ledger while who else has it open, and what those who may not are told."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import duckdb
import pytest
from spool_writer import SpoolWriter, record, spool_of

from edgequake_obs import ledger

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reader")
print("open", flush=True)
sys.stdin.read()
"""

TRY_TO_WRITE = """
import duckdb, sys
try:
    duckdb.connect(sys.argv[1])
    print("got in")
except duckdb.IOException:
    print("refused")
"""


def total(connection: duckdb.DuckDBPyConnection, relation: str = "calls") -> int:
    return connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]


def test_beside_a_reader_elsewhere_it_reads_without_folding(ledger_path: Path, writer: SpoolWriter, script) -> None:
    ledger.ensure(ledger_path)
    reader = script(HOLD, ledger_path, "reader")
    assert reader.stdout.readline() == "open\n"
    writer.write(record())
    with ledger.connect(ledger_path) as connection:
        assert (total(connection), total(connection, "call")) == (1, 0)
    begun = time.monotonic()
    with pytest.raises(ledger.LedgerBusyError, match=rf"\(PID {reader.pid}\) is reading .*end that program"):
        ledger.fold(ledger_path)
    assert 4.5 < time.monotonic() - begun < 20, "it waits for readers, but not for ever"
    reader.communicate()
    assert ledger.fold(ledger_path).records == 1


def test_a_writer_elsewhere_is_named_with_the_remedy(ledger_path: Path, writer: SpoolWriter, script) -> None:
    ledger.ensure(ledger_path)
    holder = script(HOLD, ledger_path, "writer")
    assert holder.stdout.readline() == "open\n"
    writer.write(record())
    begun = time.monotonic()
    with pytest.raises(ledger.LedgerBusyError, match=rf"\(PID {holder.pid}\) holds .*-readonly"):
        ledger.connect(ledger_path)
    assert time.monotonic() - begun < 4.5


def test_a_short_visit_of_a_writer_is_waited_for(ledger_path: Path, writer: SpoolWriter, script) -> None:
    ledger.ensure(ledger_path)
    holder = script(HOLD, ledger_path, "writer")
    assert holder.stdout.readline() == "open\n"
    threading.Timer(0.3, holder.kill).start()
    with ledger.connect(ledger_path) as connection:
        assert total(connection) == 0


def test_connections_of_one_process_share_the_file(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(record())
    with ledger.connect(ledger_path) as first:
        writer.write(record())
        with ledger.connect(ledger_path) as second, duckdb.connect(ledger_path, read_only=True) as plain:
            assert [total(each) for each in (first, second, plain)] == [2, 2, 2]
            assert total(second, "call") == 1, "no fold where the process has it open"
            with pytest.raises(ledger.LedgerBusyError, match=f"PID {os.getpid()}"):
                ledger.fold(ledger_path)


def test_in_a_process_that_has_it_open_for_writing(ledger_path: Path, writer: SpoolWriter) -> None:
    ledger.ensure(ledger_path)
    with duckdb.connect(ledger_path):
        begun = time.monotonic()
        with pytest.raises(ledger.LedgerBusyError, match=rf"this process \(PID {os.getpid()}\).*read_only=True"):
            ledger.connect(ledger_path)
        assert time.monotonic() - begun < 4
    with ledger.connect(ledger_path) as connection:
        assert total(connection) == 0


@pytest.mark.parametrize("access", ["", "(READ_ONLY)"])
def test_an_attached_ledger_keeps_its_lock(ledger_path: Path, writer: SpoolWriter, script, access: str) -> None:
    # POSIX locks go with the first descriptor that the process closes.
    ledger.ensure(ledger_path)
    writer.write(record())
    with duckdb.connect() as elsewhere:
        elsewhere.execute(f"ATTACH '{ledger_path}' AS mine {access}")
        for action in (ledger.connect, ledger.fold):
            with pytest.raises(ledger.LedgerBusyError, match="open or attached"):
                action(ledger_path)
        assert script(TRY_TO_WRITE, ledger_path).communicate()[0] == "refused\n"


def test_threads_take_turns(ledger_path: Path, writer: SpoolWriter) -> None:
    for _ in range(5):
        writer.write(*(record() for _ in range(200)))
        os.chmod(writer.path, 0o400)
    seen: list[object] = []

    def read() -> None:
        try:
            with ledger.connect(ledger_path) as connection:
                seen.append(total(connection))
        except Exception as error:
            seen.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1000] * 8


def test_a_fold_under_way_is_waited_for(ledger_path: Path, writer: SpoolWriter, script) -> None:
    writer.write(record())
    ledger.ensure(ledger_path)
    folder = script(
        """
        import duckdb, fcntl, os, sys, time
        number = os.open(sys.argv[2], os.O_RDONLY)
        fcntl.flock(number, fcntl.LOCK_EX)
        connection = duckdb.connect(sys.argv[1])
        print("folding", flush=True)
        time.sleep(1.5)
        """,
        ledger_path,
        spool_of(ledger_path),
    )
    assert folder.stdout.readline() == "folding\n"
    with ledger.connect(ledger_path) as connection:
        assert total(connection) == 1


def test_a_connection_that_was_forked_is_refused(ledger_path: Path, writer: SpoolWriter, script) -> None:
    writer.write(record())
    process = script(
        """
        import os, sys
        from edgequake_obs import ledger
        connection = ledger.connect(sys.argv[1])
        child = os.fork()
        if not child:
            try:
                ledger.connect(sys.argv[1])
                answer = "opened"
            except ledger.LedgerError as error:
                answer = str(error)
            print(answer, flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print(connection.execute("SELECT count(*) FROM calls").fetchall()[0][0])
        connection.close()
        child = os.fork()
        if not child:
            with ledger.connect(sys.argv[1]) as connection:
                print(connection.execute("SELECT count(*) FROM calls").fetchall()[0][0], flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        """,
        ledger_path,
    )
    out, err = process.communicate(timeout=60)
    lines = out.splitlines()
    assert "was forked" in lines[0], err
    assert "'spawn'" in lines[0]
    assert "open the ledger after the fork" in lines[0]
    assert lines[1:] == ["1", "1"], "the parent's goes on, and what was closed before a fork is no hindrance"


def test_a_fork_in_the_middle_of_a_fold_keeps_no_lock(ledger_path: Path, writer: SpoolWriter, script) -> None:
    for _ in range(12):
        writer.write(*(record() for _ in range(1000)))
        os.chmod(writer.path, 0o400)
    process = script(
        """
        import os, sys, threading, time
        from edgequake_obs import ledger
        thread = threading.Thread(target=ledger.fold, args=(sys.argv[1],))
        thread.start()
        children = []
        while thread.is_alive():
            time.sleep(0.05)
            child = os.fork()
            if not child:
                time.sleep(30)
                os._exit(0)
            children.append(child)
        print(len(children), flush=True)
        sys.stdin.read()
        for child in children:
            os.kill(child, 9)
        """,
        ledger_path,
    )
    children = int(process.stdout.readline())
    assert children > 1
    writer.write(record())
    assert ledger.fold(ledger_path).records == 1, "no child holds the folder or a file"
    with ledger.connect(ledger_path) as connection:
        assert total(connection, "call") == 12_001
    process.communicate()


def test_a_fork_while_a_lock_is_opened_or_closed_inherits_no_descriptor(tmp_path: Path, script) -> None:
    process = script(
        """
        import os, sys, threading, time
        from edgequake_obs.ledger import forks

        class SlowOs:
            def __getattr__(self, name):
                return getattr(os, name)
            def open(self, *arguments):
                number = os.open(*arguments)
                opened.set()
                time.sleep(0.3)
                return number
            def close(self, number):
                closing.set()
                time.sleep(0.3)
                os.close(number)

        def inherited():
            child = os.fork()
            if not child:
                there = [name for name in os.listdir("/dev/fd") if os.path.realpath("/dev/fd/" + name) == sys.argv[1]]
                os._exit(len(there))
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        def hold():
            with forks.descriptor(sys.argv[1]):
                pass

        opened, closing = threading.Event(), threading.Event()
        forks.os = SlowOs()
        thread = threading.Thread(target=hold)
        thread.start()
        opened.wait()
        print(inherited())
        closing.wait()
        print(inherited())
        thread.join()
        """,
        tmp_path.resolve(),
    )
    assert process.communicate()[0].split() == ["0", "0"]


def test_forks_wait_for_a_fold(ledger_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgequake_obs.ledger import forks
    from edgequake_obs.ledger.place import place_of

    held, go = threading.Event(), threading.Event()

    def fold() -> None:
        with forks.turn(place_of(ledger_path), 1):
            held.set()
            go.wait()

    thread = threading.Thread(target=fold)
    thread.start()
    held.wait()
    for release_after, fork_waits in ((0.3, 30.0), (None, 1.0)):
        monkeypatch.setattr(forks, "_FORK_WAITS", fork_waits)
        if release_after:
            threading.Timer(release_after, go.set).start()
        else:
            go.clear()
            thread = threading.Thread(target=fold)
            held.clear()
            thread.start()
            held.wait()
        begun = time.monotonic()
        child = os.fork()
        if not child:
            os._exit(0)
        took = time.monotonic() - begun
        os.waitpid(child, 0)
        assert (release_after or 1.0) - 0.1 <= took < 25
        go.set()
        thread.join()


def test_nobody_can_be_first_twice(ledger_path: Path, script) -> None:
    code = "import sys; from edgequake_obs import ledger; ledger.ensure(sys.argv[1])"
    processes = [script(code, ledger_path) for _ in range(6)]
    assert [process.communicate(timeout=60)[1] for process in processes] == [""] * 6
    assert sorted(path.name for path in ledger_path.parent.iterdir()) == ["ledger.duckdb", "ledger.spool"]
    SpoolWriter(ledger_path).write(record())
    with ledger.connect(ledger_path) as connection:
        assert total(connection) == 1


def test_nothing_heavy_is_imported_with_the_package(script) -> None:
    code = """
    import sys
    import edgequake_obs.ledger, edgequake_obs.cli
    print(sorted({"duckdb", "asyncio", "pytz", "argparse", "zoneinfo", "dataclasses"} & set(sys.modules)))
    """
    assert script(code).communicate()[0] == "[]\n"
