"""What was spent: calls, tokens and cost, by any columns, tags, metadata or stretches of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .connection import connect
from .holder import first_line
from .moments import epoch_ns
from .schema import CALLS_VIEW, UNPRICED, calls_source, first_row, identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime
    from pathlib import Path

    import duckdb

FIGURES = {
    "calls": "count(*)",
    "input_tokens": "sum(input_tokens)::BIGINT",
    "output_tokens": "sum(output_tokens)::BIGINT",
    "cost_usd": "sum(cost_usd)",
    "unpriced_calls": f"count(*) FILTER ({UNPRICED})",
    "errors": "count(*) FILTER (outcome = 'error')",
}
"""What every row of the answer says: the figure's column, and its SQL over `calls`."""

PERIODS = ("hour", "day", "week", "month")


class Bounds(NamedTuple):
    """Which calls are meant; the fields are arguments of `spend`."""

    since: datetime | date | str | None
    until: datetime | date | str | None
    where: str | None
    tz: str


def spend(
    by: Iterable[str] | str = ("response_model",),
    since: datetime | date | str | None = None,
    until: datetime | date | str | None = None,
    where: str | None = None,
    tz: str = "UTC",
    path: str | Path | None = None,
) -> duckdb.DuckDBPyRelation:
    """Sums calls, tokens and cost (USD) in groups.

    The sum is exact, and is over the calls whose cost is known; the others are counted beside it, never inside it.

    Args:
        by: What to group by: columns of `calls`, `tags.<key>`, `metadata.<key>`, and `hour`, `day`, `week`, `month`
            (in `tz`; weeks begin on Monday; an hour that a clock change repeats is one group). A string is one of
            these, or several with commas between them.
        since: Calls that started then or later: a datetime (naive: UTC), an ISO string, `"7d"`, `"24h"`, `"today"`,
            `"month"`.
        until: Calls that started before then.
        where: A further SQL condition over `calls`.
        tz: The time zone of the periods, and of `today` and `month`: an IANA name such as `Europe/Berlin`.
        path: The `.duckdb` file; None: this program's ledger.

    Returns:
        A relation with the columns of `by`, then `calls`, `input_tokens`, `output_tokens`, `cost_usd` (DECIMAL, NULL
        where no call of the group has a known cost), `unpriced_calls`, `errors`; the largest cost first. It keeps the
        ledger open for as long as it lives.

    Raises:
        ValueError: `by`, `since`, `until`, `where` or `tz` cannot be understood.
        LedgerError: The ledger cannot be opened; see `connect`.
    """
    import duckdb

    names = group_names(by)
    connection = connect(path)
    try:
        return connection.sql(spend_query(connection, names, Bounds(since, until, where, tz)))
    except duckdb.ProgrammingError as error:
        connection.close()
        raise not_a_condition(where, error) from error
    except ValueError:
        connection.close()
        raise


def spend_query(
    connection: duckdb.DuckDBPyConnection,
    names: list[str],
    bounds: Bounds,
) -> str:
    """The SQL of `spend` over an open ledger; `names` as `group_names` returns them."""
    groups = [f"{_expression(name, bounds.tz)} AS {identifier(name)}" for name in names]
    figures = [f"{sql} AS {name}" for name, sql in FIGURES.items()]
    grouping = f"GROUP BY {', '.join(str(place + 1) for place in range(len(names)))} " if names else ""
    order = ["cost_usd DESC NULLS LAST", "calls DESC", *(identifier(name) for name in names)]
    return (
        f"SELECT {', '.join(groups + figures)} FROM {selected(connection, bounds)} "
        f"{grouping}ORDER BY {', '.join(order)}"
    )


def not_a_condition(where: str | None, error: Exception) -> ValueError:
    """The error for a `where` that DuckDB does not understand."""
    return ValueError(f"where={where!r} is not an SQL condition over calls: {first_line(error)}")


def selected(connection: duckdb.DuckDBPyConnection, bounds: Bounds) -> str:
    """SQL for the calls within the bounds, as a subquery in parentheses."""
    since, until, where, tz = bounds
    _check_zone(connection, tz)
    conditions: list[str] = []
    if since is not None:
        conditions.append(f"start_ns >= {epoch_ns('since', since, tz, connection)}")
    if until is not None:
        conditions.append(f"start_ns < {epoch_ns('until', until, tz, connection)}")
    if where is not None and where.strip():
        conditions.append(f"(\n{where}\n)")  # on lines of its own: it may end in a comment
    source = calls_source(connection)
    return f"(SELECT * FROM {source}{' WHERE ' if conditions else ''}{' AND '.join(conditions)})"


def group_names(by: Iterable[str] | str) -> list[str]:
    """The items of `by`, checked: what is wrong with them is said before a ledger is looked for."""
    names = [name.strip() for name in by.split(",")] if isinstance(by, str) else list(by)
    for name in names:
        if name in FIGURES:
            raise ValueError(f"by={name!r} is one of the figures that are summed: group by something else")
        if names.count(name) > 1:
            raise ValueError(f"by={name!r} is given twice: give it once")
        _expression(name, "UTC")
    return names


def _expression(name: str, tz: str) -> str:
    """The SQL of one item of `by`: nothing of it but a quoted literal or a known name gets into the query."""
    source, dot, key = name.partition(".")
    if name in CALLS_VIEW:
        return identifier(name)
    if name in PERIODS:
        local = "started_at" if tz == "UTC" else f"((started_at AT TIME ZONE 'UTC') AT TIME ZONE {literal(tz)})"
        return f"date_trunc('{name}', {local})::{'TIMESTAMP' if name == 'hour' else 'DATE'}"
    if dot and key and source == "tags":
        return f"tags[{literal(key)}]"
    if dot and key and source == "metadata":
        pointer = "/" + key.replace("~", "~0").replace("/", "~1")
        return f"json_extract_string(metadata, {literal(pointer)})"
    raise ValueError(
        f"by={name!r} is neither a column of calls, nor tags.<key>, metadata.<key>, {', '.join(PERIODS)}: "
        f"the columns are {', '.join(column for column in CALLS_VIEW if column not in FIGURES)}"
    )


def _check_zone(connection: duckdb.DuckDBPyConnection, tz: str) -> None:
    if tz == "UTC":
        return
    if first_row(connection, "SELECT 1 FROM pg_timezone_names() WHERE name = ?", [tz]) is None:
        raise ValueError(f"tz={tz!r} is not a time zone: use a name such as UTC or Europe/Berlin")
