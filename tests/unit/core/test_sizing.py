"""Plans worked out by hand."""

from __future__ import annotations

from decimal import Decimal

from src.base.settings import RebalanceSettings
from src.core.records.orders import Side
from src.core.records.plan import TradePlan
from src.core.records.portfolios import CASH
from tests.kits.builders import account, dec, plan, rebalance_settings, targets


def trades(made: TradePlan) -> dict[str, Decimal]:
    return {
        one.symbol: one.qty_shares if one.side is Side.BUY else -one.qty_shares
        for one in made.tickets
    }


def reasons(made: TradePlan) -> dict[str, str]:
    return {one.symbol: one.code.value for one in made.skipped}


def after_pct(made: TradePlan, symbol: str) -> Decimal:
    row = next(row for row in made.drift_after.rows if row.symbol == symbol)
    return row.current_weight * 100


def test_overweight_pays_for_underweight() -> None:
    """With 1% kept in cash SPY and IAU should be 4 950 each: sell 1 050 of SPY, buy 1 950 of IAU.

    The errors of the candidates are own + own + cash: 11 and 49 shares 50 + 10 + 40, 10 and 47
    shares 50 + 70 + 20; 10 and 48 would break the floor.
    """
    valued = account({"SPY": 60, "IAU": 75}, {"SPY": 100, "IAU": 40}, 1000)
    made = plan(valued, targets({"SPY": 50, "IAU": 50}), rebalance_settings(buffer_pct=1))
    assert trades(made) == {"SPY": -11, "IAU": 49}
    assert made.cash_floor_usd == 100
    assert made.after.cash_usd == 1000 + 1100 - 49 * 40
    assert made.after.net_liq_usd == made.before.net_liq_usd == 10_000
    assert after_pct(made, "SPY") == 49


def test_the_worked_plan_of_the_srs() -> None:
    """Rounded down, 5 and 3 would leave an error of 20% instead of 6%."""
    valued = account({}, {"AAA": 1000, "BBB": 1300}, 10_000)
    made = plan(valued, targets({"AAA": 57, "BBB": 42, CASH: 1}), rebalance_settings(buffer_pct=1))
    assert trades(made) == {"AAA": 6, "BBB": 3}
    assert made.cash_floor_usd == made.after.cash_usd == 100
    assert sum(abs(row.drift_usd) for row in made.drift_after.rows) == 600


def test_tickets_are_sells_then_buys_each_by_rank() -> None:
    prices = dict.fromkeys(("AAA", "BBB", "CCC", "DDD"), 10)
    valued = account({"AAA": 300, "BBB": 400}, prices, 3000)
    made = plan(valued, targets({"AAA": 10, "BBB": 10, "CCC": 30, "DDD": 50}))
    assert [(one.side.value, one.symbol) for one in made.tickets] == [
        ("SELL", "BBB"),
        ("SELL", "AAA"),
        ("BUY", "DDD"),
        ("BUY", "CCC"),
    ]


def test_an_exact_57_percent_is_57_shares() -> None:
    """With binary floats 57% of 10 000 at 100 would round down to 56."""
    made = plan(account({}, {"SPY": 100}, 10_000), targets({"SPY": 57}))
    assert trades(made) == {"SPY": 57}


def test_when_money_is_short_the_larger_drift_is_served_first() -> None:
    """KEEP is 1% over and within the band, so 100 of the 1 000 wanted is missing."""
    valued = account({"KEEP": 91}, {"KEEP": 100, "BIG": 10, "MINI": 10}, 900)
    wanted = targets({"KEEP": 90, "BIG": 6, "MINI": 4})
    made = plan(valued, wanted, rebalance_settings(band_bps=150))
    assert trades(made) == {"BIG": 60, "MINI": 30}


def test_the_leverage_cap_stops_buys() -> None:
    """Target 150% invested, but exposure may be 1.2 times net liq: 2 000 of 5 000 are bought."""
    valued = account({"SPY": 100}, {"SPY": 100}, 0)
    made = plan(valued, targets({"SPY": 150}), rebalance_settings(max_leverage="1.2"))
    assert trades(made) == {"SPY": 20}
    assert made.after.leverage == Decimal("1.2")
    assert made.cash_floor_usd == -2000


def test_above_the_leverage_cap_only_sells_are_planned() -> None:
    """Exposure 1.9 × net liq. What is sold does not bring it under the cap of 1.5."""
    valued = account({"AAA": 190}, {"AAA": 100, "BBB": 100}, -9000)
    made = plan(valued, targets({"AAA": 150, "BBB": 30}), rebalance_settings(max_leverage="1.5"))
    assert trades(made) == {"AAA": -40}
    assert reasons(made) == {"BBB": "cash"}
    borrowed, no_buys = made.notes
    assert borrowed == "after the trades $5,000.00 is borrowed on margin"
    assert no_buys == (
        "no buys: cash after the sells, -$5,000.00, is not above the floor of -$5,000.00 that the "
        "cash buffer and max_leverage set"
    )


def test_a_target_of_zero_closes_the_position_but_for_a_fraction() -> None:
    valued = account({"OLD": "12.5", "SPY": 80}, {"OLD": 100, "SPY": 100}, 750)
    made = plan(valued, targets({"SPY": 100}))
    assert trades(made)["OLD"] == -12
    assert made.after.holdings["OLD"].qty_shares == Decimal("0.5")
    assert made.notes == ("0.5 of OLD stays: orders are in whole shares",)


def test_fractions_close_the_position_completely() -> None:
    valued = account({"OLD": "12.5"}, {"OLD": 100, "SPY": 300}, 750)
    made = plan(valued, targets({"SPY": 100}), rebalance_settings(allow_fractional=True))
    assert trades(made) == {"OLD": Decimal("-12.5"), "SPY": Decimal("6.6666")}
    assert "10243" in made.notes[0]


def test_less_than_one_share_cannot_be_sold() -> None:
    valued = account({"OLD": "0.5", "SPY": 9}, {"OLD": 200, "SPY": 100}, 0)
    made = plan(valued, targets({"SPY": 100}))
    assert trades(made) == {}
    assert reasons(made)["OLD"] == "fraction"


def test_one_share_dearer_than_the_account_gives_no_trade() -> None:
    made = plan(account({}, {"BRK": 5000}, 1000), targets({"BRK": 100}))
    assert made.tickets == ()
    assert reasons(made) == {"BRK": "share_price"}


def test_a_share_for_the_last_dollar_is_bought() -> None:
    made = plan(account({}, {"BRK": 1000}, 1000), targets({"BRK": 100}))
    assert trades(made) == {"BRK": 1}


def test_a_fraction_of_a_share_dearer_than_the_account_is_bought() -> None:
    rules = rebalance_settings(allow_fractional=True)
    made = plan(account({}, {"BRK": 5000}, 1000), targets({"BRK": 100}), rules)
    assert trades(made) == {"BRK": dec("0.2")}


def test_what_rounding_pushes_out_of_the_band_joins_in() -> None:
    """AAA is 3% over, within the band, but the buys alone would leave cash 4% short: it pays.

    Sized together, BBB gets the 20 shares it wants; after the others only 18 could be paid for.
    """
    prices = {"AAA": 300, "BBB": 50, "CCC": 700}
    valued = account({"AAA": 9, "BBB": 2, "CCC": 7}, prices, 2300)
    wanted = targets({"AAA": 24, "BBB": 11, "CCC": 61})
    made = plan(valued, wanted, rebalance_settings(band_bps=300))
    assert trades(made) == {"AAA": -1, "CCC": 2, "BBB": 20}


def test_an_account_of_cash_alone_stays_as_it_is() -> None:
    made = plan(account({}, {}, 1000), targets({CASH: 100}))
    assert made.tickets == ()
    assert made.after == made.before


def test_trades_below_the_minimum_are_named() -> None:
    valued = account({"AAA": 52}, {"AAA": 100, "BBB": 100}, 4800)
    made = plan(valued, targets({"AAA": 50, "BBB": 50}), rebalance_settings(min_order=500))
    assert trades(made) == {"BBB": 48}
    assert reasons(made) == {"AAA": "minimum"}


def test_halted_symbols_get_no_ticket() -> None:
    valued = account({}, {"AAA": 100, "BBB": 100}, 10_000)
    made = plan(valued, targets({"AAA": 50, "BBB": 50}), halted=("AAA",))
    assert trades(made) == {"BBB": 50}
    assert reasons(made) == {"AAA": "halted"}


def test_all_cash_sells_everything_and_says_so() -> None:
    valued = account({"AAA": 5, "BBB": 7}, {"AAA": 100, "BBB": 50}, 0)
    made = plan(valued, targets({CASH: 100}))
    assert trades(made) == {"AAA": -5, "BBB": -7}
    assert made.notes == ("the target is 100% CASH: everything is sold",)


def test_a_deposit_is_invested_down_to_the_buffer() -> None:
    """Net liq 11 000 with 1% kept: AAA and BBB are to reach 5 445 each."""
    valued = account({"AAA": 50, "BBB": 100}, {"AAA": 100, "BBB": 50}, 1000)
    made = plan(valued, targets({"AAA": 50, "BBB": 50}), rebalance_settings(buffer_pct=1))
    assert trades(made) == {"AAA": 4, "BBB": 9}
    assert made.after.cash_usd == 150


def test_an_account_on_target_is_left_alone() -> None:
    valued = account({"AAA": 50, "BBB": 50}, {"AAA": 100, "BBB": 100}, 0)
    made = plan(valued, targets({"AAA": 50, "BBB": 50}))
    assert made.tickets == ()
    assert made.skipped == ()
    assert made.after == made.before


def test_the_hash_binds_account_prices_tickets_and_floor() -> None:
    valued = account({}, {"AAA": 100}, 10_000)
    made = plan(valued, targets({"AAA": 50}))
    assert made.plan_hash == plan(valued, targets({"AAA": 50})).plan_hash
    assert len(made.plan_hash) == 64
    others = (
        plan(account({}, {"AAA": "100.01"}, 10_000), targets({"AAA": 50})),
        plan(account({}, {"AAA": 100}, "10000.01"), targets({"AAA": 50})),
        plan(valued, targets({"AAA": 51})),
        plan(valued, targets({"AAA": 50}), rebalance_settings(buffer_pct=1)),
    )
    assert made.plan_hash not in {other.plan_hash for other in others}


def test_trailing_zeros_do_not_change_the_hash() -> None:
    plain = plan(account({"AAA": 1}, {"AAA": 100}, 500), targets({"AAA": 50}))
    zeros = plan(account({"AAA": "1.000"}, {"AAA": "100.00"}, "5E+2"), targets({"AAA": 50}))
    assert plain.plan_hash == zeros.plan_hash


def test_an_absolute_buffer_is_kept() -> None:
    rules = RebalanceSettings(
        cash_buffer_type="abs", cash_buffer_usd=dec("1234.56"), min_order_usd=dec(0)
    )
    made = plan(account({}, {"AAA": "0.01"}, 10_000), targets({"AAA": 100}), rules)
    assert made.after.cash_usd == dec("1234.56")


def test_what_a_second_plan_would_add_is_in_the_first() -> None:
    """Selling one AAA leaves AAA, BBB and cash 29.32 wrong; so does buying one BBB as well.

    Below the floor the tie goes to the plan without buys; once above it, to the larger drift.
    """
    valued = account({"AAA": 2, "BBB": 1}, {"AAA": 30, "BBB": 10}, -11)
    rules = rebalance_settings(min_order=4, max_leverage=1)
    wanted = targets({"AAA": 26, "BBB": 34})
    made = plan(valued, wanted, rules)
    assert trades(made) == {"AAA": -1, "BBB": 1}
    assert made.after.cash_usd == 9
    assert plan(made.after, wanted, rules).tickets == ()


def test_a_trade_of_exactly_the_minimum_may_join_from_the_second_plan() -> None:
    valued = account({"AAA": 5, "BBB": 3}, {"AAA": 2, "BBB": 20}, -31)
    rules = rebalance_settings(band_bps=0, min_order=4, max_leverage=3)
    made = plan(valued, targets({"AAA": 38, "BBB": 38}), rules)
    assert trades(made) == {"BBB": -2, "AAA": 2}
