"""The first guess of the optimiser; of very many symbols, most keep it."""

from __future__ import annotations

import pytest

from src.core.rounding.greedy import cash_after, greedy_units
from src.core.rounding.lots import CashRule, Choice


def choice(sign: int, want: int, *, lot: int = 100, low: int = 1) -> Choice:
    return Choice(symbol="AAA", sign=sign, lot=lot, want=want, low=low, high=(2 * want - 1) // lot)


def cash(now: int, *, target: int = 0, floor: int = 0) -> CashRule:
    return CashRule(net_liq=10_000, cash=now, target=target, floor=floor)


@pytest.mark.parametrize(
    ("want", "low", "units"),
    [(149, 1, 1), (150, 1, 1), (151, 1, 2), (300, 1, 3), (60, 1, 1), (110, 2, 2), (320, 4, 4)],
)
def test_a_sell_goes_to_the_nearest_and_of_two_to_the_smaller(
    want: int, low: int, units: int
) -> None:
    assert greedy_units([choice(-1, want, low=low)], cash(1000)) == [units]


def test_buys_are_rounded_down_in_rank_order_as_far_as_cash_goes() -> None:
    made = [choice(1, 300), choice(1, 200, low=2), choice(1, 100)]
    assert greedy_units(made, cash(600)) == [3, 2, 1]
    assert greedy_units(made, cash(599)) == [3, 2, 0]
    assert greedy_units(made, cash(499)) == [3, 0, 1]
    assert greedy_units(made, cash(500, floor=100)) == [3, 0, 1]
    assert greedy_units(made, cash(400, floor=-100, target=-100)) == [3, 2, 0]


def test_sells_pay_for_buys() -> None:
    made = [choice(1, 300), choice(-1, 300)]
    assert greedy_units(made, cash(0)) == [3, 3]
    assert cash_after(made, [3, 2], cash(50)) == -50


def test_one_unit_more_goes_to_the_buy_that_rounding_left_the_furthest() -> None:
    near, far = choice(1, 160), choice(1, 190)
    assert greedy_units([near, far], cash(350)) == [1, 2]
    assert greedy_units([near, far], cash(450)) == [2, 2]
