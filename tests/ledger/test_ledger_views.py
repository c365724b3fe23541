"""The views: their public columns and types, and that a record looks the same before and after the fold."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from spool_writer import START_NS, SpoolWriter, full_record, record, spool_of, uuid7

from edgequake_obs import ledger

# public_api.md, "The ledger's views": a change here is a breaking change.
CALLS = """
call_uid UUID | started_at TIMESTAMP | start_ns BIGINT | duration_ns BIGINT | time_to_first_chunk_ns BIGINT
origin VARCHAR | origin_version VARCHAR | operation VARCHAR | provider VARCHAR | request_model VARCHAR
response_model VARCHAR | response_id VARCHAR | server_address VARCHAR | streaming BOOLEAN | cached BOOLEAN
chunks INTEGER | input_tokens BIGINT | output_tokens BIGINT | cache_read_tokens BIGINT | cache_write_5m_tokens BIGINT
cache_write_1h_tokens BIGINT | reasoning_tokens BIGINT | audio_input_tokens BIGINT | audio_output_tokens BIGINT
image_input_tokens BIGINT | image_output_tokens BIGINT | estimated_input_tokens BIGINT | estimated_output_tokens BIGINT
usage JSON | cost_usd DECIMAL(18,12) | computed_cost_usd DECIMAL(18,12) | reported_cost_usd DECIMAL(18,12)
cost_status VARCHAR | price_key VARCHAR | price_version VARCHAR | service_tier VARCHAR | requested_service_tier VARCHAR
cost_breakdown JSON | outcome VARCHAR | error_type VARCHAR | error_message VARCHAR | http_status INTEGER
attempts INTEGER | finish_reasons VARCHAR[] | trace_id VARCHAR | span_id VARCHAR | parent_span_id VARCHAR
session_id VARCHAR | user_id VARCHAR | api_key_id VARCHAR | tags MAP(VARCHAR, VARCHAR) | metadata JSON
request_params JSON | provider_details JSON | content JSON | service_name VARCHAR | host VARCHAR | pid INTEGER
"""
ATTEMPTS = """
call_uid UUID | attempt INTEGER | started_at TIMESTAMP | duration_ns BIGINT | provider VARCHAR | model VARCHAR
server_address VARCHAR | http_status INTEGER | error_type VARCHAR | request_id VARCHAR | usage JSON
cost_usd DECIMAL(18,12)
"""
SPANS = """
span_id VARCHAR | trace_id VARCHAR | parent_span_id VARCHAR | operation VARCHAR | name VARCHAR | started_at TIMESTAMP
duration_ns BIGINT | outcome VARCHAR | attributes JSON
"""


@pytest.mark.parametrize(("view", "columns"), [("calls", CALLS), ("attempts", ATTEMPTS), ("spans", SPANS)])
def test_names_types_and_order_are_the_public_ones(ledger_path: Path, view: str, columns: str) -> None:
    ledger.ensure(ledger_path)
    with ledger.connect(ledger_path) as connection:
        described = connection.execute(f"DESCRIBE {view}").fetchall()
    assert [f"{name} {type_}" for name, type_, *_ in described] == columns.strip().replace("\n", " | ").split(" | ")


@pytest.mark.parametrize("view", ["calls", "attempts", "spans", "spend_daily", "unpriced", "corrections", "meta"])
def test_a_new_ledger_can_be_queried(ledger_path: Path, view: str) -> None:
    ledger.ensure(ledger_path)
    with duckdb.connect(ledger_path, read_only=True) as connection:
        assert connection.execute(f"SELECT count(*) FROM {view} WHERE false").fetchone() == (0,)


def test_a_full_record_is_the_same_live_and_folded(ledger_path: Path, writer: SpoolWriter) -> None:
    ledger.ensure(ledger_path)
    written = full_record()
    writer.write(written)
    with duckdb.connect(ledger_path, read_only=True) as connection:
        live = connection.sql("SELECT * FROM calls")
        names, row = live.columns, live.fetchall()[0]
        attempts = connection.execute("SELECT * FROM attempts ORDER BY attempt").fetchall()
        connection.execute("SELECT * FROM call")
        assert connection.fetchall() == [], "nothing is folded yet"
    ledger.fold(ledger_path)
    with duckdb.connect(ledger_path, read_only=True) as connection:
        assert connection.execute("SELECT * FROM calls").fetchall() == [row]
        assert connection.execute("SELECT * FROM attempts ORDER BY attempt").fetchall() == attempts
        assert len(connection.execute("SELECT * FROM call").fetchall()) == 1

    call = dict(zip(names, row, strict=True))
    assert all(value is not None for value in call.values()), "the synthetic record fills every column"
    assert call["call_uid"] == uuid.UUID(written["call_uid"])
    # Cut to microseconds, never rounded up.
    assert call["started_at"] == datetime(2026, 9, 21, 14, 13, 20, 123456)
    assert call["cost_usd"] == Decimal("0.000123456789")
    assert call["reported_cost_usd"] == Decimal("999999.999999999999")
    assert call["attempts"] == 2
    assert call["tags"] == {"feature": "search", "team": "a,b"}
    assert call["error_message"] == "line one\nzwei – ☃"
    assert call["finish_reasons"] == ["stop", "length"]
    assert '"details"' in call["usage"]
    for name in ("start_ns", "streaming", "chunks", "input_tokens", "trace_id", "pid", "image_output_tokens", "host"):
        assert call[name] == written[name]
    first, second = attempts
    assert first[1:3] == (1, datetime(2026, 9, 21, 14, 13, 20, 123456))
    assert first[-1] == Decimal("0.000000000001")
    assert second[1:5] == (2, datetime(2026, 9, 21, 14, 13, 20, 123457), 7, "openai")
    assert second[-1] is None


def test_what_is_absent_is_null(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write({"call_uid": uuid7(START_NS), "start_ns": START_NS})
    with ledger.connect(ledger_path) as connection:
        relation = connection.sql("SELECT * FROM calls")
        row = dict(zip(relation.columns, relation.fetchall()[0], strict=True))
    assert {name for name, value in row.items() if value is not None} == {"call_uid", "start_ns", "started_at"}


def test_the_view_grows_under_an_open_connection(ledger_path: Path, writer: SpoolWriter) -> None:
    ledger.ensure(ledger_path)
    with ledger.connect(ledger_path) as connection:
        for expected in range(1, 4):
            writer.write(record())
            assert connection.execute("SELECT count(*) FROM calls").fetchone() == (expected,)


def test_a_line_that_is_being_written_is_not_there_yet(ledger_path: Path, writer: SpoolWriter) -> None:
    ledger.ensure(ledger_path)
    writer.write(record())
    writer.append(b'\n{"call_uid":"018f')
    with duckdb.connect(ledger_path, read_only=True) as connection:
        assert connection.execute("SELECT count(*), count(call_uid) FROM calls").fetchone() == (1, 1)
        assert connection.execute("SELECT count(*) FROM attempts").fetchone() == (1,)


def test_other_kinds_of_records_are_no_calls(ledger_path: Path, writer: SpoolWriter) -> None:
    ledger.ensure(ledger_path)
    writer.write(record(), record() | {"kind": "correction"})
    with duckdb.connect(ledger_path, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (1,)


def test_newer_spool_files_are_shown_as_far_as_their_columns_are_known(ledger_path: Path) -> None:
    SpoolWriter(ledger_path, schema=3).write(record() | {"novelty": 1})
    with ledger.connect(ledger_path) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM call").fetchone() == (0,), "a newer version folds it"


@pytest.mark.parametrize("name", ["it's", 'a "b"', "[x] *", "ünï cödé", "a;--"])
def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / f"{name}.duckdb"
    SpoolWriter(path).write(record())
    with ledger.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM call").fetchone() == (1,)
        SpoolWriter(path).write(record())
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (2,)


def test_views_work_under_another_name(ledger_path: Path, writer: SpoolWriter) -> None:
    ledger.ensure(ledger_path)
    writer.write(record())
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{ledger_path}' AS other (READ_ONLY)")
        assert connection.execute("SELECT count(*) FROM other.calls").fetchone() == (1,)
        assert connection.execute("SELECT sum(calls) FROM other.spend_daily").fetchone() == (1,)


def test_sums_are_exact(ledger_path: Path, writer: SpoolWriter) -> None:
    costs = [Decimal(number * 7_919 + 1).scaleb(-12) for number in range(5_000)] + [Decimal("999999.000000000001")]
    writer.write(*(record(cost_usd=format(cost, "f")) for cost in costs[:2_500]))
    ledger.fold(ledger_path)
    writer.write(*(record(cost_usd=format(cost, "f")) for cost in costs[2_500:]))
    with duckdb.connect(ledger_path, read_only=True) as connection:
        assert connection.execute("SELECT sum(cost_usd) FROM calls").fetchone() == (sum(costs),)


def test_daily_spend_and_unpriced(ledger_path: Path, writer: SpoolWriter) -> None:
    day = 86_400 * 10**9
    writer.write(
        record(),
        record(START_NS + day),
        record(cost_usd=None, cost_status="unpriced"),
        record(cost_usd=None, cost_status="partial"),
        record(cost_usd=None, cost_status="no_usage", outcome="error", error_type="RateLimitError"),
        record(cost_usd=None, cost_status="no_usage"),
    )
    with ledger.connect(ledger_path) as connection:
        days = connection.execute(
            "SELECT day::VARCHAR, calls, cost_usd, unpriced_calls, errors FROM spend_daily ORDER BY day"
        )
        exact = Decimal("0.000123456789")
        assert days.fetchall() == [("2026-09-21", 5, exact, 3, 1), ("2026-09-22", 1, exact, 0, 0)]
        statuses = connection.execute("SELECT cost_status, calls FROM unpriced ORDER BY 1").fetchall()
    assert statuses == [("no_usage", 1), ("partial", 1), ("unpriced", 1)]


def test_batch_results_are_shown_once(ledger_path: Path, writer: SpoolWriter) -> None:
    first, second = (str(uuid.uuid5(uuid.NAMESPACE_URL, name)) for name in "ab")
    writer.write(record(call_uid=first), record(call_uid=first))
    ledger.fold(ledger_path)
    writer.write(record(call_uid=first), record(call_uid=second), record(call_uid=second), record())
    with duckdb.connect(ledger_path, read_only=True) as connection:
        shown = connection.execute("SELECT call_uid::VARCHAR FROM calls WHERE uuid_extract_version(call_uid) = 5")
        assert sorted(row[0] for row in shown.fetchall()) == sorted([first, second])
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (3,)
        assert connection.execute("SELECT count(*) FROM attempts").fetchone() == (3,)
    assert ledger.fold(ledger_path).records == 2


def test_creation_leaves_nothing_behind(ledger_path: Path) -> None:
    ledger.ensure(ledger_path)
    ledger.ensure(ledger_path)
    assert sorted(path.name for path in ledger_path.parent.iterdir()) == ["ledger.duckdb", "ledger.spool"]
    assert ledger_path.stat().st_mode & 0o777 == 0o600
    spool = Path(spool_of(ledger_path))
    assert spool.stat().st_mode & 0o777 == 0o700
    assert [(path.name, path.stat().st_size) for path in spool.iterdir()] == [("0-none.v2.jsonl", 0)]
