"""The sentence beside a wanted trade that is not in the plan."""

from __future__ import annotations

import pytest

from src.base.settings import RebalanceSettings
from src.core.records.plan import TradePlan
from src.core.records.portfolios import CASH
from tests.kits.builders import Number, account, dec, plan, rebalance_settings, targets


def reasons(made: TradePlan) -> dict[str, str]:
    return {one.symbol: one.reason for one in made.skipped}


def codes(made: TradePlan) -> dict[str, str]:
    return {one.symbol: one.code.value for one in made.skipped}


def test_a_share_of_twice_the_drift_would_only_turn_it_round() -> None:
    valued = account({"AAA": 9}, {"AAA": 100, "BBB": 200}, 100)
    assert reasons(plan(valued, targets({"AAA": 90, "BBB": 10}))) == {
        "BBB": "one share costs $200.00, at least twice the drift of $100.00"
    }


def test_a_share_too_dear_to_sell_is_not_called_a_fraction() -> None:
    """Two shares are held, 60 too much; selling one of them would leave 140 too little."""
    valued = account({"AAA": 2, "BBB": 6}, {"AAA": 200, "BBB": 100}, 0)
    assert reasons(plan(valued, targets({"AAA": 34, "BBB": 66})))["AAA"] == (
        "one share costs $200.00, at least twice the drift of $60.00"
    )


def test_less_than_a_share_is_a_fraction() -> None:
    made = plan(account({"OLD": "0.5"}, {"OLD": 200}, 900), targets({CASH: 100}))
    assert reasons(made) == {"OLD": "less than one share is held, which cannot be sold"}


def test_whole_shares_worth_less_than_the_minimum_stay() -> None:
    valued = account({"OLD": "4.9", "SPY": 90}, {"OLD": 100, "SPY": 100}, 510)
    made = plan(valued, targets({"SPY": 100}), rebalance_settings(min_order=450))
    assert codes(made)["OLD"] == "minimum"
    assert reasons(made)["OLD"] == (
        "the 4 shares of it that can be sold are worth $400.00, below the minimum order of $450.00"
    )


def test_steps_that_pass_the_target_before_they_reach_the_minimum() -> None:
    """BBB is 260 short: one share is below the minimum of 500, two are past the double."""
    valued = account({}, {"BBB": 280, "AAA": 10}, 5000)
    made = plan(valued, targets({"BBB": "5.2", "AAA": "94.8"}), rebalance_settings(min_order=500))
    assert codes(made) == {"BBB": "minimum"}


def test_the_only_share_that_fits_is_not_bought_without_cash() -> None:
    valued = account({"AAA": 10}, {"AAA": 100, "BBB": 100}, 0)
    made = plan(valued, targets({"AAA": 90, "BBB": 10}), halted=("AAA",))
    assert codes(made) == {"AAA": "halted", "BBB": "cash"}
    assert reasons(made)["BBB"] == (
        "no cash is left for it: the least useful order costs $100.00, $0.00 is free above the "
        "floor"
    )


def test_a_fraction_that_fits_is_not_called_unaffordable() -> None:
    """BBB takes part for the idle 200, but its least order, 0.1 shares for 500, is no gain.

    There is cash for it: a whole share, which there is none for, is not what an order costs.
    """
    rules = rebalance_settings(allow_fractional=True, min_order=500, band_bps=100)
    valued = account({"AAA": "70.6", "BBB": "0.148"}, {"AAA": 100, "BBB": 5000}, 2200)
    made = plan(valued, targets({"AAA": 70, "BBB": 10, CASH: 20}), rules)
    assert made.tickets == ()
    assert codes(made) == {"BBB": "no_gain"}


@pytest.mark.parametrize(
    ("buffer_usd", "code"),
    [("40", "no_gain"), ("40.01", "cash")],
)
def test_a_buy_that_rounding_leaves_out_is_told_from_one_without_cash(
    buffer_usd: Number, code: str
) -> None:
    """Both want 60 of a share of 100: one share leaves 120 wrong, two 160, none 240."""
    rules = RebalanceSettings(
        cash_buffer_type="abs", cash_buffer_usd=dec(buffer_usd), min_order_usd=dec(0)
    )
    valued = account({}, {"AAA": 100, "BBB": 100}, 240)
    made = plan(valued, targets({"AAA": 25, "BBB": 25, CASH: 50}), rules)
    assert [one.symbol for one in made.tickets] == ["AAA"]
    assert codes(made) == {"BBB": code}


def test_a_sell_is_never_left_out_for_want_of_cash() -> None:
    """Each is 60 over, and cash 120 short of the buffer: one share sold leaves 120 wrong."""
    valued = account({"AAA": 10, "BBB": 10}, {"AAA": 100, "BBB": 100}, 0)
    made = plan(valued, targets({"AAA": 50, "BBB": 50}), rebalance_settings(buffer_pct=6))
    assert [one.symbol for one in made.tickets] == ["AAA"]
    assert reasons(made) == {
        "BBB": "no order of it would bring the portfolio as a whole closer to target"
    }


# --- notes on the whole plan -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "halted", "note"),
    [
        ({"AAA": 2, "BBB": 3}, (), ": everything is sold"),
        ({"AAA": "2.5", "BBB": 3}, (), ": everything is sold but 0.5 AAA"),
        ({"AAA": 2, "BBB": 3}, ("BBB",), ": everything is sold but 3 BBB"),
        ({"AAA": "0.5"}, (), ", but nothing is sold: 0.5 AAA stays"),
    ],
)
def test_all_cash_says_what_is_not_sold(
    held: dict[str, Number], halted: tuple[str, ...], note: str
) -> None:
    made = plan(account(held, {"AAA": 100, "BBB": 100}, 50), targets({CASH: 100}), halted=halted)
    assert made.notes[0] == f"the target is 100% CASH{note}"


def test_all_cash_where_nothing_is_held_needs_no_note() -> None:
    assert plan(account({}, {}, 1000), targets({CASH: 100})).notes == ()


def test_spending_all_cash_is_not_worth_a_note() -> None:
    made = plan(account({}, {"AAA": 100}, 10_000), targets({"AAA": 100}))
    assert made.after.cash_usd == made.cash_floor_usd == 0
    assert made.notes == ()


def test_sells_alone_below_the_floor_do_not_say_that_buys_are_missing() -> None:
    valued = account({"AAA": 190}, {"AAA": 100}, -9000)
    made = plan(valued, targets({"AAA": 150}), rebalance_settings(max_leverage="1.2"))
    assert made.after.cash_usd < made.cash_floor_usd
    assert made.notes == ("after the trades $5,000.00 is borrowed on margin",)


def test_a_buy_that_is_too_dear_is_not_blamed_on_the_floor() -> None:
    made = plan(account({}, {"BRK": 5000}, 1000), targets({"BRK": 100}))
    assert made.notes == ()


def test_only_fractional_orders_are_warned_of() -> None:
    warning = "many accounts refuse fractional orders through the API (error 10243)"
    fractional = rebalance_settings(allow_fractional=True)
    whole = plan(account({}, {"AAA": 100}, 1000), targets({"AAA": 50}), fractional)
    assert whole.notes == ()
    half = plan(account({}, {"AAA": 100}, 1000), targets({"AAA": 55}), fractional)
    assert half.notes == (warning,)


def test_what_is_too_small_to_close_is_named_with_the_step() -> None:
    valued = account({"OLD": "2.00005"}, {"OLD": 100}, 1000)
    made = plan(valued, targets({CASH: 100}), rebalance_settings(allow_fractional=True))
    assert "0.00005 of OLD stays: orders are in 0.0001 shares" in made.notes


def test_a_fraction_that_is_on_target_or_a_share_that_is_halted_is_no_leftover() -> None:
    on_target = account({"AAA": "3.5"}, {"AAA": 100}, 650)
    assert plan(on_target, targets({"AAA": 5})).notes == ()
    halted = account({"OLD": 1, "AAA": 9}, {"OLD": 100, "AAA": 100}, 0)
    assert plan(halted, targets({"AAA": 90}), halted=("OLD",)).notes == ()
