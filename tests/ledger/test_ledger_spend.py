"""spend(): groups, bounds, time zones, conditions; exact sums; and no way into the query but `where`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from spool_writer import SpoolWriter, record

from edgequake_obs import ledger

FIGURES = ["calls", "input_tokens", "output_tokens", "cost_usd", "unpriced_calls", "errors"]
COST = Decimal("0.000123456789")


def at(text: str) -> int:
    """Epoch nanoseconds of an ISO time, UTC unless it says otherwise."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()) * 10**9


@pytest.fixture
def recorded(ledger_path: Path, writer: SpoolWriter) -> Callable[..., Path]:
    def write(*calls: dict[str, Any]) -> Path:
        # Half folded, half not: the answers must not depend on it.
        half = len(calls) // 2
        ledger.ensure(ledger_path)
        if half:
            writer.write(*calls[:half])
            ledger.fold(ledger_path)
        keep = duckdb.connect(ledger_path, read_only=True)
        writer.write(*calls[half:])
        kept.append(keep)
        return ledger_path

    kept: list[duckdb.DuckDBPyConnection] = []
    yield write
    for connection in kept:
        connection.close()


def test_by_model_is_the_default(recorded) -> None:
    path = recorded(
        record(response_model="small", cost_usd="0.5"),
        record(response_model="large", cost_usd="2.000000000001"),
        record(response_model="large", cost_usd="1.000000000001"),
        record(response_model="large", cost_usd=None, cost_status="unpriced"),
        record(response_model="unknown", cost_usd=None, cost_status="unpriced"),
        record(
            response_model=None, cost_usd=None, cost_status="no_usage", outcome="error", input_tokens=None,
            output_tokens=None,
        ),
    )  # fmt: skip
    relation = ledger.spend(path=path)
    assert relation.columns == ["response_model", *FIGURES]
    assert relation.fetchall() == [
        ("large", 3, 3000, 600, Decimal("3.000000000002"), 1, 0),
        ("small", 1, 1000, 200, Decimal("0.5"), 0, 0),
        ("unknown", 1, 1000, 200, None, 1, 0),
        (None, 1, None, None, None, 0, 1),
    ]
    assert [str(type_) for type_ in relation.types][1:5] == ["BIGINT", "BIGINT", "BIGINT", "DECIMAL(38,12)"]


def test_by_nothing_is_the_total(recorded) -> None:
    path = recorded(record(), record(cost_usd=None, cost_status="partial"))
    assert ledger.spend(by=(), path=path).fetchall() == [(2, 2000, 400, COST, 1, 0)]


def test_by_tags_and_metadata(recorded) -> None:
    odd = {"it's": "quote", 'a"b': "double", "a.b": "dot", "a/b~c": "pointer", "": "empty", "x": {"y": 1}}
    path = recorded(
        record(tags={"team": "a", "it's": "q"}, metadata=odd),
        record(tags={"team": "b"}, metadata={"x": 7}),
        record(tags=None, metadata=None),
    )
    relation = ledger.spend(by=("tags.team",), path=path)
    assert relation.columns[0] == "tags.team"
    assert sorted(map(str, (row[0] for row in relation.fetchall()))) == ["None", "a", "b"]
    assert {row[0] for row in ledger.spend(by=["tags.it's"], path=path).fetchall()} == {"q", None}
    for key in ("it's", 'a"b', "a.b", "a/b~c"):
        assert {row[0] for row in ledger.spend(by=[f"metadata.{key}"], path=path).fetchall()} == {odd[key], None}
    assert {row[0] for row in ledger.spend(by="metadata.x", path=path).fetchall()} == {'{"y":1}', "7", None}


def test_by_several(recorded) -> None:
    path = recorded(record(user_id="ann", cost_usd="1"), record(user_id="bob"), record(user_id="ann", cost_usd="1"))
    for by in (("user_id", "day"), "user_id, day"):
        rows = ledger.spend(by=by, path=path).fetchall()
        assert [row[:4] for row in rows] == [
            ("ann", date(2026, 9, 21), 2, 2000),
            ("bob", date(2026, 9, 21), 1, 1000),
        ]


@pytest.mark.parametrize(
    ("period", "tz", "expected"),
    [
        ("hour", "UTC", datetime(2026, 5, 3, 22)),
        ("hour", "Europe/Berlin", datetime(2026, 5, 4)),
        ("hour", "Asia/Kolkata", datetime(2026, 5, 4, 4)),
        ("day", "UTC", date(2026, 5, 3)),
        ("day", "Europe/Berlin", date(2026, 5, 4)),
        ("day", "America/New_York", date(2026, 5, 3)),
        ("week", "UTC", date(2026, 4, 27)),
        ("week", "Europe/Berlin", date(2026, 5, 4)),  # a Monday
        ("month", "UTC", date(2026, 5, 1)),
    ],
)
def test_periods_in_a_time_zone(recorded, period: str, tz: str, expected: date) -> None:
    path = recorded(record(at("2026-05-03T22:45:00")))
    relation = ledger.spend(by=[period], tz=tz, path=path)
    assert relation.fetchall()[0][0] == expected
    assert str(relation.types[0]) == ("TIMESTAMP" if period == "hour" else "DATE"), "no type that needs pytz"


def test_days_with_a_clock_change(recorded) -> None:
    # Berlin, 29 March 2026: 23 hours; 25 October: 25 hours, the hour from 2 to 3 twice.
    spring = ["2026-03-28T22:59:59", "2026-03-28T23:00:00", "2026-03-29T21:59:59", "2026-03-29T22:00:00"]
    autumn = ["2026-10-24T21:59:59", "2026-10-24T22:00:00", "2026-10-25T22:59:59", "2026-10-25T23:00:00"]
    twice = ["2026-10-25T00:30:00", "2026-10-25T01:30:00"]
    path = recorded(*(record(at(text)) for text in spring + autumn + twice))
    days = {row[0]: row[1] for row in ledger.spend(by=["day"], tz="Europe/Berlin", path=path).fetchall()}
    assert days == {
        date(2026, 3, 28): 1, date(2026, 3, 29): 2, date(2026, 3, 30): 1,
        date(2026, 10, 24): 1, date(2026, 10, 25): 4, date(2026, 10, 26): 1,
    }  # fmt: skip
    hours = {row[0]: row[1] for row in ledger.spend(by=["hour"], tz="Europe/Berlin", path=path).fetchall()}
    assert hours[datetime(2026, 10, 25, 2)] == 2
    assert datetime(2026, 3, 29, 2) not in hours


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, 4),
        (datetime(2026, 5, 3, 12), None, 3),  # naive: UTC
        (datetime(2026, 5, 3, 14, tzinfo=timezone(timedelta(hours=2))), None, 3),
        (datetime(2026, 5, 3, 12, 0, 0, 1), None, 2),
        ("2026-05-03T12:00", None, 3),
        ("2026-05-03 12:00", None, 3),
        ("2026-05-03T12:00:00Z", None, 3),
        ("2026-05-03T14:00:00+02:00", None, 3),
        ("2026-05-04", None, 1),
        (date(2026, 5, 4), None, 1),
        (None, "2026-05-03T12:00", 1),
        (None, datetime(2026, 5, 3, 12, 0, 0, 1), 2),
        ("2026-05-03", "2026-05-04", 3),
        ("2026-05-04", "2026-05-03", 0),
    ],
)
def test_since_and_until(recorded, since: Any, until: Any, expected: int) -> None:
    path = recorded(
        *(record(at(f"2026-05-{text}")) for text in ("03T11:59:59", "03T12:00:00", "03T23:59:59", "04T00:00:00"))
    )
    assert ledger.spend(by=(), since=since, until=until, path=path).fetchall()[0][0] == expected


def test_ages_and_beginnings(recorded) -> None:
    now = datetime.now(timezone.utc)
    zone = timezone(timedelta(hours=9))  # Asia/Tokyo, all year
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    moments = [now - timedelta(minutes=1), now - timedelta(hours=23), now - timedelta(hours=25)]
    moments += [now - timedelta(days=8), today - timedelta(seconds=1), today, month, month - timedelta(seconds=1)]
    path = recorded(*(record(round(moment.timestamp() * 1e6) * 1000) for moment in moments))

    def counted(**bounds: str) -> int:
        return ledger.spend(by=(), path=path, tz="Asia/Tokyo", **bounds).fetchall()[0][0]

    def expected(start: datetime) -> int:
        return sum(moment >= start for moment in moments)

    assert counted(since="24h") == expected(now - timedelta(hours=24))
    assert counted(since="7d") == expected(now - timedelta(days=7))
    assert counted(since="90m") == expected(now - timedelta(minutes=90))
    assert counted(since="2w") == expected(now - timedelta(weeks=2))
    assert counted(since="today") == expected(today)
    assert counted(since="month") == expected(month)
    assert counted(until="today") == len(moments) - expected(today)


def test_where_is_sql_over_calls(recorded) -> None:
    path = recorded(record(user_id="ann"), record(user_id="bob", streaming=True), record(user_id="it's"))

    def counted(where: str) -> int:
        return ledger.spend(by=(), where=where, path=path).fetchall()[0][0]

    assert counted("user_id = 'ann'") == 1
    assert counted("streaming OR user_id = 'ann'") == 2
    assert counted("tags['feature'] = 'search' -- a comment") == 3
    assert counted("  ") == 3
    assert counted("cost_usd > 0 AND started_at < now()::TIMESTAMP + INTERVAL 1 YEAR") == 3
    # The bounds hold whatever the condition is.
    assert ledger.spend(by=(), where="1=1 OR 1=1", until="2020-01-01", path=path).fetchall()[0][0] == 0


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"by": ["modell"]}, r"by='modell' is neither a column.*response_model"),
    ({"by": ["1; DROP TABLE call"]}, "neither a column"),
    ({"by": ['response_model" FROM call --']}, "neither a column"),
    ({"by": ["tags."]}, "neither a column"),
    ({"by": ["started_at::DATE"]}, "neither a column"),
    ({"by": ["cost_usd"]}, "is one of the figures"),
    ({"by": ["day", "day"]}, "twice"),
    ({"since": "yesterday-ish"}, r"since='yesterday-ish' is not a point in time: use .*7d.*today"),
    ({"until": "2026-13-01"}, "until='2026-13-01' is not a point in time"),
    ({"since": 7}, "since=7 is not a point in time: use a datetime or a string"),
    ({"since": "999999999w"}, "beginning of time"),
    ({"where": "user = = 1"}, "is not an SQL condition over calls: Parser Error"),
    ({"where": "nonsense = 1"}, "is not an SQL condition over calls: Binder Error"),
    ({"tz": "Mars/Olympus"}, "tz='Mars/Olympus' is not a time zone: use .*Europe/Berlin"),
    ({"tz": "UTC'; DROP"}, "is not a time zone"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[str(arguments) for arguments, _ in WRONG])
def test_wrong_arguments_say_what_and_what_instead(recorded, arguments: dict[str, Any], message: str) -> None:
    path = recorded(record(), record())
    with pytest.raises(ValueError, match=message):
        ledger.spend(path=path, **arguments)


def test_keys_cannot_reach_the_query(recorded) -> None:
    path = recorded(record(tags={"x') OR (1=1": "a"}), record())
    assert {row[0] for row in ledger.spend(by=["tags.x') OR (1=1"], path=path).fetchall()} == {"a", None}
    assert len(ledger.spend(by=["tags.']; DROP TABLE call; --"], path=path).fetchall()) == 1
    assert len(ledger.spend(by=["""metadata.'"); DROP TABLE call; --"""], path=path).fetchall()) == 1


def test_the_relation_lives_on_its_own_and_lets_go_of_the_file(ledger_path: Path, writer: SpoolWriter) -> None:
    writer.write(record())
    relation = ledger.spend(path=ledger_path)
    assert relation.fetchall() == relation.fetchall()
    assert relation.filter("calls > 5").fetchall() == []
    del relation
    writer.write(record())
    assert ledger.fold(ledger_path).records == 1
