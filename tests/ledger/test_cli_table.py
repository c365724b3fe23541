"""The table: digits of costs, alignment, cutting, characters that take two cells."""

from __future__ import annotations

from decimal import Decimal

import pytest

from edgequake_obs.cli.table import Heading, cells, render, seconds, usd, whole


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0"),
        ("0.000000000000", "0"),
        ("0.000000000001", "0.000000000001"),
        ("0.000000000019", "0.000000000019"),
        ("0.0000001254", "0.00000013"),
        ("0.00099", "0.00099"),
        ("0.0123", "0.0123"),
        ("0.01235", "0.0124"),
        ("1", "1.0000"),
        ("1234567.891234", "1,234,567.8912"),
        ("-0.00001", "-0.000010"),
        ("99999999999999999999999999.999999999999", "100,000,000,000,000,000,000,000,000.0000"),
    ],
)
def test_costs_are_never_rounded_to_zero(amount: str, shown: str) -> None:
    assert usd(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("duration", "shown"),
    [(0, "0 µs"), (999_000, "999 µs"), (12_345_678, "12 ms"), (1_500_000_000, "1.50 s"), (3_600 * 10**9, "3,600.00 s")],
)
def test_durations(duration: int, shown: str) -> None:
    assert seconds(duration) == shown


HEADINGS = (Heading("name"), Heading("n", whole, right=True), Heading("spare", spare=1))


def test_a_table() -> None:
    rows = [("a", 1, "x"), ("日本語", 1234, None)]
    assert render(HEADINGS, rows, ("total", 1235, None)) == (
        "┌────────┬───────┬───────┐\n"
        "│ name   │     n │ spare │\n"
        "├────────┼───────┼───────┤\n"
        "│ a      │     1 │ x     │\n"
        "│ 日本語 │ 1,234 │ –     │\n"
        "├────────┼───────┼───────┤\n"
        "│ total  │ 1,235 │       │\n"
        "└────────┴───────┴───────┘\n"
    )


def test_costs_stand_on_their_points() -> None:
    rows = [(Decimal(text),) for text in ("1000", "0.000012", "0")]
    drawn = render([Heading("usd", usd, right=True)], [*rows, (None,)], ascii_only=True)
    assert drawn.splitlines()[3:7] == ["| 1,000.0000   |", "|     0.000012 |", "|     0        |", "|     -        |"]


@pytest.mark.parametrize("width", [20, 30, 40, 200])
def test_it_fits_the_width(width: int) -> None:
    rows = [("a name that is quite long, " * 3, 1234, "something to spare"), ("日本語" * 20, 1, "")]
    lines = render(HEADINGS, rows, width=width).splitlines()
    assert {cells(line) for line in lines} == {cells(lines[0])}
    assert cells(lines[0]) <= width
    assert ("spare" in lines[1]) == (width >= 40)
    assert ("…" in lines[3]) == (width < 200)
