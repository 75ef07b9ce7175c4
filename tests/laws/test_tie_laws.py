"""What is equal on paper is equal to the program, whatever its fractions look like in decimals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.base.settings import RebalanceSettings
from src.core.drift import measure_drift, rank_by_drift, select_trades
from src.core.records.plan import Targets, Valuation
from src.core.records.portfolios import CASH, Symbol
from src.core.sizing import size_orders
from src.core.targets import build_targets, cash_floor, hold_buffer
from tests.kits.builders import account, portfolios, rebalance_settings

NAMES = tuple("ABCDEFGHIJKLM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Equals:
    """Funds of equal targets at one price, some over and some under by the same shares."""

    account: Valuation
    targets: Targets
    buffer_pct: Decimal


def equal_targets(names: tuple[Symbol, ...], *, cash_parts: int = 0) -> Targets:
    """One part of the whole each, and some parts of CASH; columns are divided by their sums."""
    column = {**dict.fromkeys(names, 1), CASH: cash_parts}
    return build_targets(portfolios({"ALL": column}), {"ALL": Decimal(1)})


@st.composite
def equals(draw: st.DrawFn) -> Equals:
    """Every fund ``off`` shares over or under; a mix of as many parts is on target as a whole."""
    names = NAMES[: draw(st.sampled_from((2, 3, 6, 7, 9, 11, 13)))]
    cash_parts = draw(st.sampled_from((0, 1, 4)))
    on_target = draw(st.integers(2, 50)) * draw(st.sampled_from((1, 7, 13)))
    off = draw(st.integers(1, on_target - 1))
    signs = [draw(st.sampled_from((1, -1))) for _ in names]
    price = Decimal(draw(st.sampled_from(("1", "7.77", "333.33"))))
    held = {name: on_target + off * sign for name, sign in zip(names, signs, strict=True)}
    net_liq = on_target * (len(names) + cash_parts) * price
    cash = net_liq - sum(held.values()) * price
    return Equals(
        account=account(held, dict.fromkeys(names, price), cash),
        targets=equal_targets(names, cash_parts=cash_parts),
        buffer_pct=Decimal(draw(st.sampled_from((0, 1)))) if cash_parts else Decimal(0),
    )


@given(equals())
def test_equal_drifts_are_ranked_by_symbol_however_their_weights_were_cut(case: Equals) -> None:
    rules = rebalance_settings(buffer_pct=case.buffer_pct)
    drift = measure_drift(case.account, hold_buffer(case.targets, case.account, rules))
    assets = [row for row in drift.rows if row.symbol != CASH]
    assert len({abs(row.drift_usd) for row in assets}) == 1
    assert len({abs(row.drift_weight) for row in assets}) == 1
    assert [row.symbol for row in rank_by_drift(reversed(assets))] == sorted(case.account.holdings)


def bought(
    names: tuple[Symbol, ...], cash: Decimal, rules: RebalanceSettings
) -> Mapping[Symbol, Decimal]:
    """What the first purchases of equal funds at $100 are, given in the named order."""
    valued = account({}, dict.fromkeys(names, 100), cash)
    drift = measure_drift(valued, hold_buffer(equal_targets(names), valued, rules))
    plan = size_orders(select_trades(drift, rules), valued, rules)
    return {one.symbol: one.qty_shares for one in plan.tickets}


@settings(max_examples=50)
@given(
    st.permutations(NAMES),
    st.sampled_from((3, 6, 7, 9, 11, 13)),
    st.integers(200, 9000),
    st.booleans(),
    st.sampled_from((0, 150, 300)),
)
def test_of_equal_funds_the_first_symbols_get_what_is_left_over(
    order: list[Symbol], count: int, cash: int, fractional: bool, minimum: int
) -> None:
    """In any order of the rows the first symbols end nearest to target, and no plan differs."""
    rules = rebalance_settings(band_bps=0, allow_fractional=fractional, min_order=minimum)
    names = tuple(sorted(order)[:count])
    mixed = tuple(name for name in order if name in names)
    made = bought(mixed, Decimal(cash), rules)
    assert made == bought(names, Decimal(cash), rules)
    target = Decimal(cash) / count
    missed = [abs(made.get(name, Decimal(0)) * 100 - target) for name in names]
    assert missed == sorted(missed)


@pytest.mark.parametrize("names", [NAMES[:3], NAMES[:7]])
def test_a_drift_of_exactly_the_minimum_order_is_traded(names: tuple[Symbol, ...]) -> None:
    """$500 each: a third, or a seventh, of what there is."""
    made = bought(names, Decimal(500 * len(names)), rebalance_settings(min_order=500))
    assert made == dict.fromkeys(names, 5)


@pytest.mark.parametrize("count", [3, 7, 11])
def test_a_fund_on_target_has_no_drift_and_one_on_the_band_is_not_beyond_it(count: int) -> None:
    names = NAMES[:count]
    held = dict.fromkeys(names, 1000)
    targets = equal_targets(names)
    valued = account(held, dict.fromkeys(names, 1))
    assert not any(row.drift_weight or row.drift_usd for row in measure_drift(valued, targets).rows)
    moved = {**held, names[0]: 1000 + 5 * count, names[1]: 1000 - 5 * count}
    valued = account(moved, dict.fromkeys(names, 1))
    selection = select_trades(measure_drift(valued, targets), rebalance_settings(band_bps=50))
    assert selection.ranked == ()


@pytest.mark.parametrize("count", [6, 7, 9, 11])
def test_drifts_that_sum_to_the_total_band_are_not_beyond_it(count: int) -> None:
    """Every second fund of a full account is over by as much as the next is under: 1% in all."""
    moved = count // 2 * 2
    shares, off, names = moved * 200, 2 * count, NAMES[:count]
    held = {name: shares + off * (1 if rank % 2 else -1) for rank, name in enumerate(names[:moved])}
    valued = account({**dict.fromkeys(names, shares), **held}, dict.fromkeys(names, 1))
    drift = measure_drift(valued, equal_targets(names))
    for band, chosen in (("0.01", 0), ("0.0099999999", 1)):
        rules = RebalanceSettings(
            trigger_mode="total_drift",
            portfolio_total_band_weight=Decimal(band),
            min_order_usd=Decimal(0),
        )
        assert len(select_trades(drift, rules).ranked) == chosen


def test_a_buffer_in_dollars_is_the_floor_to_the_last_digit() -> None:
    """$100 of $300 is a third, and a third of $300 is $100 again."""
    rules = RebalanceSettings(cash_buffer_type="abs", cash_buffer_usd=Decimal(100))
    valued = account({}, {"A": 10}, 300)
    held = hold_buffer(equal_targets(("A",)), valued, rules)
    assert cash_floor(held.weights[CASH], Decimal(300), rules) == 100
