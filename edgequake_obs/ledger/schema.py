"""What the ledger's `.duckdb` file holds: its tables, its views, and the numbered steps from one schema to the next.

The views show folded and unfolded records alike: a table of the database, and the spool lines that no fold has put
there yet. Names and types of the columns are public (`public_api.md`): changing one is a breaking change.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import duckdb

SCHEMA = 2
"""Number of the schema that this version writes: into `meta`, and into the names of the spool files."""


EXPORTED = "exported_from"
"""Key of `meta` in an exported copy, which has no spool: the ledger that it was made of."""


class Column(NamedTuple):
    """A column: its name, its DuckDB type, and the expression that makes it out of a spool line."""

    name: str
    type: str
    source: str


def _column(name: str, type_: str, source: str | None = None) -> Column:
    return Column(name, type_, source if source is not None else name)


def _columns(type_: str, *names: str) -> tuple[Column, ...]:
    return tuple(_column(name, type_) for name in names)


# Whole microseconds, cut and never rounded up: a call must not move into the next day.
_STARTED_AT = _column("started_at", "TIMESTAMP", "make_timestamp(start_ns // 1000)")

USD = "DECIMAL(18,12)"

CALL: tuple[Column, ...] = (
    _column("call_uid", "UUID"),
    _STARTED_AT,
    *_columns("BIGINT", "start_ns", "duration_ns", "time_to_first_chunk_ns"),
    *_columns("VARCHAR", "origin", "origin_version", "operation", "provider"),
    *_columns("VARCHAR", "request_model", "response_model", "response_id", "server_address"),
    *_columns("BOOLEAN", "streaming", "cached"),
    _column("chunks", "INTEGER"),
    *_columns("BIGINT", "input_tokens", "output_tokens"),
    *_columns("BIGINT", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "reasoning_tokens"),
    *_columns("BIGINT", "audio_input_tokens", "audio_output_tokens", "image_input_tokens", "image_output_tokens"),
    *_columns("BIGINT", "estimated_input_tokens", "estimated_output_tokens"),
    _column("usage", "JSON"),
    *_columns(USD, "cost_usd", "computed_cost_usd", "reported_cost_usd"),
    *_columns("VARCHAR", "cost_status", "price_key", "price_version", "service_tier", "requested_service_tier"),
    _column("cost_breakdown", "JSON"),
    _column("cost_reason", "VARCHAR"),
    *_columns("VARCHAR", "outcome", "error_type", "error_message"),
    _column("http_status", "INTEGER"),
    _column("attempts", "INTEGER", "len(attempts)::INTEGER"),
    _column("finish_reasons", "VARCHAR[]"),
    *_columns("VARCHAR", "trace_id", "span_id", "parent_span_id", "session_id", "user_id", "api_key_id"),
    _column("tags", "MAP(VARCHAR, VARCHAR)"),
    *_columns("JSON", "metadata", "request_params", "provider_details", "content"),
    *_columns("VARCHAR", "service_name", "host"),
    _column("pid", "INTEGER"),
)

# `start_ns` stays in the table only: the view has `started_at`, as public_api.md lists it.
ATTEMPT: tuple[Column, ...] = (
    _column("call_uid", "UUID"),
    _column("attempt", "INTEGER", "position::INTEGER"),
    _STARTED_AT,
    _column("start_ns", "BIGINT"),
    _column("duration_ns", "BIGINT"),
    *_columns("VARCHAR", "provider", "model", "server_address"),
    _column("http_status", "INTEGER"),
    *_columns("VARCHAR", "error_type", "request_id"),
    _column("usage", "JSON"),
    _column("cost_usd", USD),
)

_SPAN: tuple[Column, ...] = (
    *_columns("VARCHAR", "span_id", "trace_id", "parent_span_id", "operation", "name"),
    _STARTED_AT,
    _column("start_ns", "BIGINT"),
    _column("duration_ns", "BIGINT"),
    _column("outcome", "VARCHAR"),
    _column("attributes", "JSON"),
)

_CORRECTION: tuple[Column, ...] = (
    _column("call_uid", "UUID"),
    _column("corrected_at", "TIMESTAMP"),
    *_columns(USD, "old_cost_usd", "new_cost_usd"),
    *_columns("VARCHAR", "old_cost_status", "new_cost_status"),
    *_columns("VARCHAR", "old_price_version", "new_price_version", "price_key"),
    _column("cost_breakdown", "JSON"),
    _column("reason", "VARCHAR"),
    *_columns(USD, "old_computed_cost_usd", "new_computed_cost_usd"),
    _column("cost_reason", "VARCHAR"),
)

# Of the columns of `call`, those that a correction replaces, and what it replaces them by.
_CORRECTED = {
    "cost_usd": "new_cost_usd",
    "computed_cost_usd": "new_computed_cost_usd",
    "cost_status": "new_cost_status",
    "price_key": "price_key",
    "price_version": "new_price_version",
    "cost_breakdown": "cost_breakdown",
    "cost_reason": "cost_reason",
}

CALLS_VIEW: tuple[str, ...] = tuple(column.name for column in CALL if column.name != "cost_reason")
_ATTEMPTS_VIEW = tuple(column.name for column in ATTEMPT if column.name != "start_ns")
_SPANS_VIEW = tuple(column.name for column in _SPAN if column.name != "start_ns")

UNPRICED = "(cost_usd IS NULL AND (cost_status <> 'no_usage' OR outcome <> 'error'))"
"""Condition over `calls`: the cost is not known. A call that failed before it used anything is not meant."""


# Of calls that were recorded before the reason was, and of those whose provider said nothing.
_WITHOUT_REASON = (
    "CASE WHEN cost_status = 'no_usage' AND usage IS NULL THEN 'the response carried no usage' "
    "WHEN price_key IS NULL THEN 'no prices for this model of this provider' ELSE 'a part of it has no rate' END"
)


def literal(text: str) -> str:
    """Quotes a text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quotes a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def glob_escaped(path: str) -> str:
    """A path as a DuckDB glob that matches only itself."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in path)


def spool_glob(spool: str) -> str:
    """The glob of a spool's files, of newer schemas too: an older reader shows their columns as far as it can."""
    return glob_escaped(spool) + "/*.v*.jsonl"


def lines(*patterns: str, only: tuple[str, ...] | None = None) -> str:
    """SQL for the lines that globs match, one row each; what cannot be read has no `call_uid`.

    Costs come as JSON strings, so that no double is ever in between, and are cast to decimals by the reader. With
    `only`, nothing is said of the other columns: they may be such that the line cannot be read.
    """
    attempt_fields = ", ".join(
        f"{column.name} {column.type}" for column in ATTEMPT if column.name == column.source != "call_uid"
    )
    types = {column.name: column.type for column in CALL if column.name == column.source}
    types |= {"attempts": f"STRUCT({attempt_fields})[]", "kind": "VARCHAR"}
    columns = ", ".join(f"{name}: {literal(type_)}" for name, type_ in types.items() if only is None or name in only)
    return (
        f"read_ndjson([{', '.join(map(literal, patterns))}], columns={{{columns}}}, "
        "filename='spool_file', ignore_errors=true, hive_partitioning=false)"
    )


IS_CALL = "(call_uid IS NOT NULL AND kind IS NULL)"
"""Condition over lines: a call that could be read. Other kinds of records carry their `kind`."""

IS_RECENT = "uuid_extract_version(call_uid) = 7"
"""Condition: the id begins with its time, so that only recent rows can have the same."""

MAY_COME_LATER = "uuid_extract_version(call_uid) = 8"
"""Condition: the id is made of the provider's, so that whoever learns the outcome of the call can write it."""


def ignorance(outcome: str) -> str:
    """SQL that orders what several lines say of one call: the one that knows most of its outcome comes first."""
    return f"list_position(['completed', 'error', 'closed_early', 'abandoned'], {outcome})"


def call_from_line() -> str:
    """The select list that makes rows of `call` out of lines."""
    return ", ".join(f"{column.source} AS {column.name}" for column in CALL)


def attempts_from_line(source: str) -> str:
    """SQL that makes rows of `attempt` out of lines: `source` is a table or a subquery in parentheses."""
    fields = ", ".join(f"{column.source} AS {column.name}" for column in ATTEMPT)
    return (
        f"SELECT {fields} FROM (SELECT call_uid, unnest(attempts, max_depth := 2), "
        f"generate_subscripts(attempts, 1) AS position FROM {source} AS line)"
    )


def _unfolded(pattern: str) -> str:
    """SQL for the calls that no fold has put into the tables yet.

    The ids of batch results come again whenever somebody fetches the batch again, and those of responses made in the
    background with their outcome, so they alone are compared.
    """
    waiting = f"{IS_CALL} AND parse_filename(spool_file) NOT IN (SELECT name FROM folded)"
    return (
        f"(SELECT * FROM {lines(pattern)} WHERE {waiting} AND {IS_RECENT} UNION ALL "
        f"(SELECT DISTINCT ON (call_uid) * FROM {lines(pattern)} AS line "
        f"WHERE {waiting} AND NOT {IS_RECENT} AND NOT EXISTS (FROM call WHERE call.call_uid = line.call_uid) "
        f"ORDER BY call_uid, {ignorance('outcome')}))"
    )


_NEWEST_CORRECTION = "(SELECT DISTINCT ON (call_uid) * FROM correction ORDER BY call_uid, corrected_at DESC)"


def folded_calls(columns: Sequence[str]) -> str:
    """SQL for the calls in the tables, with their newest corrections: the rows of `call` themselves never change."""
    fields = ", ".join(
        f"CASE WHEN fixed.call_uid IS NULL THEN call.{name} ELSE fixed.{_CORRECTED[name]} END AS {name}"
        if name in _CORRECTED
        else f"call.{name}"
        for name in columns
    )
    return f"SELECT {fields} FROM call LEFT JOIN {_NEWEST_CORRECTION} AS fixed ON fixed.call_uid = call.call_uid"


def _calls(columns: Sequence[str], pattern: str) -> str:
    return f"{folded_calls(columns)} UNION ALL {_waiting_calls(columns, pattern)}"


def _waiting_calls(columns: Sequence[str], pattern: str) -> str:
    sources = {column.name: column.source for column in CALL}
    fields = ", ".join(f"{sources[name]} AS {name}" for name in columns)
    return f"SELECT {fields} FROM {_unfolded(pattern)}"


def calls_source(connection: duckdb.DuckDBPyConnection) -> str:
    """What to select from for all calls: the view `calls`, or what is the same while nothing was ever corrected.

    Looking for the corrections of each call takes as long as summing ten million of them.
    """
    if number(connection) != SCHEMA or get(connection, EXPORTED):
        return "calls"
    if first_row(connection, "SELECT 1 FROM correction LIMIT 1"):
        return "calls"
    waiting = _waiting_calls(CALLS_VIEW, spool_glob(get(connection, "spool") or ""))
    return f"(SELECT {', '.join(CALLS_VIEW)} FROM call UNION ALL {waiting})"


def _folded_attempts() -> str:
    """SQL for the attempts in the tables: of a corrected call, the one that was billed has the corrected figure."""
    fields = ", ".join(f"attempt.{name}" for name in _ATTEMPTS_VIEW if name != "cost_usd")
    kept = "fixed.call_uid IS NULL OR (attempt.usage IS NULL AND attempt.cost_usd IS NULL)"
    return (
        f"SELECT {fields}, CASE WHEN {kept} THEN attempt.cost_usd ELSE fixed.new_cost_usd END AS cost_usd "
        f"FROM attempt LEFT JOIN {_NEWEST_CORRECTION} AS fixed ON fixed.call_uid = attempt.call_uid"
    )


def _views(spool: str) -> dict[str, str]:
    pattern = spool_glob(spool)
    figures = (
        "count(*) AS calls, sum(input_tokens)::BIGINT AS input_tokens, sum(output_tokens)::BIGINT AS output_tokens"
    )
    return {
        "calls": _calls(CALLS_VIEW, pattern),
        "attempts": f"{_folded_attempts()} UNION ALL "
        f"SELECT {', '.join(_ATTEMPTS_VIEW)} FROM ({attempts_from_line(_unfolded(pattern))})",
        "spans": f"SELECT {', '.join(_SPANS_VIEW)} FROM span",
        "corrections": "SELECT * FROM correction",
        "spend_daily": f"SELECT started_at::DATE AS day, provider, response_model, {figures}, "
        f"sum(cost_usd) AS cost_usd, count(*) FILTER ({UNPRICED}) AS unpriced_calls, "
        "count(*) FILTER (outcome = 'error') AS errors "
        "FROM calls GROUP BY ALL ORDER BY day, cost_usd DESC NULLS LAST, provider, response_model",
        "unpriced": "SELECT provider, request_model, response_model, cost_status, "
        f"coalesce(cost_reason, {_WITHOUT_REASON}) AS missing, {figures}, "
        "min(started_at) AS first_at, max(started_at) AS last_at "
        f"FROM ({_calls([*CALLS_VIEW, 'cost_reason'], pattern)}) WHERE {UNPRICED} "
        "GROUP BY ALL ORDER BY calls DESC, provider, request_model, response_model, missing",
    }


def replace_views(connection: duckdb.DuckDBPyConnection, spool: str) -> None:
    """Makes the views anew for the spool folder `spool` (absolute), and notes it in `meta`."""
    for name, query in _views(spool).items():
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
    put(connection, "spool", spool)


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    tables = {"call": CALL, "attempt": ATTEMPT, "span": _SPAN, "correction": _CORRECTION}
    for name, columns in tables.items():
        fields = ", ".join(f"{column.name} {column.type}" for column in columns)
        connection.execute(f"CREATE TABLE {name} ({fields})")
    connection.execute("CREATE TABLE folded (name VARCHAR)")
    connection.execute("CREATE TABLE meta (key VARCHAR, value VARCHAR, noted_at TIMESTAMP)")


def _tell_what_is_missing(connection: duckdb.DuckDBPyConnection) -> None:
    """Why a call has no figure; corrections of what is computed beside what is paid."""
    connection.execute("ALTER TABLE call ADD COLUMN IF NOT EXISTS cost_reason VARCHAR")
    for name in ("old_computed_cost_usd", "new_computed_cost_usd"):
        connection.execute(f"ALTER TABLE correction ADD COLUMN IF NOT EXISTS {name} {USD}")
    connection.execute("ALTER TABLE correction ADD COLUMN IF NOT EXISTS cost_reason VARCHAR")


MIGRATIONS: tuple[Callable[[duckdb.DuckDBPyConnection], None], ...] = (_create, _tell_what_is_missing)
"""Step n makes schema n out of schema n - 1; the views are made anew after the last."""


def migrate(connection: duckdb.DuckDBPyConnection, spool: str) -> None:
    """Brings a database that is open for writing to `SCHEMA`, in one transaction; does nothing where it is there.

    Args:
        connection: Open for writing, outside a transaction.
        spool: Absolute path of the spool folder that the views show.
    """
    have = number(connection)
    if have == SCHEMA and get(connection, "spool") == spool:
        return
    connection.begin()
    try:
        for step in MIGRATIONS[have:]:
            step(connection)
        put(connection, "schema", str(SCHEMA))
        replace_views(connection, spool)
        connection.commit()
    except BaseException:
        with suppress(Exception):  # DuckDB may have ended it already
            connection.rollback()
        raise


def number(connection: duckdb.DuckDBPyConnection) -> int:
    """The schema number of an open database; 0 where it has no `meta`, or one without it."""
    return int(get(connection, "schema") or 0) if has_meta(connection) else 0


def has_meta(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether this is a database of ours, or another."""
    found = first_row(
        connection,
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'meta' AND database_name = current_database()",
    )
    return bool(found and found[0])


def get(connection: duckdb.DuckDBPyConnection, key: str) -> str | None:
    """The value of a key of `meta` that stands once."""
    row = first_row(connection, "SELECT value FROM meta WHERE key = ? ORDER BY noted_at DESC LIMIT 1", [key])
    return None if row is None else row[0]


def first_row(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: list[str] | None = None
) -> tuple[Any, ...] | None:
    """The first row of a small answer, read to its end: an unfinished one would block the connection for its user."""
    rows = connection.execute(query, parameters).fetchall()
    return rows[0] if rows else None


def put(connection: duckdb.DuckDBPyConnection, key: str, value: str) -> None:
    """Sets a key of `meta` that stands once."""
    connection.execute("DELETE FROM meta WHERE key = ?", [key])
    connection.execute("INSERT INTO meta VALUES (?, ?, make_timestamp(epoch_us(now())))", [key, value])
