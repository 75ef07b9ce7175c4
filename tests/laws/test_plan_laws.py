"""The laws of a plan, for whatever account, targets and rules there may be."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given

from src.core.drift import measure_drift
from src.core.records.orders import Side
from src.core.records.plan import TradePlan
from src.core.targets import hold_buffer
from src.core.valuation import value_account
from tests.kits.builders import price_book, snapshot
from tests.laws.strategies import Case, after_fills, cases

ZERO = Decimal(0)


def proceeds(plan: TradePlan) -> Decimal:
    return sum((t.est_value_usd for t in plan.tickets if t.side is Side.SELL), ZERO)


def paid(plan: TradePlan) -> Decimal:
    return sum((t.est_value_usd for t in plan.tickets if t.side is Side.BUY), ZERO)


@given(cases())
def test_cash_stays_above_the_floor(case: Case) -> None:
    plan = case.plan()
    without_buys = plan.before.cash_usd + proceeds(plan)
    assert plan.after.cash_usd == without_buys - paid(plan)
    assert plan.after.cash_usd >= min(plan.cash_floor_usd, without_buys)


@given(cases())
def test_leverage_stays_below_the_cap_or_falls(case: Case) -> None:
    plan = case.plan()
    assert plan.after.leverage <= max(case.rules.max_leverage, plan.before.leverage)


@given(cases())
def test_no_symbol_trades_both_ways_and_no_sell_exceeds_the_holding(case: Case) -> None:
    plan = case.plan()
    assert len({ticket.symbol for ticket in plan.tickets}) == len(plan.tickets)
    for ticket in plan.tickets:
        assert ticket.qty_shares > 0
        if ticket.side is Side.SELL:
            assert ticket.qty_shares <= plan.before.holdings[ticket.symbol].qty_shares


@given(cases())
def test_no_ticket_is_below_the_minimum_or_off_the_step(case: Case) -> None:
    places = Decimal("0.0001") if case.rules.allow_fractional else Decimal(1)
    for ticket in case.plan().tickets:
        assert ticket.est_value_usd >= case.rules.min_order_usd
        assert ticket.est_value_usd == ticket.qty_shares * ticket.est_price_usd
        assert not ticket.qty_shares % places


@given(cases())
def test_each_ticket_lowers_its_own_drift(case: Case) -> None:
    plan = case.plan()
    before = {row.symbol: abs(row.drift_weight) for row in plan.drift_before.rows}
    after = {row.symbol: abs(row.drift_weight) for row in plan.drift_after.rows}
    assert all(after[one.symbol] < before[one.symbol] for one in plan.tickets)


@given(cases())
def test_a_target_of_zero_closes_the_position(case: Case) -> None:
    plan = case.plan()
    step = Decimal("0.0001") if case.rules.allow_fractional else Decimal(1)
    targets = {row.symbol: row.target_weight for row in plan.drift_before.rows}
    for ticket in plan.tickets:
        if not targets[ticket.symbol]:
            assert plan.after.holdings[ticket.symbol].qty_shares < step


@given(cases())
def test_planning_again_after_perfect_fills_gives_no_ticket(case: Case) -> None:
    again = after_fills(case, case.plan()).plan()
    assert again.tickets == ()


@given(cases())
def test_a_second_look_at_the_account_measures_what_the_plan_promised(case: Case) -> None:
    """Reading the account anew after the fills gives the plan's own drift, to the last digit."""
    plan = case.plan()
    quantities = {symbol: one.qty_shares for symbol, one in plan.after.holdings.items()}
    prices = {symbol: one.price_usd for symbol, one in plan.after.holdings.items()}
    ids = {symbol: one.con_id for symbol, one in plan.after.holdings.items()}
    seen = value_account(snapshot(quantities, plan.after.cash_usd), price_book(prices), ids)
    assert seen == plan.after
    effective = hold_buffer(case.targets, seen, case.rules)
    drift_after = {row.symbol: row for row in plan.drift_after.rows}
    for row in measure_drift(seen, effective).rows:
        assert drift_after[row.symbol] == row


@given(cases())
def test_row_order_does_not_matter(case: Case) -> None:
    plan = case.plan()
    turned = dict(reversed(list(case.account.holdings.items())))
    weights = dict(reversed(list(case.targets.weights.items())))
    other = replace(
        case,
        account=replace(case.account, holdings=turned),
        targets=replace(case.targets, weights=weights),
    )
    assert other.plan() == plan
    assert other.plan().plan_hash == plan.plan_hash


@given(cases())
def test_every_wanted_trade_is_a_ticket_or_has_a_reason(case: Case) -> None:
    plan = case.plan()
    traded = {ticket.symbol for ticket in plan.tickets}
    skipped = [one.symbol for one in plan.skipped]
    assert not traded & set(skipped)
    assert len(skipped) == len(set(skipped))
    assert all(one.reason for one in plan.skipped)


@given(cases())
def test_drifts_sum_to_zero(case: Case) -> None:
    plan = case.plan()
    for table in (plan.drift_before, plan.drift_after):
        assert abs(sum((row.drift_weight for row in table.rows), ZERO)) < Decimal("1e-9")
