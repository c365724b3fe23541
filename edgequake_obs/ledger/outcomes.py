"""Calls whose outcome comes later than their row: responses that a provider makes in the background.

The process that asked writes what it knows; whoever fetches the outcome, perhaps another process, writes it under the
same id. The row keeps what the asker knew of the request, and gets what the other knows of the answer, in whichever
order the two come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

# Of a call's columns, those that its answer fills.
_OF_ANSWER = (
    *("duration_ns", "response_model", "response_id", "input_tokens", "output_tokens"),
    *("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "reasoning_tokens"),
    *("audio_input_tokens", "audio_output_tokens", "image_input_tokens", "image_output_tokens"),
    *("estimated_input_tokens", "estimated_output_tokens", "usage"),
    *("cost_usd", "computed_cost_usd", "reported_cost_usd", "cost_status", "price_key", "price_version"),
    *("service_tier", "cost_breakdown", "cost_reason", "outcome", "error_type", "error_message", "http_status"),
    *("finish_reasons", "provider_details"),
)
_OF_REQUEST = tuple(c.name for c in schema.CALL if c.name not in (*_OF_ANSWER, "call_uid", "content"))
_WAS_ASKED = "len(attempts) > 0"  # a mere fetcher has made no attempt


def note(connection: duckdb.DuckDBPyConnection) -> None:
    """Copies such calls' lines from the temporary table `line` into `late`, before they are sifted."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE late AS SELECT * FROM line WHERE {schema.MAY_COME_LATER}")


def put(connection: duckdb.DuckDBPyConnection) -> None:
    """Joins the lines that `note` copied to their calls' rows, which are all in the tables by now."""
    if schema.first_row(connection, "SELECT 1 FROM late LIMIT 1") is None:
        return
    asked = f"SELECT DISTINCT ON (call_uid) * FROM late WHERE {_WAS_ASKED} ORDER BY {_ORDER}"
    came = f"SELECT DISTINCT ON (call_uid) * FROM late ORDER BY {_ORDER}"
    _update(connection, _OF_REQUEST, asked, "call.attempts = 0")
    unknown = "call_uid NOT IN (SELECT call_uid FROM attempt)"
    connection.execute(f"INSERT INTO attempt {schema.attempts_from_line(f'(SELECT * FROM ({asked}) WHERE {unknown})')}")
    knows_more = f"{schema.ignorance('late.outcome')} < {schema.ignorance('call.outcome')}"
    _update(connection, _OF_ANSWER, came, knows_more)
    connection.execute(
        "UPDATE attempt SET usage = call.usage, cost_usd = call.cost_usd FROM call "
        "WHERE attempt.call_uid = call.call_uid AND attempt.attempt = call.attempts "
        "AND call.call_uid IN (SELECT call_uid FROM late)"
    )


_ORDER = f"call_uid, {schema.ignorance('outcome')}"


def _update(connection: duckdb.DuckDBPyConnection, names: Iterable[str], lines: str, condition: str) -> None:
    fields = ", ".join(f"{name} = late.{name}" for name in names)
    connection.execute(
        f"UPDATE call SET {fields}, content = coalesce(late.content, call.content) "
        f"FROM (SELECT {schema.call_from_line()} FROM ({lines})) AS late "
        f"WHERE call.call_uid = late.call_uid AND {condition}"
    )
