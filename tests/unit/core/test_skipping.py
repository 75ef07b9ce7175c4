"""The sentence beside a wanted trade that is not in the plan."""

from __future__ import annotations

import pytest

from src.core.records import CASH, TradePlan
from src.settings import RebalanceSettings
from tests.builders import Number, account, dec, plan, rebalance_settings, targets


def reasons(made: TradePlan) -> dict[str, str]:
    return {one.symbol: one.reason for one in made.skipped}


def test_a_share_of_twice_the_drift_would_only_turn_it_round() -> None:
    valued = account({"AAA": 9}, {"AAA": 100, "BBB": 200}, 100)
    assert reasons(plan(valued, targets({"AAA": 90, "BBB": 10}))) == {
        "BBB": "one share costs $200.00, more than twice the drift"
    }


def test_whole_shares_worth_less_than_the_minimum_stay() -> None:
    valued = account({"OLD": "4.9", "SPY": 90}, {"OLD": 100, "SPY": 100}, 510)
    assert reasons(plan(valued, targets({"SPY": 100}), rebalance_settings(min_order=450)))[
        "OLD"
    ] == ("no order of at least $450.00 in steps of $100.00 brings it closer to target")


def test_the_only_share_that_fits_is_not_bought_without_cash() -> None:
    valued = account({"AAA": 10}, {"AAA": 100, "BBB": 100}, 0)
    made = plan(valued, targets({"AAA": 90, "BBB": 10}), halted=("AAA",))
    assert reasons(made) == {
        "AAA": "trading in it is halted",
        "BBB": "no cash is left for it above the cash floor",
    }


@pytest.mark.parametrize(
    ("buffer_usd", "reason"),
    [
        ("40", "rounded to whole shares, a trade would not bring the portfolio closer to target"),
        ("40.01", "no cash is left for it above the cash floor"),
    ],
)
def test_a_buy_that_rounding_leaves_out_is_told_from_one_without_cash(
    buffer_usd: Number, reason: str
) -> None:
    """Both want 60 of a share of 100: one share leaves 120 wrong, two 160, none 240."""
    rules = RebalanceSettings(
        cash_buffer_type="abs", cash_buffer_usd=dec(buffer_usd), min_order_usd=dec(0)
    )
    valued = account({}, {"AAA": 100, "BBB": 100}, 240)
    made = plan(valued, targets({"AAA": 25, "BBB": 25, CASH: 50}), rules)
    assert [one.symbol for one in made.tickets] == ["AAA"]
    assert reasons(made) == {"BBB": reason}


def test_a_sell_is_never_left_out_for_want_of_cash() -> None:
    """Each is 60 over, and cash 120 short of the buffer: one share sold leaves 120 wrong."""
    valued = account({"AAA": 10, "BBB": 10}, {"AAA": 100, "BBB": 100}, 0)
    made = plan(valued, targets({"AAA": 50, "BBB": 50}), rebalance_settings(buffer_pct=6))
    assert [one.symbol for one in made.tickets] == ["AAA"]
    assert reasons(made) == {
        "BBB": "rounded to whole shares, a trade would not bring the portfolio closer to target"
    }
