"""Drift in whole units: nothing may be lost where dollars become integers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.base.settings import RebalanceSettings
from src.core.records.plan import DriftRow
from src.core.rounding.lots import CashFrame, Choice, Lots
from tests.kits.builders import Number, account, dec, rebalance_settings

SCALE = 10**12


def row(drift_usd: Number, target_pct: Number = 20) -> DriftRow:
    """A drift of AAA; bought below zero, sold above."""
    drift = dec(drift_usd)
    return DriftRow(
        symbol="AAA",
        target_weight=dec(target_pct) / 100,
        current_weight=dec(target_pct) / 100 + drift / 10_000,
        drift_weight=drift / 10_000,
        drift_usd=drift,
    )


def choice(
    wanted: DriftRow,
    rules: RebalanceSettings | None = None,
    *,
    price: Number = 100,
    held: Number = 0,
) -> Choice:
    return Lots(
        account({"AAA": held}, {"AAA": price}, 10_000), rules or rebalance_settings()
    ).choice(wanted)


def test_a_buy_may_take_any_count_that_lowers_its_drift() -> None:
    assert choice(row(-250)) == Choice(
        symbol="AAA",
        sign=1,
        lot=100 * SCALE,
        want=250 * SCALE,
        low=1,
        high=4,
        must_trade=False,
    )


def test_a_sell_stays_within_the_holding() -> None:
    sell = choice(row(250), held="3.7")
    assert (sell.sign, sell.low, sell.high, sell.must_trade) == (-1, 1, 3, False)


@pytest.mark.parametrize("held", ["1", "3", "3.7"])
def test_a_sell_with_target_zero_takes_every_whole_share(held: Number) -> None:
    closing = choice(row(dec(held) * 100, target_pct=0), held=held)
    assert (closing.low, closing.high, closing.must_trade) == (int(dec(held)), int(dec(held)), True)


def test_less_than_one_share_need_not_be_sold() -> None:
    left = choice(row(70, target_pct=0), held="0.7")
    assert (left.low, left.high, left.must_trade) == (1, 0, False)


@pytest.mark.parametrize(
    ("minimum", "low"), [("0", 1), ("100", 1), ("100.01", 2), ("200", 2), ("250", 3)]
)
def test_the_least_count_is_worth_the_minimum_order(minimum: Number, low: int) -> None:
    assert choice(row(-500), rebalance_settings(min_order=minimum)).low == low


@pytest.mark.parametrize(
    ("price", "drift_usd", "fractional"),
    [
        ("100", "-50", False),
        ("100", "-50.00001", False),
        ("100", "-49.99999", False),
        ("0.01", "-1234.56", False),
        ("99.87", "-1000", True),
        ("0.00000001", "-0.000000000005", True),
    ],
)
def test_one_unit_more_would_not_lower_the_drift(
    price: Number, drift_usd: Number, fractional: bool
) -> None:
    made = choice(row(drift_usd), rebalance_settings(allow_fractional=fractional), price=price)
    unit = dec(price) * (dec("0.0001") if fractional else 1)
    drift = -dec(drift_usd)
    assert abs(made.high * unit - drift) < drift or not made.high
    assert (made.high + 1) * unit - drift >= drift


@pytest.mark.parametrize(
    ("price", "cash", "minimum"),
    [
        ("12.3456789012", "1", "0"),
        ("0.1", "0.12345678901234567", "0"),
        ("0.1", "1", "0.12345678901234567"),
        ("7E+1", "1E+3", "5E+2"),
    ],
)
def test_prices_cash_and_minimum_lose_no_digit(
    price: Number, cash: Number, minimum: Number
) -> None:
    rules = rebalance_settings(min_order=minimum, allow_fractional=True)
    valued = account({}, {"AAA": price}, cash)
    lots = Lots(valued, rules)
    frame = CashFrame(
        net_liq_usd=Decimal(1), cash_usd=dec(cash), target_usd=dec(minimum), floor_usd=dec(0)
    )
    scaled = lots.cash_rule(frame)
    assert lots.choice(row(-500)).lot == dec(price) * dec("0.0001") * scaled.net_liq
    assert scaled.cash == dec(cash) * scaled.net_liq
    assert scaled.target == dec(minimum) * scaled.net_liq


def test_a_floor_finer_than_the_scale_is_rounded_up() -> None:
    lots = Lots(account({}, {"AAA": 100}, 1), rebalance_settings())
    frame = CashFrame(
        net_liq_usd=dec(1), cash_usd=dec(0), target_usd=dec(0), floor_usd=dec("100.0000000000001")
    )
    assert lots.cash_rule(frame).floor == 100 * SCALE + 1
    assert lots.cash_rule(replace(frame, floor_usd=dec(100))).floor == 100 * SCALE
