"""Sizing against trying everything: how far it may be from the best, and who is served first.

Two references, each for up to eight trades. With few steps every spending is listed with the least
own error for it. With very many steps (0.0001 of a share, or a share of a large account) every set
of trades is tried, each with any amounts, which is a hair better than what steps allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import product
from random import Random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.core.rounding.best_plan import best_units
from src.core.rounding.lots import CashRule, Choice

SLACK = Decimal("0.00001")
UNIT = 10**8
NET_LIQ = 10**7 * UNIT
FEW_STEPS, MANY_STEPS = 30_000, 1
"""The smallest lot in units."""

Reference = Callable[[Sequence[Choice], CashRule], int]


def least_error(choices: Sequence[Choice], cash: CashRule) -> int:
    """The error of the best plan there is: every spending with the least own error for it."""
    sells_only = _own_errors([one for one in choices if one.sign < 0])
    unbought = sum(one.want for one in choices if one.sign > 0)
    plans = [
        own + unbought + abs(cash.cash - spent - cash.target) for spent, own in sells_only.items()
    ]
    plans += [
        own + abs(cash.cash - spent - cash.target)
        for spent, own in _own_errors(choices).items()
        if cash.cash - spent >= cash.floor
    ]
    return min(plans)


def _own_errors(choices: Sequence[Choice]) -> dict[int, int]:
    errors = {0: 0}
    for one in choices:
        grown: dict[int, int] = {}
        counts = list(range(one.low, one.high + 1)) + ([] if one.must_trade else [0])
        for count in counts:
            more, own = one.sign * one.lot * count, abs(count * one.lot - one.want)
            for spent, before in errors.items():
                known = grown.get(spent + more)
                if known is None or before + own < known:
                    grown[spent + more] = before + own
        errors = grown
    return errors


def least_error_of_any_amounts(choices: Sequence[Choice], cash: CashRule) -> int:
    """The error of the best plan there would be if amounts had no steps."""
    switches = [(True,) if one.must_trade else (False, True) for one in choices]
    plans = []
    for switch in product(*switches):
        placed = [one for one, on in zip(choices, switch, strict=True) if on]
        left_out = sum(one.want for one, on in zip(choices, switch, strict=True) if not on)
        plans += [left_out + error for error in _errors_of_set(placed, cash)]
    return min(plans)


def _errors_of_set(placed: Sequence[Choice], cash: CashRule) -> Iterator[int]:
    """The error at every amount of cash where the set's error can turn; only those allowed."""
    lows, nearest, highs = [], [], []
    for one in placed:
        low, high = one.low * one.lot, one.high * one.lot
        ends = sorted((one.sign * low, one.sign * high))
        lows.append(ends[0])
        highs.append(ends[1])
        nearest.append(one.sign * min(max(one.want, low), high))
    own = sum(abs(abs(at) - one.want) for at, one in zip(nearest, placed, strict=True))
    floor = cash.floor if any(one.sign > 0 for one in placed) else cash.cash - sum(highs)
    for wanted in (sum(nearest), cash.cash - cash.target, cash.cash - floor):
        spent = min(max(wanted, sum(lows)), sum(highs))
        if cash.cash - spent >= floor:
            yield own + abs(spent - sum(nearest)) + abs(cash.cash - spent - cash.target)


def error_of(choices: Sequence[Choice], units: Sequence[int], cash: CashRule) -> int:
    """The error of a plan, which is checked to be an allowed one."""
    pairs = list(zip(choices, units, strict=True))
    assert all(one.low <= count <= one.high for one, count in pairs if count)
    assert all(count for one, count in pairs if one.must_trade)
    left = cash.cash - sum(one.sign * one.lot * count for one, count in pairs)
    if any(count and one.sign > 0 for one, count in pairs):
        assert left >= cash.floor
    return sum(abs(count * one.lot - one.want) for one, count in pairs) + abs(left - cash.target)


def drawn(seed: int, *, smallest_lot: int, minimum: int) -> tuple[list[Choice], CashRule]:
    """Up to eight trades in rank order, each of 0.5 to 6% of net liq, and the cash to go with."""
    random = Random(seed)  # noqa: S311 - test data, not secrets
    number = random.randint(2, 8)
    wants = sorted((random.randint(50_000, 600_000) for _ in range(number)), reverse=True)
    made = [
        _drawn_choice(random, f"S{rank}", want, random.randint(1, 10) * smallest_lot, minimum)
        for rank, want in enumerate(wants)
    ]
    choices = [one for one in made if one.low <= one.high]
    total = sum(one.sign * one.want for one in choices)
    target = random.choice((0, 0, 100_000, -500_000)) * UNIT
    floor = target - random.choice((0, 0, 0, 300_000, -200_000)) * UNIT
    missing = random.choice((0, 0, random.randint(-900_000, 400_000), -1_500_000)) * UNIT
    cash = target + total + missing
    return choices, CashRule(net_liq=NET_LIQ, cash=cash, target=target, floor=floor)


def _drawn_choice(random: Random, symbol: str, want: int, lot: int, minimum: int) -> Choice:
    sign = random.choice((1, 1, -1))
    low, high = max(1, -(-minimum // lot)), (2 * want - 1) // lot
    if sign < 0:
        high = min(high, random.randint(want // lot, 3 * want // lot))
    must_trade = sign < 0 and high > 0 and random.random() < 0.2
    return Choice(
        symbol=symbol,
        sign=sign,
        lot=lot * UNIT,
        want=want * UNIT,
        low=high if must_trade else low,
        high=high,
        must_trade=must_trade,
    )


STEPS = [(FEW_STEPS, least_error), (MANY_STEPS, least_error_of_any_amounts)]
MINIMUMS = (0, 150_000, 300_000, 500_000)


@pytest.mark.parametrize(("smallest_lot", "reference"), STEPS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), minimum=st.sampled_from(MINIMUMS))
def test_no_plan_is_worth_much_more_than_the_one_chosen(
    smallest_lot: int, reference: Reference, seed: int, minimum: int
) -> None:
    choices, cash = drawn(seed, smallest_lot=smallest_lot, minimum=minimum)
    error, best = error_of(choices, best_units(choices, cash), cash), reference(choices, cash)
    assert error <= Decimal("1.05") * best + SLACK * cash.net_liq


@pytest.mark.parametrize("minimum", MINIMUMS)
@pytest.mark.parametrize(("smallest_lot", "reference"), STEPS)
def test_one_more_order_is_placed_where_it_takes_many_steps_of_others(
    smallest_lot: int, reference: Reference, minimum: int
) -> None:
    """Median, 90th percentile and maximum of error / least error over forty accounts."""
    ratios = []
    for seed in range(40):
        choices, cash = drawn(seed, smallest_lot=smallest_lot, minimum=minimum)
        error, best = error_of(choices, best_units(choices, cash), cash), reference(choices, cash)
        ratios.append((error - SLACK * cash.net_liq) / max(best, 1))
    ratios.sort()
    assert median(ratios) <= Decimal("1.001")
    assert ratios[35] <= Decimal("1.01")
    assert ratios[-1] <= Decimal("1.05")
