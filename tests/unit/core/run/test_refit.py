from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from src.core.records.orders import Side
from src.core.records.plan import TradePlan
from src.core.run.refit import RefittedBuys, floor_at_latest, refit_buys
from tests.kits.builders import account, dec, plan, rebalance_settings, targets, ticket
from tests.kits.orders_kit import fill

RULES = rebalance_settings(min_order=500)
BUYS = (
    ticket("AAA", qty=20, price=100),
    ticket("BBB", qty=10, price=100),
    ticket("CCC", qty=10, price=60),
)


def quantities(fitted: RefittedBuys) -> dict[str, int]:
    return {one.symbol: int(one.qty_shares) for one in fitted.tickets}


def test_enough_cash_leaves_everything_as_confirmed() -> None:
    fitted = refit_buys(BUYS, Decimal(3600), {}, RULES)
    assert fitted.tickets == BUYS
    assert fitted.skipped == ()


def test_the_lowest_rank_is_cut_first() -> None:
    assert quantities(refit_buys(BUYS, Decimal(3500), {}, RULES)) == {"AAA": 20, "BBB": 10}
    assert quantities(refit_buys(BUYS, Decimal(3550), {}, RULES)) == {
        "AAA": 20,
        "BBB": 10,
        "CCC": 9,
    }


def test_what_would_fall_below_the_minimum_is_skipped_with_a_reason() -> None:
    fitted = refit_buys(BUYS, Decimal(2400), {}, RULES)
    assert quantities(fitted) == {"AAA": 20}
    assert [one.symbol for one in fitted.skipped] == ["BBB", "CCC"]
    assert "$2,400.00" in fitted.skipped[0].reason


def test_a_buy_cut_to_exactly_the_minimum_is_still_sent() -> None:
    assert quantities(refit_buys(BUYS[:2], Decimal(2500), {}, RULES)) == {"AAA": 20, "BBB": 5}
    assert quantities(refit_buys(BUYS[:2], Decimal(2499), {}, RULES)) == {"AAA": 20}


def test_fractional_buys_spend_the_budget_to_the_last_ten_thousandth_of_a_share() -> None:
    rules = rebalance_settings(min_order=500, allow_fractional=True)
    (only,) = refit_buys([ticket("CCC", qty=10, price=70)], Decimal(600), {}, rules).tickets
    assert only.qty_shares == dec("8.5714")


def test_dearer_prices_buy_fewer_shares_and_cheaper_ones_not_more() -> None:
    dear = refit_buys(BUYS, Decimal(3600), {"CCC": dec("72.50")}, RULES)
    assert quantities(dear)["CCC"] == 8
    assert dear.tickets[-1].est_value_usd == 580
    cheap = refit_buys(BUYS, Decimal(9999), {"CCC": Decimal(1)}, RULES)
    assert quantities(cheap)["CCC"] == 10


def test_no_cash_skips_everything() -> None:
    fitted = refit_buys(BUYS, Decimal(-5), {}, RULES)
    assert fitted.tickets == ()
    assert len(fitted.skipped) == 3


@given(
    budget=st.decimals(-100, 5000, places=2),
    price=st.decimals(1, 500, places=2),
    fractional=st.booleans(),
)
def test_never_above_the_budget_or_the_confirmed_quantity(
    budget: Decimal, price: Decimal, fractional: bool
) -> None:
    rules = rebalance_settings(min_order=500, allow_fractional=fractional)
    fitted = refit_buys(BUYS, budget, {"AAA": price}, rules)
    cost = sum((one.est_value_usd for one in fitted.tickets), Decimal(0))
    confirmed = {one.symbol: one.qty_shares for one in BUYS}
    assert cost <= max(budget, Decimal(0))
    assert all(one.qty_shares <= confirmed[one.symbol] for one in fitted.tickets)
    assert len(fitted.tickets) + len(fitted.skipped) == len(BUYS)


# --- the cash floor at prices of now ---------------------------------------------------------


def drifted(percents: Mapping[str, int], **rules: int | str) -> TradePlan:
    """100 SPY at 100 and 1,000 USD, to be spread over SPY and BBB."""
    held = account({"SPY": 100, "BBB": 0}, {"SPY": 100, "BBB": 10}, 1000)
    return plan(held, targets(percents), rebalance_settings(**rules))  # type: ignore[arg-type]


def test_the_buffer_grows_with_what_the_holdings_are_worth() -> None:
    rules = rebalance_settings(buffer_pct=10, max_leverage=1)
    before = drifted({"SPY": 50, "BBB": 50}, buffer_pct=10, max_leverage=1)
    assert before.cash_floor_usd == dec(1100)
    cash = dec(1000)
    assert floor_at_latest(before, cash, (), {}, rules) == dec(1100)
    assert floor_at_latest(before, cash, (), {"SPY": dec(120)}, rules) == dec(1300)
    assert floor_at_latest(before, cash, (), {"SPY": dec(50)}, rules) == dec(1100)


def test_the_leverage_cap_shrinks_what_may_be_borrowed_with_net_liq() -> None:
    borrowing = {"SPY": 60, "BBB": 60, "CASH": -20}
    rules = rebalance_settings(max_leverage="1.2")
    before = drifted(borrowing, max_leverage="1.2")
    assert before.cash_floor_usd == dec(-2200)
    cash = dec(1000)
    assert floor_at_latest(before, cash, (), {"SPY": dec(120)}, rules) == dec(-2200)
    assert floor_at_latest(before, cash, (), {"SPY": dec(50)}, rules) == dec(-1200)


def test_executions_count_with_their_shares_prices_and_commissions() -> None:
    rules = rebalance_settings(buffer_pct=10)
    before = drifted({"SPY": 50, "BBB": 50}, buffer_pct=10)
    sold = replace(fill(50, price=130), side=Side.SELL, commission_usd=dec(10))
    # 50 shares at 130, 1,000 and 6,500 of cash less 10
    assert floor_at_latest(before, dec(1000), (sold,), {}, rules) == dec(1399)


def test_a_fixed_buffer_stays_what_it_is() -> None:
    rules = rebalance_settings()._replace(cash_buffer_type="abs", cash_buffer_usd=dec(500))
    held = account({"SPY": 100, "BBB": 0}, {"SPY": 100, "BBB": 10}, 1000)
    before = plan(held, targets({"SPY": 50, "BBB": 50}), rules)
    assert before.cash_floor_usd == dec(500)
    assert floor_at_latest(before, dec(1000), (), {"SPY": dec(120)}, rules) == dec(500)
