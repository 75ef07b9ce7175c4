"""The laws of a plan with wishes: those of every plan, and what each wish promises."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from src.core.records.orders import Side
from src.core.records.plan import TradePlan
from src.core.records.portfolios import CASH, Symbol
from src.core.records.wishes import Wishes
from src.core.targets import cash_floor, hold_buffer
from src.core.wishes.effect import plan_with_wishes
from tests.laws.strategies import Case, after_fills, cases

ZERO = Decimal(0)
HAIR = Decimal("1e-9")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """An account with what it should hold and what is asked of this run."""

    case: Case
    wishes: Wishes

    def plan(self) -> TradePlan:
        return plan_with_wishes(self.case.account, self.case.targets, self.case.rules, self.wishes)


@st.composite
def wished(draw: st.DrawFn) -> Wished:
    case = draw(cases())
    some = draw(st.lists(st.sampled_from(sorted(case.account.holdings)), unique=True))
    skip, only = draw(st.sampled_from(((tuple(some), ()), ((), tuple(some)), ((), ()))))
    return Wished(case=case, wishes=Wishes(no_sell=draw(st.booleans()), skip=skip, only=only))


def value_of(plan: TradePlan, side: Side) -> Decimal:
    return sum((one.est_value_usd for one in plan.tickets if one.side is side), ZERO)


def traded(plan: TradePlan) -> set[Symbol]:
    return {one.symbol for one in plan.tickets}


@st.composite
def investing(draw: st.DrawFn) -> Wished:
    one = draw(wished())
    amount = draw(st.none() | st.decimals(Decimal("0.01"), Decimal(20_000), places=2))
    return replace(one, wishes=replace(one.wishes, invest=True, invest_usd=amount))


def drift_in_all(plan: TradePlan, *, after: bool) -> Decimal:
    table = plan.drift_after if after else plan.drift_before
    return sum((abs(row.drift_usd) for row in table.rows), ZERO)


@given(wished())
def test_wishes_keep_the_floor_of_the_models_and_the_leverage_cap(one: Wished) -> None:
    plan, rules = one.plan(), one.case.rules
    held = hold_buffer(one.case.targets, one.case.account, rules)
    floor = cash_floor(held.weights[CASH], plan.before.net_liq_usd, rules)
    without_buys = plan.before.cash_usd + value_of(plan, Side.SELL)
    assert plan.cash_floor_usd >= floor - HAIR
    assert plan.after.cash_usd == without_buys - value_of(plan, Side.BUY)
    assert plan.after.cash_usd >= min(plan.cash_floor_usd, without_buys)
    assert plan.after.leverage <= max(rules.max_leverage, plan.before.leverage)


@given(wished())
def test_wishes_leave_each_ticket_as_the_rules_want_it(one: Wished) -> None:
    plan, rules = one.plan(), one.case.rules
    step = Decimal("0.0001") if rules.allow_fractional else Decimal(1)
    before = {row.symbol: abs(row.drift_weight) for row in plan.drift_before.rows}
    after = {row.symbol: abs(row.drift_weight) for row in plan.drift_after.rows}
    assert len(traded(plan)) == len(plan.tickets)
    for ticket in plan.tickets:
        assert ticket.est_value_usd >= rules.min_order_usd
        assert not ticket.qty_shares % step
        assert after[ticket.symbol] < before[ticket.symbol]
        if ticket.side is Side.SELL:
            assert ticket.qty_shares <= plan.before.holdings[ticket.symbol].qty_shares


@given(wished())
def test_the_same_wishes_again_after_perfect_fills_give_no_ticket(one: Wished) -> None:
    again = replace(one, case=after_fills(one.case, one.plan()))
    assert again.plan().tickets == ()


@given(wished())
def test_wishes_do_not_depend_on_the_order_of_anything(one: Wished) -> None:
    plan = one.plan()
    turned = replace(
        one.wishes,
        skip=tuple(reversed(one.wishes.skip)),
        only=tuple(reversed(one.wishes.only)),
    )
    holdings = dict(reversed(list(one.case.account.holdings.items())))
    case = replace(one.case, account=replace(one.case.account, holdings=holdings))
    other = Wished(case=case, wishes=turned).plan()
    assert other == replace(plan, wishes=turned)


@given(wished())
def test_skipped_symbols_have_no_ticket_and_keep_their_weight(one: Wished) -> None:
    plan = one.plan()
    assert not traded(plan) & set(one.wishes.skip)
    targets = {row.symbol: row.target_weight for row in plan.drift_before.rows}
    for symbol in one.wishes.skip:
        held = plan.before.holdings[symbol].value_usd / plan.before.net_liq_usd
        assert abs(targets.get(symbol, ZERO) - held) < HAIR
    assert abs(sum(targets.values(), ZERO) - 1) < HAIR
    said = {skipped.symbol for skipped in plan.skipped if "skipped by you" in skipped.reason}
    assert said == set(one.wishes.skip)


@given(wished())
def test_with_only_no_other_symbol_has_a_ticket(one: Wished) -> None:
    plan = one.plan()
    if one.wishes.only:
        assert traded(plan) <= set(one.wishes.only)
        held = hold_buffer(one.case.targets, one.case.account, one.case.rules)
        stop = held.weights[CASH] * plan.before.net_liq_usd
        without_buys = plan.before.cash_usd + value_of(plan, Side.SELL)
        assert plan.after.cash_usd >= min(stop, without_buys) - HAIR


@given(wished())
def test_with_no_sell_nothing_is_sold_and_cash_stays_at_its_target(one: Wished) -> None:
    plan = one.plan()
    if one.wishes.no_sell:
        held = hold_buffer(one.case.targets, one.case.account, one.case.rules)
        target = held.weights[CASH] * plan.before.net_liq_usd
        assert all(ticket.side is Side.BUY for ticket in plan.tickets)
        assert plan.after.cash_usd >= min(target, plan.before.cash_usd) - HAIR


@given(wished())
def test_every_trade_that_wishes_forbid_has_one_reason(one: Wished) -> None:
    plan = one.plan()
    skipped = [skip.symbol for skip in plan.skipped]
    assert not traded(plan) & set(skipped)
    assert len(skipped) == len(set(skipped))
    assert all(skip.reason for skip in plan.skipped)


# --- new money ----------------------------------------------------------------------------------


@given(investing())
def test_investing_never_sells_nor_spends_too_much(one: Wished) -> None:
    plan, rules = one.plan(), one.case.rules
    held = hold_buffer(one.case.targets, one.case.account, rules)
    target = held.weights[CASH] * plan.before.net_liq_usd
    spent = value_of(plan, Side.BUY)
    assert all(ticket.side is Side.BUY for ticket in plan.tickets)
    assert plan.after.cash_usd == plan.before.cash_usd - spent
    if plan.tickets:
        assert plan.after.cash_usd >= target - HAIR
        assert spent <= (
            plan.before.cash_usd if one.wishes.invest_usd is None else one.wishes.invest_usd
        )
    assert plan.after.leverage <= max(rules.max_leverage, plan.before.leverage)


@given(investing())
def test_investing_lowers_the_drift_of_all_lines_together(one: Wished) -> None:
    plan = one.plan()
    if plan.tickets:
        assert drift_in_all(plan, after=True) < drift_in_all(plan, after=False)
    for ticket in plan.tickets:
        assert ticket.est_value_usd >= one.case.rules.min_order_usd
    assert not traded(plan) & set(one.wishes.skip)


@given(investing())
def test_investing_all_again_is_idle(one: Wished) -> None:
    one = replace(one, wishes=replace(one.wishes, invest_usd=None))
    again = replace(one, case=after_fills(one.case, one.plan())).plan()
    assert again.tickets == ()
    assert any("invest" in note for note in again.notes) or again.outside_limits


@given(investing())
def test_investing_leaves_no_order_that_would_fit(one: Wished) -> None:
    """Nothing below its target could still take an order of the minimum out of what is left."""
    plan, rules = one.plan(), one.case.rules
    step = Decimal("0.0001") if rules.allow_fractional else Decimal(1)
    cash_target = next(row.target_weight for row in plan.drift_before.rows if row.symbol == CASH)
    stop = max(plan.cash_floor_usd, cash_target * plan.before.net_liq_usd)
    left = plan.after.cash_usd - stop
    for row in plan.drift_after.rows:
        if row.symbol == CASH or row.drift_usd >= 0:
            continue
        lot = plan.after.holdings[row.symbol].price_usd * step
        orders = max(Decimal(1), -(-rules.min_order_usd // lot))
        least = lot if row.symbol in traded(plan) else lot * orders
        assert left < least + HAIR


@given(investing())
def test_investing_does_not_depend_on_row_order(one: Wished) -> None:
    holdings = dict(reversed(list(one.case.account.holdings.items())))
    case = replace(one.case, account=replace(one.case.account, holdings=holdings))
    assert replace(one, case=case).plan() == one.plan()
