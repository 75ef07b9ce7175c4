"""The optimiser against trying everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.core.rounding.best_plan import best_units
from src.core.rounding.lots import CashRule, Choice

CENTS = 10**12


def own_error(choice: Choice, count: int) -> int:
    return abs(count * choice.lot - choice.want)


def cash_left(choices: Sequence[Choice], counts: Sequence[int], cash: CashRule) -> int:
    spent = (c.sign * c.lot * n for c, n in zip(choices, counts, strict=True))
    return cash.cash - sum(spent)


def error(choices: Sequence[Choice], counts: Sequence[int], cash: CashRule) -> int:
    own = sum(own_error(c, n) for c, n in zip(choices, counts, strict=True))
    return own + abs(cash_left(choices, counts, cash) - cash.target)


def is_allowed(choices: Sequence[Choice], counts: Sequence[int], cash: CashRule) -> bool:
    pairs = list(zip(choices, counts, strict=True))
    if any(c.must_trade and n != c.high for c, n in pairs):
        return False
    if any(n and not c.low <= n <= c.high for c, n in pairs):
        return False
    buys = any(n for c, n in pairs if c.sign > 0)
    return not buys or cash_left(choices, counts, cash) >= cash.floor


def everything(choices: Sequence[Choice], cash: CashRule) -> Iterator[tuple[int, ...]]:
    for counts in product(*(range(choice.high + 1) for choice in choices)):
        if is_allowed(choices, counts, cash):
            yield counts


@st.composite
def choices(draw: st.DrawFn) -> list[Choice]:
    made = []
    for index in range(draw(st.integers(1, 4))):
        lot = draw(st.integers(1, 60)) * CENTS
        want = draw(st.integers(1, 150)) * CENTS
        high = min((2 * want - 1) // lot, 7)
        must_trade = draw(st.booleans()) and high > 0
        low = high if must_trade else draw(st.integers(1, 2))
        if low <= high:
            sign = -1 if must_trade else draw(st.sampled_from((1, -1)))
            made.append(
                Choice(
                    symbol=f"S{index}",
                    sign=sign,
                    lot=lot,
                    want=want,
                    low=low,
                    high=high,
                    must_trade=must_trade,
                )
            )
    return made


@st.composite
def cash_rules(draw: st.DrawFn) -> CashRule:
    cash = draw(st.integers(-200, 400)) * CENTS
    target = draw(st.integers(-100, 200)) * CENTS
    floor = target - draw(st.sampled_from((0, 0, 30, -40))) * CENTS
    return CashRule(net_liq=1000 * CENTS, cash=cash, target=target, floor=floor)


@given(choices(), cash_rules())
def test_nothing_allowed_is_better(made: list[Choice], cash: CashRule) -> None:
    found = best_units(made, cash)
    assert is_allowed(made, found, cash)
    best = min(error(made, counts, cash) for counts in everything(made, cash))
    assert error(made, found, cash) <= best + CENTS // 100


HAIR = 10**9
"""A dollar of own drift weighs this and a few more, the more the higher its rank."""

COARSE = (97, 61, 43, 29, 89, 53, 71, 17, 101, 37)
ROUND = (100, 150, 50, 200)
FINE = (3, 97, 5, 61, 2, 7, 43)
LOTS_AND_WANTS = ((70, 100), (45, 160), (100, 130))


def unit_choice(symbol: str, sign: int, lot: int, want: int) -> Choice:
    high = (2 * want - 1) // lot
    return Choice(symbol=symbol, sign=sign, lot=lot, want=want, low=1, high=high)


@pytest.mark.parametrize("cash_usd", [-300, -90, 0, 75, 130, 210, 700])
@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_the_best_of_all_plans_is_found_to_the_last_dollar(
    signs: tuple[int, int], cash_usd: int
) -> None:
    """Of equal errors, the one that serves the first; but below the floor no buy wins a tie."""
    for (first, second), floor in product(product(LOTS_AND_WANTS, repeat=2), (20, -20)):
        made = [unit_choice("A", signs[0], *first), unit_choice("B", signs[1], *second)]
        cash = CashRule(net_liq=0, cash=cash_usd, target=20, floor=floor)
        plans = [
            (error(made, counts, cash), own_error(made[0], counts[0]), counts)
            for counts in everything(made, cash)
        ]
        found = best_units(made, cash)
        assert is_allowed(made, found, cash)
        result = (error(made, found, cash), own_error(made[0], found[0]))
        best = min(plans)
        assert result[0] == best[0]
        assert result[1] == best[1] or cash.cash < cash.floor


def least_weighed(made: Sequence[Choice], cash: CashRule) -> int:
    """The least error of all plans above the floor; spending by spending, so it is quick."""
    errors = {0: 0}
    for rank, one in enumerate(made):
        grown: dict[int, int] = {}
        counts = range(one.low, one.high + 1)
        for count in counts if one.must_trade else (0, *counts):
            spent = one.sign * one.lot * count
            own = own_error(one, count) * (HAIR + len(made) - rank)
            for before, sum_before in errors.items():
                total = sum_before + own
                grown[before + spent] = min(total, grown.get(before + spent, total))
        errors = grown
    left = ((cash.cash - spent, own) for spent, own in errors.items())
    return min(own + HAIR * abs(rest - cash.target) for rest, own in left if rest >= cash.floor)


def weighed(made: Sequence[Choice], counts: Sequence[int], cash: CashRule) -> int:
    pairs = enumerate(zip(made, counts, strict=True))
    own = sum(own_error(one, n) * (HAIR + len(made) - rank) for rank, (one, n) in pairs)
    return own + HAIR * abs(cash_left(made, counts, cash) - cash.target)


def mixed_choices(number: int, case: int, lots: Sequence[int]) -> list[Choice]:
    """Buys and sells, some of at least two units and some that must be closed."""
    made = []
    for index in range(number):
        lot, want = lots[(3 * case + index) % len(lots)], 60 + (31 * case + 47 * index) % 140
        one = unit_choice(f"S{index}", 1 if (7 * case >> index % 5) & 1 else -1, lot, want)
        low = 1 + (case + index) % 2
        if one.sign < 0 and (case + index) % 4 == 0:
            low = one.high
        must_trade = one.sign < 0 and low == one.high
        if low <= one.high:
            made.append(replace(one, low=low, must_trade=must_trade))
    return made


def cash_of(case: int, number: int, target: int, floor: int) -> CashRule:
    """Never below the floor, which makes a plan allowed exactly when it ends above the floor."""
    cash = max(floor, 53 * case % (120 * number) - 100)
    return CashRule(net_liq=0, cash=cash, target=target, floor=floor)


@pytest.mark.parametrize(
    ("number", "cases", "lots"),
    [
        (3, range(30), COARSE),
        (5, range(0, 36, 2), COARSE),
        (5, range(1, 36, 2), COARSE),
        (8, range(6), COARSE),
        (3, range(8), FINE),
        (4, range(4), FINE),
    ],
)
def test_no_plan_of_several_symbols_is_better(
    number: int, cases: range, lots: Sequence[int]
) -> None:
    """With floors at the target, below it (margin) and above it (a low leverage cap)."""
    for case, (target, floor) in product(cases, ((20, 20), (150, 20), (20, 90), (20, 300))):
        made = mixed_choices(number, case, lots)
        cash = cash_of(case, number, target, floor)
        found = best_units(made, cash)
        assert is_allowed(made, found, cash)
        assert weighed(made, found, cash) == least_weighed(made, cash)


@pytest.mark.parametrize(
    ("number", "case", "lots"), [(24, 2, COARSE), (24, 5, COARSE), (180, 2, ROUND), (180, 5, ROUND)]
)
def test_of_very_many_symbols_a_core_is_searched_and_little_is_lost(
    number: int, case: int, lots: Sequence[int]
) -> None:
    made = mixed_choices(number, case, lots)
    cash = cash_of(case, number, 150, 20)
    found = best_units(made, cash)
    assert is_allowed(made, found, cash)
    assert weighed(made, found, cash) * 20 <= least_weighed(made, cash) * 21


def test_among_plans_of_equal_error_the_larger_drift_is_served_first() -> None:
    big = Choice(symbol="BIG", sign=1, lot=100, want=1000, low=1, high=19)
    small = Choice(symbol="SMALL", sign=1, lot=100, want=900, low=1, high=17)
    cash = CashRule(net_liq=10_000, cash=1000, target=0, floor=0)
    assert best_units([big, small], cash) == [10, 0]


def test_a_dear_share_is_rounded_up_when_a_cheap_one_can_pay_for_it() -> None:
    """DEAR wants 960 at 600 a share, CHEAP 1 000 at 5, cash 1 960.

    Rounding DEAR down leaves 360 + 360 wrong. Rounding it up and buying 48 CHEAP less leaves 240
    + 240.
    """
    dear = Choice(symbol="DEAR", sign=1, lot=600, want=960, low=1, high=3)
    cheap = Choice(symbol="CHEAP", sign=1, lot=5, want=1000, low=1, high=399)
    cash = CashRule(net_liq=10_000, cash=1960, target=0, floor=0)
    assert best_units([cheap, dear], cash) == [152, 2]


def test_sells_alone_need_not_reach_the_floor() -> None:
    sell = Choice(symbol="S", sign=-1, lot=100, want=130, low=1, high=2)
    cash = CashRule(net_liq=10_000, cash=-130, target=0, floor=0)
    assert best_units([sell], cash) == [1]


def test_sells_alone_may_raise_more_than_they_want_while_cash_is_short() -> None:
    """One share leaves 20 + 900 wrong, two 80 + 800; neither reaches the floor."""
    sell = Choice(symbol="S", sign=-1, lot=100, want=120, low=1, high=2)
    cash = CashRule(net_liq=10_000, cash=-1000, target=0, floor=0)
    assert best_units([sell], cash) == [2]


def test_no_more_is_sold_just_to_buy_something() -> None:
    """One sold and none bought leaves 30 + 30 + 30 wrong, two sold and one bought 70 + 20 + 20."""
    sell = Choice(symbol="S", sign=-1, lot=100, want=130, low=1, high=2)
    buy = Choice(symbol="B", sign=1, lot=50, want=30, low=1, high=1)
    cash = CashRule(net_liq=10_000, cash=-130, target=0, floor=0)
    assert best_units([sell, buy], cash) == [1, 0]


def test_nothing_to_choose_from() -> None:
    assert best_units([], CashRule(net_liq=10, cash=5, target=0, floor=0)) == []
