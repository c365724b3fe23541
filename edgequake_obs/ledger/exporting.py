"""A copy of a ledger that stands by itself: a DuckDB file of plain tables, or Parquet files by month.

For other machines and other programs: the ledger's own views hold the absolute paths of its spool.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

from . import schema
from .connection import connect
from .errors import LedgerError, LedgerNotFoundError
from .holder import first_line
from .place import place_of

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

_MEMORY = "400MB"
# In this order: an attempt is copied only with its call, and the spool may grow meanwhile.
_TABLES = ("calls", "attempts", "spans", "corrections")
# What a month is told by.
_MOMENTS = {"calls": "started_at", "attempts": "started_at", "spans": "started_at", "corrections": "corrected_at"}


class Copied(NamedTuple):
    """What was exported.

    Attributes:
        path: The file or folder, absolute.
        rows: Of each table, how many rows it has there.
    """

    path: str
    rows: dict[str, int]


def export(path: str | Path | None, to: str | Path) -> Copied:
    """Copies everything that was recorded up to now.

    Args:
        path: The ledger's `.duckdb` file; None: this program's ledger.
        to: A name that ends in `.duckdb`: a file with the tables `calls`, `attempts`, `spans` and `corrections`, and
            the other views over them. Any other: a folder, absent or empty, that gets
            `<table>/month=<yyyy-mm>/*.parquet` in UTC months; UUIDs and JSON are text there, since readers differ in
            what else they take.

    Raises:
        LedgerNotFoundError: There is no ledger.
        LedgerError: The ledger cannot be opened, or the copy cannot be made; what was begun is removed.
    """
    import duckdb

    place = place_of(path)
    if not place.exists():
        raise LedgerNotFoundError(place.database)
    target = os.path.abspath(os.path.expanduser(str(to)))
    is_file = str(to).endswith(".duckdb")
    _refuse_what_is_there(target, is_file, place.database)
    # Folds what it can and makes what is missing; whoever attaches the file has to have it alone in this process.
    connect(path).close()
    draft = f"{target}.{os.getpid()}-{os.urandom(4).hex()}.new"
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        rows = _copy(place.database, draft, is_file)
        if not is_file and os.path.isdir(target):
            os.rmdir(target)
        os.rename(draft, target)
    except (duckdb.Error, OSError) as error:
        raise LedgerError(f"{target} cannot be made: {first_line(error)}") from error
    finally:
        _remove(draft)
    return Copied(target, rows)


def _refuse_what_is_there(target: str, is_file: bool, database: str) -> None:
    if os.path.realpath(target) == os.path.realpath(database):
        raise LedgerError(f"{target} is the ledger itself: choose another name")
    if is_file and "?" in target:
        raise LedgerError(f"DuckDB cannot use a path with a question mark: choose another than {target}")
    if os.path.lexists(target) and (is_file or not os.path.isdir(target) or os.listdir(target)):
        raise LedgerError(f"{target} is there already: remove it, or choose another name")


def _copy(database: str, draft: str, is_file: bool) -> dict[str, int]:
    import duckdb

    if not is_file:
        os.mkdir(draft, 0o700)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        "temp_directory": draft + ".spill",
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
    }
    with duckdb.connect(draft if is_file else ":memory:", config=settings) as connection:
        if is_file:
            os.chmod(draft, 0o600)
        connection.execute(f"ATTACH {schema.literal(database)} AS ledger (READ_ONLY)")
        return _copy_tables(connection, database) if is_file else _write_parquet(connection, draft)


def _copy_tables(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, int]:
    rows: dict[str, int] = {}
    connection.begin()
    for name in _TABLES:
        condition = " WHERE call_uid IN (SELECT call_uid FROM calls)" if name == "attempts" else ""
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM ledger.{name}{condition}")
        rows[name] = _count(connection, f"SELECT count(*) FROM {name}")
    views = "SELECT view_name, sql FROM duckdb_views() WHERE database_name = 'ledger' AND NOT internal"
    for name, sql in connection.execute(views).fetchall():
        if name not in _TABLES:
            # A view over the other views stays one; a view that reads the spool becomes what it shows.
            reads_spool = "read_ndjson" in sql
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM ledger.{name}" if reads_spool else sql)
    connection.execute(f"CREATE TABLE meta AS SELECT * FROM ledger.meta WHERE key = {schema.literal(schema.EXPORTED)}")
    schema.put(connection, schema.EXPORTED, database)
    connection.commit()
    connection.execute("DETACH ledger")
    return rows


def _write_parquet(connection: duckdb.DuckDBPyConnection, folder: str) -> dict[str, int]:
    rows: dict[str, int] = dict.fromkeys(_TABLES, 0)
    for name in _TABLES:
        columns = connection.execute(f"DESCRIBE ledger.{name}").fetchall()
        selected = ", ".join(
            f"{column}::VARCHAR AS {column}" if type_ in ("UUID", "JSON") else column for column, type_, *_ in columns
        )
        source = f"SELECT {selected}, strftime({_MOMENTS[name]}, '%Y-%m') AS month FROM ledger.{name}"
        if name == "attempts":
            if not rows["calls"]:
                continue
            source += f" WHERE call_uid::VARCHAR IN (SELECT call_uid FROM {_parquet(folder, 'calls')})"
        if _count(connection, f"SELECT count(*) FROM (FROM ledger.{name} LIMIT 1)"):
            connection.execute(
                f"COPY ({source}) TO {schema.literal(os.path.join(folder, name))} "
                "(FORMAT parquet, PARTITION_BY (month), COMPRESSION zstd, WRITE_PARTITION_COLUMNS false)"
            )
            rows[name] = _count(connection, f"SELECT count(*) FROM {_parquet(folder, name)}")
    return rows


def _parquet(folder: str, name: str) -> str:
    return f"read_parquet({schema.literal(schema.glob_escaped(os.path.join(folder, name)) + '/*/*.parquet')})"


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    found = schema.first_row(connection, query)
    return found[0] if found else 0


def _remove(draft: str) -> None:
    for left in (draft, draft + ".wal", draft + ".spill"):
        if os.path.isdir(left):
            shutil.rmtree(left, ignore_errors=True)
        elif os.path.exists(left):
            os.unlink(left)
