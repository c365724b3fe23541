"""Recorded calls by today's prices, or by another model's: as corrections beside the rows, which never change."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from . import schema
from .connection import connect
from .errors import LedgerBusyError, LedgerError
from .folding import only_folder
from .forks import turn
from .place import place_of
from .spending import Bounds, selected
from .writable import make_log, writable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime
    from pathlib import Path

    import duckdb

    from edgequake_obs._native import Cost

_BATCH = 2000
_PATIENCE = 5.0  # seconds that a write waits for readers and folds
_STEP = 0.02  # seconds between two attempts

_ROW = (
    "call_uid, provider, operation, response_model, request_model, start_ns, service_tier, server_address, api_key_id, "
    "usage::VARCHAR AS usage, estimated_input_tokens, estimated_output_tokens, outcome, "
    "cost_usd, computed_cost_usd, cost_status, price_key, price_version, "
    # A batch's result line has an id made of the provider's. Searches that the usage did not count are in the proof.
    "(uuid_extract_version(call_uid) = 5 AND origin <> 'record') AS batch, "
    "try_cast(json_extract_string(cost_breakdown, '$.web_search.quantity') AS BIGINT) AS web_search_calls"
)
# What a correction says, in the order of `_Correction`, with the types that its texts are cast to.
_COLUMNS = {
    "call_uid": "UUID",
    "old_cost_usd": schema.USD,
    "new_cost_usd": schema.USD,
    "old_computed_cost_usd": schema.USD,
    "new_computed_cost_usd": schema.USD,
    "old_cost_status": "VARCHAR",
    "new_cost_status": "VARCHAR",
    "old_price_version": "VARCHAR",
    "new_price_version": "VARCHAR",
    "price_key": "VARCHAR",
    "cost_breakdown": "JSON",
    "cost_reason": "VARCHAR",
    "reason": "VARCHAR",
}

_Correction = tuple[str | None, ...]


class Repriced(NamedTuple):
    """What a recompute found for the calls of one model.

    Attributes:
        provider: litellm's id.
        model: The model that answered, else the one asked for.
        calls: How many were looked at.
        corrected: How many have another figure or status now.
        cost_usd_before: Sum of the known costs as the views showed them, in USD; None where none was known.
        cost_usd_after: The same by the new prices.
        unpriced_before: Calls whose cost was not known.
        unpriced_after: Calls whose cost is not known by the new prices either.
    """

    provider: str | None
    model: str | None
    calls: int
    corrected: int
    cost_usd_before: Decimal | None
    cost_usd_after: Decimal | None
    unpriced_before: int
    unpriced_after: int


def recompute(
    since: datetime | date | str | None = None,
    model: str | None = None,
    as_model: str | None = None,
    dry_run: bool = False,
    path: str | Path | None = None,
) -> list[Repriced]:
    """Prices recorded calls again, by the prices in force now for the time of each call.

    What differs becomes a correction: from what to what, by which prices, when. The views show the newest one; the rows
    stay as they were recorded. What the provider said it charged stays what is paid. Calls whose prices were given with
    the call keep their figure, which only that call knew.

    Args:
        since: Calls that started then or later; as for `spend`.
        model: Only calls of this model, as asked for or as it answered.
        as_model: What the calls would have cost on this model, which may name its provider. It can be written only for
            calls of one `model`, such as a deployment whose model nobody knew.
        dry_run: Nothing is written.
        path: The `.duckdb` file; None: this program's ledger.

    Returns:
        The figures by model, the largest cost first.

    Raises:
        ValueError: `since` cannot be understood, `as_model` has no prices, or it would be written for every model.
        LedgerError: The ledger cannot be opened, or somebody keeps it open while the corrections are to be written.
    """
    from edgequake_obs import _native

    if as_model is not None:
        if model is None and not dry_run:
            raise ValueError(
                f"as_model={as_model!r} would overwrite the cost of every model: give model, or dry_run to see the sum"
            )
        if _native.price_key("", as_model) is None:
            raise ValueError(f"as_model={as_model!r} has no prices: see `edgequake-obs prices search {as_model}`")
    # Before the ledger is read: a file of prices that cannot be read would take every figure away.
    _native.reload_prices()
    if problem := _native.price_problem():
        raise ValueError(problem)
    groups: dict[tuple[str | None, str | None], Repriced] = {}
    corrections: list[_Correction] = []
    connection = connect(path)
    try:
        for row in _rows(connection, since, model):
            cost = _new_cost(row, as_model)
            changed = cost is not None and _figures(row) != (cost.usd, cost.computed_usd, cost.status)
            if cost is not None and changed:
                corrections.append(_correction(row, cost, as_model))
            _add(groups, row, cost, changed)
    finally:
        connection.close()
    if corrections and not dry_run:
        _write(path, corrections)
    return sorted(groups.values(), key=lambda group: -(group.cost_usd_after or Decimal()))


def _rows(
    connection: duckdb.DuckDBPyConnection, since: datetime | date | str | None, model: str | None
) -> Iterator[dict[str, Any]]:
    where = None
    if model is not None:
        where = f"response_model = {schema.literal(model)} OR request_model = {schema.literal(model)}"
    source = selected(connection, Bounds(since, None, where, "UTC"))
    found = connection.execute(f"SELECT {_ROW} FROM {source}")
    names = [column[0] for column in found.description or []]
    while batch := found.fetchmany(_BATCH):
        for values in batch:
            yield dict(zip(names, values, strict=True))


def _new_cost(row: Mapping[str, Any], as_model: str | None) -> Cost | None:
    """The cost by today's prices; None where there is nothing to price, or nothing to price it by."""
    from edgequake_obs import _native

    if as_model is not None:
        return _native.price_row(row, as_model=as_model)
    if row["price_key"] is None and row["computed_cost_usd"] is not None:
        return None
    # What an image costs stands under size and quality too, which only the key tells.
    if row["price_key"] is not None and str(row["operation"]).startswith("image"):
        return _native.price_row(row, base_model=row["price_key"])
    cost = _native.price_row(row)
    if cost is not None and cost.price_key is None and row["price_key"] is not None:
        # Its names alone say nothing: a deployment, whose call said which model it is.
        return _native.price_row(row, base_model=row["price_key"])
    return cost


def _figures(row: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None, str]:
    return row["cost_usd"], row["computed_cost_usd"], row["cost_status"]


def _correction(row: Mapping[str, Any], cost: Cost, as_model: str | None) -> _Correction:
    def text(value: object) -> str | None:
        return None if value is None else str(value)

    return (
        str(row["call_uid"]),
        text(row["cost_usd"]),
        text(cost.usd),
        text(row["computed_cost_usd"]),
        text(cost.computed_usd),
        row["cost_status"],
        cost.status,
        row["price_version"],
        cost.price_version,
        cost.price_key,
        cost.breakdown_json,
        cost.reason,
        "recompute" if as_model is None else f"recompute as {as_model}",
    )


def _add(
    groups: dict[tuple[str | None, str | None], Repriced], row: Mapping[str, Any], cost: Cost | None, changed: bool
) -> None:
    key = row["provider"], row["response_model"] or row["request_model"]
    group = groups.get(key, Repriced(*key, 0, 0, None, None, 0, 0))
    before: Decimal | None = row["cost_usd"]
    after = before if cost is None else cost.usd
    failed = row["cost_status"] == "no_usage" and row["outcome"] == "error"
    groups[key] = group._replace(
        calls=group.calls + 1,
        corrected=group.corrected + changed,
        cost_usd_before=_sum(group.cost_usd_before, before),
        cost_usd_after=_sum(group.cost_usd_after, after),
        unpriced_before=group.unpriced_before + (before is None and not failed),
        unpriced_after=group.unpriced_after + (after is None and not failed),
    )


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return one if other is None else other if one is None else one + other


def _write(path: str | Path | None, corrections: list[_Correction]) -> None:
    """Writes all corrections in one transaction.

    Raises:
        LedgerBusyError: Somebody kept the file open.
        LedgerError: It belongs to another user.
    """
    place = place_of(path)
    if not place.is_ours():
        raise LedgerError(f"{place.database} belongs to another user: recompute as its owner")
    until = time.monotonic() + _PATIENCE
    with only_folder(place, until):
        while True:
            try:
                with turn(place, _PATIENCE), writable(place) as connection:
                    make_log(place)
                    _insert(connection, corrections)
                return
            except LedgerBusyError:
                if time.monotonic() >= until:
                    raise
                time.sleep(_STEP)


def _insert(connection: duckdb.DuckDBPyConnection, corrections: list[_Correction]) -> None:
    fields = ", ".join(f"unnest(?::VARCHAR[])::{type_} AS {name}" for name, type_ in _COLUMNS.items())
    connection.begin()
    # One moment for all: the newest correction of a call is the one of the newest run.
    now = schema.first_row(connection, "SELECT epoch_us(now())")
    moment = f"make_timestamp({now[0] if now else 0})"
    for first in range(0, len(corrections), _BATCH):
        columns = [list(column) for column in zip(*corrections[first : first + _BATCH], strict=True)]
        connection.execute(
            f"INSERT INTO correction BY NAME SELECT {moment} AS corrected_at, fresh.* FROM (SELECT {fields}) AS fresh "
            # A call that is still in the spool has no row to correct yet.
            "WHERE call_uid IN (SELECT call_uid FROM call)",
            columns,
        )
    connection.commit()
