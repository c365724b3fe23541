"""What the ledger holds, as dicts."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from edgequake_obs import ledger


@dataclasses.dataclass
class Ledger:
    """The ledger at a path, from a moment on."""

    path: Path
    since_ns: int = 0

    def calls(self) -> list[dict[str, Any]]:
        """The rows of `calls`, in their order."""
        return self._rows(f"SELECT * FROM calls WHERE start_ns >= {self.since_ns} ORDER BY start_ns")

    def call(self) -> dict[str, Any]:
        """The only row of `calls`."""
        rows = self.calls()
        assert len(rows) == 1
        return rows[0]

    def attempts(self) -> list[dict[str, Any]]:
        """The rows of `attempts`, in their order."""
        return self._rows(
            "SELECT attempts.* FROM attempts JOIN calls USING (call_uid)"
            f" WHERE start_ns >= {self.since_ns} ORDER BY start_ns, attempt"
        )

    def _rows(self, query: str) -> list[dict[str, Any]]:
        try:
            connection = ledger.connect(str(self.path))
        except ledger.LedgerNotFoundError:
            return []  # it begins with the first recorded call
        try:
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
        finally:
            connection.close()
