from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.core.drift import Selection, measure_drift, prioritize_by_drift, select_trades
from src.core.records import CASH, DriftRow, DriftTable
from src.errors import PlanError
from src.settings import RebalanceSettings
from tests.builders import account, dec, rebalance_settings, targets


def table(**drift_pct: str) -> DriftTable:
    """Rows of an account of 10 000 USD; CASH takes what the others leave."""
    drifts = {symbol: dec(pct) / 100 for symbol, pct in drift_pct.items()}
    drifts[CASH] = -sum(drifts.values(), Decimal(0))
    rows = (
        DriftRow(
            symbol=symbol,
            target_weight=Decimal("0.2"),
            current_weight=Decimal("0.2") + drift,
            drift_weight=drift,
            drift_usd=drift * 10_000,
        )
        for symbol, drift in sorted(drifts.items())
    )
    return DriftTable(rows=tuple(rows))


def names(selection: Selection) -> list[str]:
    return [row.symbol for row in selection.ranked]


def test_drift_is_current_minus_target_for_every_held_or_targeted_symbol() -> None:
    valued = account({"SPY": 6, "XYZ": 1}, {"SPY": 100, "XYZ": 100, "IAU": 50, "GLD": 10}, 300)
    rows = {r.symbol: r for r in measure_drift(valued, targets({"SPY": 40, "IAU": 50})).rows}
    assert {s: r.drift_usd for s, r in rows.items()} == {
        CASH: 200,
        "IAU": -500,
        "SPY": 200,
        "XYZ": 100,
    }
    assert rows["SPY"].drift_weight == Decimal("0.2")
    assert list(rows) == sorted(rows)


def test_a_negative_asset_target_is_refused() -> None:
    with pytest.raises(PlanError, match="SPY is negative"):
        measure_drift(account({}, {"SPY": 1}, 10), targets({"SPY": -5}))


@pytest.mark.parametrize("net_liq", ["0", "-0.01"])
def test_without_net_liq_there_is_no_drift(net_liq: str) -> None:
    poor = replace(account({}, {"SPY": 1}, 10), net_liq_usd=dec(net_liq))
    with pytest.raises(PlanError, match=f"^net liq is {float(net_liq):.2f} USD, need more than 0$"):
        measure_drift(poor, targets({"SPY": 50}))


def test_the_band_itself_is_not_beyond_the_band() -> None:
    drift = table(AAA="0.51", BBB="0.5", CCC="-0.6")
    assert names(select_trades(drift, rebalance_settings(band_bps=50))) == ["CCC", "AAA"]


def test_equal_drifts_are_ranked_by_symbol() -> None:
    drift = table(DDD="-1", BBB="1", CCC="1", AAA="-1")
    chosen = select_trades(drift, rebalance_settings())
    assert names(chosen) == ["AAA", "BBB", "CCC", "DDD"]


def test_a_deposit_spread_thinly_is_invested() -> None:
    """Five holdings 0.4% underweight each: none beyond the band, but CASH is 2% too high.

    It takes four of them to bring CASH within the band of 0.5%.
    """
    drift = table(AAA="-0.4", BBB="-0.4", CCC="-0.4", DDD="-0.4", EEE="-0.4")
    assert names(select_trades(drift, rebalance_settings())) == ["AAA", "BBB", "CCC", "DDD"]


def test_a_deposit_is_not_met_by_selling_whatever_drifts_most() -> None:
    drift = table(AAA="0.45", BBB="-0.4", CCC="-0.4", DDD="-0.4")
    assert names(select_trades(drift, rebalance_settings())) == ["BBB"]


def test_a_withdrawal_is_raised_from_the_most_overweight() -> None:
    drift = table(AAA="0.2", BBB="0.4", CCC="0.3", DDD="-0.1")
    assert names(select_trades(drift, rebalance_settings())) == ["BBB"]


def test_cash_is_judged_as_it_will_be_after_the_selected_trades() -> None:
    """CASH is 2% low now, but selling AAA to target repays it: nothing else needs to go."""
    drift = table(AAA="2.3", BBB="-0.3")
    assert names(select_trades(drift, rebalance_settings())) == ["AAA"]


def test_total_drift_takes_the_largest_until_the_rest_is_within_the_band() -> None:
    rules = RebalanceSettings(
        trigger_mode="total_drift",
        portfolio_total_band_weight=Decimal("0.01"),
        min_order_usd=Decimal(0),
    )
    assert names(select_trades(table(AAA="0.9", BBB="-0.6", CCC="0.4"), rules)) == ["AAA"]
    assert names(select_trades(table(AAA="0.6", BBB="-0.4"), rules)) == []
    many = table(AAA="2", BBB="-0.9", CCC="-0.8", DDD="0.7")
    assert names(select_trades(many, rules)) == ["AAA", "BBB", "CCC"]


def test_small_trades_are_dropped_with_a_reason() -> None:
    chosen = select_trades(table(AAA="5", BBB="-4.99"), rebalance_settings(min_order=500))
    assert names(chosen) == ["AAA"]
    assert [(one.symbol, one.reason) for one in chosen.skipped] == [
        ("BBB", "drift of $499.00 is below the minimum order of $500.00")
    ]


def test_prioritize_ranks_by_drift_and_ignores_what_is_on_target() -> None:
    kept, skipped = prioritize_by_drift(table(AAA="0", BBB="-1", CCC="2").rows[:4], Decimal(0))
    assert [row.symbol for row in kept] == ["CCC", "BBB", CASH]
    assert skipped == ()
