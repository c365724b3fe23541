"""Rows for programs: plain (tabs), JSON, CSV. Values are whole and exact; NULL is empty, or null in JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

_ESCAPES = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"})


def write(style: str, columns: Sequence[str], types: Sequence[str], rows: Iterable[Sequence[Any]], out: TextIO) -> None:
    """Writes rows as they come.

    Args:
        style: `plain`, `json` or `csv`.
        columns: Their names.
        types: Their DuckDB types: JSON columns are nested in JSON, not quoted.
        rows: The values.
        out: Where to.
    """
    if style == "json":
        _write_json(columns, types, rows, out)
    elif style == "csv":
        import csv

        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([text(value) for value in row])
    else:
        out.write("\t".join(columns) + "\n")
        for row in rows:
            out.write(plain_line(row))


def _write_json(columns: Sequence[str], types: Sequence[str], rows: Iterable[Sequence[Any]], out: TextIO) -> None:
    out.write("[")
    for number, row in enumerate(rows):
        out.write((",\n " if number else "\n ") + json_object(columns, types, row))
    out.write("\n]\n")


def json_object(columns: Sequence[str], types: Sequence[str], row: Sequence[Any]) -> str:
    """A row as a JSON object on one line."""
    fields = (
        f"{json.dumps(column)}: {value if type_ == 'JSON' and value is not None else as_json(value)}"
        for column, type_, value in zip(columns, types, row, strict=True)
    )
    return "{" + ", ".join(fields) + "}"


def plain_line(row: Sequence[Any]) -> str:
    """A row as values with tabs between them; tabs and line ends within are escaped."""
    return "\t".join(text(value).translate(_ESCAPES) for value in row) + "\n"


def as_json(value: Any) -> str:
    """A value as JSON. An exact amount is a number with all its digits, never by way of a float."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if value is None or isinstance(value, (bool, int, str, list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return json.dumps(text(value), ensure_ascii=False)


def text(value: Any) -> str:
    """A value as text: dates in ISO form, amounts with all their digits, lists and maps as JSON."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value.isoformat(" ") if hasattr(value, "hour") else str(value)
