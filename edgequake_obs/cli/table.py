"""A table for a terminal: numbers to the right, costs on their decimal points, cut to fit the width."""

from __future__ import annotations

import unicodedata
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NARROWEST = 6  # a text column is not cut below this
_SHORT = 12  # and not below this while there are spare columns to leave out


_EXACT = Context(prec=60)  # more digits than a DECIMAL of DuckDB has


class Heading(NamedTuple):
    """A column of a table.

    Attributes:
        title: What stands above it.
        show: Turns a value that is not NULL into text.
        right: Whether it is aligned to the right; then it is never cut.
        spare: Left out where the terminal is too narrow: the highest number goes first, 0 stays.
    """

    title: str
    show: Callable[[Any], str] = str
    right: bool = False
    spare: int = 0


class _Glyphs(NamedTuple):
    horizontal: str
    vertical: str
    top: str
    middle: str
    bottom: str
    null: str
    cut: str


_BOX = _Glyphs("─", "│", "┌┬┐", "├┼┤", "└┴┘", "–", "…")
_ASCII = _Glyphs("-", "|", "+++", "+++", "+++", "-", "~")


def whole(number: int) -> str:
    """A whole number with thousands separators."""
    return f"{number:,}"


def usd(amount: Decimal) -> str:
    """An amount in USD: four decimals, and where that shows less than two digits of it, as many as it takes."""
    if amount == 0:
        return "0"
    decimals = max(4, min(12, 1 - amount.adjusted()))
    rounded = amount.quantize(Decimal(1).scaleb(-decimals), context=_EXACT)
    return f"{rounded:,f}"


def seconds(nanoseconds: int) -> str:
    """A duration, given in nanoseconds."""
    if nanoseconds < 1_000_000:
        return f"{nanoseconds / 1e3:.0f} µs"
    if nanoseconds < 1_000_000_000:
        return f"{nanoseconds / 1e6:.0f} ms"
    return f"{nanoseconds / 1e9:,.2f} s"


def render(
    headings: Sequence[Heading],
    rows: Sequence[Sequence[Any]],
    totals: Sequence[Any] | None = None,
    width: int = 0,
    ascii_only: bool = False,
) -> str:
    """Draws a table.

    Args:
        headings: The columns.
        rows: Their values; None is NULL.
        totals: A last row below a line; None in it is left empty where the column is a text.
        width: Cells of the terminal, into which long texts are cut; 0: as wide as it takes.
        ascii_only: For an output that cannot show box-drawing characters.

    Returns:
        Lines, with a newline at the end of each.
    """
    glyphs = _ASCII if ascii_only else _BOX
    columns = [_column(heading, index, rows, totals, glyphs.null) for index, heading in enumerate(headings)]
    kept = _kept(columns, headings, width)
    headings, columns = [headings[index] for index in kept], [columns[index] for index in kept]
    widths = [max(map(cells, column)) for column in columns]
    _fit(widths, headings, width)

    def line(number: int) -> str:
        padded = (
            _pad(_cut(column[number], size, glyphs.cut), size, heading.right)
            for column, size, heading in zip(columns, widths, headings, strict=True)
        )
        return f"{glyphs.vertical} " + f" {glyphs.vertical} ".join(padded) + f" {glyphs.vertical}\n"

    def rule(corners: str) -> str:
        return corners[0] + corners[1].join(glyphs.horizontal * (size + 2) for size in widths) + corners[2] + "\n"

    drawn = [rule(glyphs.top), line(0), rule(glyphs.middle), *(line(number + 1) for number in range(len(rows)))]
    if totals is not None:
        drawn += [rule(glyphs.middle), line(len(rows) + 1)]
    return "".join([*drawn, rule(glyphs.bottom)])


def line(headings: Sequence[Heading], widths: Sequence[int], row: Sequence[Any] | None, ascii_only: bool) -> str:
    """A row by itself, in columns of given widths, for rows that are not known together; None: the titles."""
    glyphs = _ASCII if ascii_only else _BOX
    shown: list[str] = []
    for index, (heading, width) in enumerate(zip(headings, widths, strict=True)):
        if row is None:
            value = heading.title
        else:
            value = glyphs.null if row[index] is None else _on_one_line(heading.show(row[index]))
        shown.append(_pad(_cut(value, width, glyphs.cut) if not heading.right else value, width, heading.right))
    return "  ".join(shown).rstrip() + "\n"


def _column(
    heading: Heading, index: int, rows: Sequence[Sequence[Any]], totals: Sequence[Any] | None, null: str
) -> list[str]:
    """A column's texts from top to bottom: its title, its values, its total if there are totals."""
    texts = [null if row[index] is None else _on_one_line(heading.show(row[index])) for row in rows]
    if totals is not None:
        empty = null if heading.right else ""
        texts.append(empty if totals[index] is None else heading.show(totals[index]))
    if heading.show is usd:
        texts = _on_their_points(texts)
    return [heading.title, *texts]


def cells(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _on_one_line(text: str) -> str:
    return "".join(" " if unicodedata.category(character) == "Cc" else character for character in text)


def _on_their_points(texts: list[str]) -> list[str]:
    """Pads costs on the right, so that their decimal points stand below each other."""
    after = [len(text) - text.find(".") if "." in text else 0 for text in texts]
    widest = max(after, default=0)
    return [text + " " * (widest - own) for text, own in zip(texts, after, strict=True)]


def _kept(columns: Sequence[list[str]], headings: Sequence[Heading], width: int) -> list[int]:
    """Which columns are shown: all, unless texts would have to be cut very short; then the spare ones go."""
    kept = list(range(len(columns)))
    least = [
        max(map(cells, column)) if heading.right else min(max(map(cells, column)), _SHORT)
        for column, heading in zip(columns, headings, strict=True)
    ]
    while width and sum(least[index] + 3 for index in kept) + 1 > width:
        candidate = max(kept, key=lambda index: headings[index].spare)
        if not headings[candidate].spare:
            break
        kept.remove(candidate)
    return kept


def _fit(widths: list[int], headings: Sequence[Heading], width: int) -> None:
    """Narrows the widest text columns, one cell at a time, until the table fits."""
    if not width:
        return
    excess = sum(widths) + 3 * len(widths) + 1 - width
    while excess > 0:
        index = max(range(len(widths)), key=lambda i: -1 if headings[i].right else widths[i])
        if headings[index].right or widths[index] <= _NARROWEST:
            return
        widths[index] -= 1
        excess -= 1


def _cut(text: str, size: int, mark: str) -> str:
    if cells(text) <= size:
        return text
    taken = 0
    for position, character in enumerate(text):
        taken += _cells(character)
        if taken > size - 1:
            return text[:position] + mark
    return text


def _pad(text: str, size: int, right: bool) -> str:
    gap = " " * (size - cells(text))
    return gap + text if right else text + gap
