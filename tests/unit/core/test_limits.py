"""The sentence about what stays outside its limit, in accounts worked out by hand."""

from __future__ import annotations

from src.base.settings import RebalanceSettings
from src.core.records.orders import Side
from src.core.records.plan import TradePlan
from src.core.records.portfolios import CASH
from tests.kits.builders import account, dec, plan, rebalance_settings, targets

FIVE = [f"E{number}" for number in range(5)]
PRICES = dict.fromkeys(FIVE, 100)


def trades(made: TradePlan) -> dict[str, int]:
    signs = {Side.BUY: 1, Side.SELL: -1}
    return {one.symbol: signs[one.side] * int(one.qty_shares) for one in made.tickets}


def test_a_deposit_spread_too_thinly_stays_and_is_said() -> None:
    """Each of forty holdings is short of 49.80: an order of 500 would leave it 450.20 over."""
    names = [f"E{number:02}" for number in range(40)]
    valued = account(dict.fromkeys(names, 20), dict.fromkeys(names, 100), 2820)
    rules = rebalance_settings(min_order=500, buffer_pct=1)
    made = plan(valued, targets({**dict.fromkeys(names, "2.475"), CASH: 1}), rules)
    assert made.tickets == ()
    assert made.outside_limits == (
        "cash stays $1,991.80 above its target of $828.20: no order of at least $500.00 in whole "
        "shares brings a holding closer; try --invest"
    )


def test_a_deposit_spread_over_few_holdings_is_invested() -> None:
    """Each is short of 395.80. Three orders of 500 and 479 is left, too little for a fourth."""
    valued = account(dict.fromkeys(FIVE, 20), PRICES, 2100)
    rules = rebalance_settings(min_order=500, buffer_pct=1)
    made = plan(valued, targets({**dict.fromkeys(FIVE, "19.8"), CASH: 1}), rules)
    assert trades(made) == {"E0": 5, "E1": 5, "E2": 5}
    assert made.outside_limits == (
        "cash stays $479.00 above its target of $121.00: $479.00 is free above the floor, less "
        "than the least useful order of $500.00"
    )


def test_margin_debt_is_worked_off_by_holdings_within_their_bands() -> None:
    """Each is over by 300, 3.5% of net liq and within the band of 4%; CASH is 17.6% short."""
    valued = account(dict.fromkeys(FIVE, 20), PRICES, -1500)
    wanted = targets(dict.fromkeys(FIVE, 20))
    made = plan(valued, wanted, rebalance_settings(min_order=500, band_bps=400))
    assert trades(made) == {"E0": -5, "E1": -5, "E2": -5}
    assert made.outside_limits == ""
    high = plan(valued, wanted, rebalance_settings(min_order=700, band_bps=400))
    assert high.tickets == ()
    assert high.outside_limits == (
        "cash stays $1,500.00 below its target of $0.00: no order of at least $700.00 in whole "
        "shares brings a holding closer"
    )


def test_leverage_above_the_cap_is_worked_off_in_total_drift_too() -> None:
    """Gross 100 000 on 65 000. Σ|drift| of the holdings is 3.8%, within the band of 5%."""
    valued = account(dict.fromkeys(FIVE, 200), PRICES, -35_000)
    rules = RebalanceSettings(
        trigger_mode="total_drift",
        portfolio_total_band_weight=dec("0.05"),
        cash_buffer_weight=dec(0),
    )
    made = plan(valued, targets(dict.fromkeys(FIVE, 30)), rules)
    assert set(trades(made)) == set(FIVE)
    assert made.after.leverage <= dec("1.5")
    assert made.outside_limits == ""


def test_leverage_that_the_minimum_leaves_above_the_cap_is_said() -> None:
    valued = account(dict.fromkeys(FIVE, 200), PRICES, -35_000)
    rules = rebalance_settings(min_order=1100, band_bps=300)
    made = plan(valued, targets(dict.fromkeys(FIVE, 30)), rules)
    assert made.tickets == ()
    assert made.outside_limits == (
        "leverage stays 1.5385, $2,500.00 above the cap of 1.5000, and cash stays $2,500.00 below "
        "its target of -$32,500.00: no order of at least $1,100.00 in whole shares brings a "
        "holding closer"
    )


def test_what_stays_unbought_is_taken_over_by_others() -> None:
    """A share of BRK costs more than twice what is missing: AAA and BBB, in their bands, take it.

    With BRK counted as on target CASH would look right; as it is, it is 900 too high.
    """
    prices = {"AAA": 100, "BBB": 100, "BRK": 5000}
    wanted = targets({"AAA": 45, "BBB": 45, "BRK": 10})
    made = plan(account({"AAA": 45, "BBB": 45}, prices, 1000), wanted)
    assert made.tickets == ()
    short = plan(
        account({"AAA": 44, "BBB": 45}, prices, 1100), wanted, rebalance_settings(band_bps=200)
    )
    assert trades(short) == {"AAA": 1}
    assert short.outside_limits == (
        "cash stays $1,000.00 above its target of $0.00: no order in whole shares brings a holding "
        "closer"
    )


def test_a_buffer_that_is_short_within_the_band_is_said() -> None:
    made = plan(account({"AAA": 99}, {"AAA": 100}, 95), targets({"AAA": 100}), RebalanceSettings())
    assert made.outside_limits == (
        "cash stays $4.95 below the buffer of $99.95: that is within the band of 0.5%"
    )


def test_a_halt_is_the_reason_where_it_is() -> None:
    valued = account({"AAA": "2.5"}, {"AAA": 100})
    made = plan(valued, targets({CASH: 100}), halted=("AAA",))
    assert made.outside_limits == (
        "cash stays $250.00 below its target of $250.00: trading in AAA is halted"
    )


def test_total_drift_names_what_keeps_the_rest() -> None:
    """Each is short of 298 and dropped; the idle 3% are above the band of 1%."""
    names = FIVE[:3]
    valued = account(dict.fromkeys(names, 30), PRICES, 1000)
    rules = RebalanceSettings(trigger_mode="total_drift")
    made = plan(valued, targets(dict.fromkeys(names, dec(100) / 3)), rules)
    assert made.tickets == ()
    assert made.outside_limits == (
        "cash stays $900.00 above its target of $100.00: what drifts is within the band of 1% or "
        "below the minimum order of $500.00; try --invest"
    )


def test_within_the_limits_nothing_is_said() -> None:
    assert plan(account({"AAA": 10}, {"AAA": 100}), targets({"AAA": 100})).outside_limits == ""


def test_less_than_a_cent_is_not_worth_a_sentence() -> None:
    rules = rebalance_settings(band_bps=0, allow_fractional=True)
    made = plan(account({}, {"AAA": 3}, 1000), targets({"AAA": 100}), rules)
    assert 0 < made.after.cash_usd < dec("0.005")
    assert made.outside_limits == ""
