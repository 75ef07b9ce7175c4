from __future__ import annotations

import pytest

from src.core.showing.preview_table import WIDTH, render_table
from tests.kits.builders import Number, account, plan, targets


def lines_with_a_name_of(chars: int) -> list[str]:
    """The table of an account of 3,234,500 USD, wider by every character of a long name."""
    name = "A" * chars
    valued = account({name: 10_000}, {name: "123.45", "SPY": "9999.99"}, 2_000_000)
    return render_table(plan(valued, targets({name: 10, "SPY": 80})), ()).splitlines()


@pytest.mark.parametrize(
    ("name_chars", "unit", "drift", "value"),
    [
        (11, "$", "-2,587,600", "2,589,997"),  # exactly 80 columns
        (12, "$", "-2587600", "2589997"),
        (15, "$", "-2587600", "2589997"),  # exactly 80 columns
        (16, "k$", "-2,588", "2,590"),
        (19, "k$", "-2,588", "2,590"),  # exactly 80 columns
        (20, "m$", "-2.6", "2.6"),
        (21, "m$", "-3", "3"),
    ],
)
def test_dollars_are_as_exact_as_80_columns_allow(
    name_chars: int, unit: str, drift: str, value: str
) -> None:
    lines = lines_with_a_name_of(name_chars)
    assert max(map(len, lines)) <= WIDTH
    assert lines[1].split()[4] == unit
    (cells,) = (line.split() for line in lines if line.startswith("SPY"))
    assert (cells[4], cells[8]) == (drift, value)


def test_what_is_held_stands_beside_the_quantity() -> None:
    held: dict[str, Number] = {"SPY": "10.5", "IAU": 50, "GDX": 20}
    prices: dict[str, Number] = {"SPY": 600, "IAU": 60, "GDX": 50, "GLD": 300}
    made = plan(account(held, prices, 1000), targets({"SPY": 40, "IAU": 40, "GDX": 9, "GLD": 11}))
    rows = {line.split()[0]: line.split()[5:-2] for line in render_table(made, ()).splitlines()}
    assert rows["SPY"] == ["SELL", "3", "of", "10.5", "600.00"]
    assert rows["IAU"] == ["BUY", "26", "50", "60.00"]
    assert rows["GLD"] == ["BUY", "4", "300.00"]
    assert rows["GDX"] == ["-", "20"]


@pytest.mark.parametrize(
    ("price", "shown"),
    [("0.12345", "0.1235"), ("0.9999", "0.9999"), ("1", "1.00"), ("1.2345", "1.23")],
)
def test_a_price_below_a_dollar_has_four_decimals(price: str, shown: str) -> None:
    made = plan(account({"SPY": 1000}, {"SPY": price}), targets({"SPY": 100}))
    assert render_table(made, ()).splitlines()[-1].split() == [
        *("SPY", "100.00", "100.00", "0.00", "0.00", "-", "1000", shown, "100.00"),
    ]
