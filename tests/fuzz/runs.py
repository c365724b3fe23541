"""One run of each kind of fuzzing: what was wrong, as text; nothing if nothing was."""

from __future__ import annotations

import collections
import os
import random
import subprocess
import sys
from pathlib import Path

from edgequake_obs import ledger
from edgequake_obs.ledger.lines import call_uid

from .mutations import Mutations

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 600  # seconds: a hang is found, however slow the machine is


def problems_of_calls(folder: Path, seed: int, count: int) -> list[str]:
    """Spoilt answers, through both clients: one row each, and no panic."""
    path = folder / "calls.duckdb"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "EDGEQUAKE_"))}
    command = [sys.executable, "-m", "tests.fuzz.calling", str(path), str(seed), "0", str(count)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=_PATIENCE, check=False
    )
    found = done.stdout.splitlines()
    if done.returncode or "panicked" in done.stderr:
        found.append(f"ended with {done.returncode}: {done.stderr[-2000:]}")
    with ledger.connect(path) as connection:
        cases = connection.execute("SELECT tags['case'] FROM calls").fetchall()
    rows = collections.Counter(int(case) for (case,) in cases if case is not None)
    found += [f"{number}: {rows[number]} rows" for number in range(count) if rows[number] != 1]
    return found + [f"a row of no call: {number}" for number in rows if number >= count]


def problems_of_lines(folder: Path, seed: int, count: int) -> list[str]:
    """Spoilt lines among sound ones: every sound call is there, live and folded, and every other line is set aside."""
    from tests.ledger.spool_writer import SpoolWriter, encoded, full_record, record

    path = folder / "lines.duckdb"
    pick, mutations, writer = random.Random(seed), Mutations(seed), SpoolWriter(path)
    sound: set[str] = set()
    written = 0
    for _ in range(count // 10):
        calls = [record(pick.randrange(2**60)) if pick.random() < 0.5 else full_record() for _ in range(10)]
        for call in calls:
            call["call_uid"] = call["call_uid"][:24] + f"{pick.randrange(16**12):012x}"
        batch: list[bytes] = []
        for call in calls:
            line = encoded(call)
            if pick.random() < 0.5:
                spoilt = mutations.line(line, encoded(calls[0]))
                # What became sound lines of other calls, or of this one, cannot be told from the real ones.
                if not any(call_uid(piece) for piece in spoilt.split(b"\n")):
                    batch.append(spoilt)
                    continue
            sound.add(str(call["call_uid"]))
            batch.append(line)
        written += sum(1 for piece in b"\n".join(batch).split(b"\n") if piece.strip())
        writer.append(b"\n" + b"\n".join(batch) + b"\n")
    ledger.ensure(path)
    found: list[str] = []
    with ledger.connect(path) as connection:
        held = {uid for (uid,) in connection.execute("SELECT call_uid::VARCHAR FROM calls").fetchall()}
        set_aside = connection.execute("SELECT value FROM meta WHERE key = 'set_aside'").fetchall()
    aside = int(set_aside[0][0]) if set_aside else 0
    if held != sound:
        found.append(f"{len(sound - held)} calls are missing, {len(held - sound)} are nobody's")
    if len(held) + aside != written:
        found.append(f"{written} lines became {len(held)} rows and {aside} set aside")
    return found
