from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.base.errors import PlanError
from src.base.settings import RebalanceSettings
from src.core.drift import Selection, measure_drift, select_trades
from src.core.records.plan import DriftRow, DriftTable, SkipCode
from src.core.records.portfolios import CASH
from tests.kits.builders import account, dec, rebalance_settings, targets


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


def with_cash_target(drift: DriftTable, weight: str) -> DriftTable:
    return DriftTable(
        rows=tuple(
            replace(row, target_weight=dec(weight)) if row.symbol == CASH else row
            for row in drift.rows
        )
    )


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
    chosen = select_trades(table(AAA="5", BBB="-2.4"), rebalance_settings(min_order=500))
    assert names(chosen) == ["AAA"]
    assert [(one.symbol, one.code, one.reason) for one in chosen.skipped] == [
        ("BBB", SkipCode.MINIMUM, "drift of $240.00 is below the minimum order of $500.00")
    ]


def test_the_minimum_comes_before_cash_is_kept_in_its_band() -> None:
    """BBB's 4% is not worth an order of 500, but one of 500 brings it closer than none.

    With AAA at target CASH would be 4.3% too high: BBB takes part after all and is not skipped.
    """
    chosen = select_trades(table(AAA="5", BBB="-4", CCC="-0.3"), rebalance_settings(min_order=500))
    assert names(chosen) == ["AAA", "BBB"]
    assert chosen.skipped == ()


def test_nothing_joins_that_an_order_of_the_minimum_would_not_bring_closer() -> None:
    """The 2% are spread too thinly: 250 and less cannot be mended by orders of 500."""
    drift = table(AAA="-2.51", BBB="-2.5", CCC="-2.4")
    chosen = select_trades(drift, rebalance_settings(min_order=500))
    assert names(chosen) == ["AAA"]
    assert [one.symbol for one in chosen.skipped] == ["BBB", "CCC"]


def test_what_overshoots_the_band_is_answered_from_the_other_side() -> None:
    """CASH is 0.6% too high; the only order that takes it up leaves it 0.9% short."""
    rules = rebalance_settings(min_order=160)
    assert names(select_trades(table(AAA="-1.5", BBB="0.9"), rules)) == ["AAA", "BBB"]
    assert names(select_trades(table(AAA="-1.5", BBB="0.7"), rules)) == ["AAA"]


def test_leverage_above_the_cap_takes_overweights_within_their_bands() -> None:
    """CASH should be −50% and is −54%; the cap of 1.5 allows no less than −50%, in both modes."""
    drift = with_cash_target(table(AAA="1.5", BBB="1.4", CCC="1.1"), "-0.5")
    per_holding = rebalance_settings(band_bps=500, max_leverage="1.5")
    assert names(select_trades(drift, per_holding)) == ["AAA", "BBB", "CCC"]
    total = per_holding._replace(
        trigger_mode="total_drift", portfolio_total_band_weight=Decimal("0.05")
    )
    assert names(select_trades(drift, total)) == ["AAA", "BBB", "CCC"]
    loose = total._replace(max_leverage=Decimal("1.53"))
    assert names(select_trades(drift, loose)) == ["AAA"]


def test_leverage_at_the_cap_but_for_rounding_is_not_above_it() -> None:
    """Thirds are rounded at the 34th digit: their sum stands a hair beyond the cap it touches."""
    third = Decimal(1) / 3
    drift = with_cash_target(table(AAA="1", BBB="-1"), str(-third))
    rules = rebalance_settings(band_bps=100, max_leverage=str(1 + third - Decimal("1e-28")))
    assert names(select_trades(drift, rules)) == []


def test_total_drift_has_no_band_for_cash() -> None:
    rules = RebalanceSettings(trigger_mode="total_drift")
    drift = table(AAA="-3", BBB="-3", CCC="-3")
    assert names(select_trades(drift, rules)) == []
    assert [one.symbol for one in select_trades(drift, rules).skipped] == ["AAA", "BBB", "CCC"]


def test_selected_trades_are_ranked_by_drift_and_what_is_on_target_is_none() -> None:
    rules = RebalanceSettings(trigger_mode="total_drift", min_order_usd=Decimal(0))
    selected = select_trades(table(AAA="0", BBB="-1", CCC="2", DDD="-3"), rules)
    assert names(selected)[:2] == ["DDD", "CCC"]
    assert "AAA" not in names(selected)
    assert selected.skipped == ()
