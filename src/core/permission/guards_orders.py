"""Guards about what would be sent: orders already working, shorts, contracts, limits, plan age.

Source: SRS, guards. Every guard has the signature ``Guard`` and asks nobody.
"""

from __future__ import annotations

from datetime import datetime

from src.base.money import ZERO, dollars, exact_sum, plain_text, shares_text
from src.base.settings import ExecutionSettings, Settings
from src.core.orders.ids import USED_UP, are_enough
from src.core.orders.ref import has_prefix
from src.core.permission.market_state import MarketState, Obstacle, obstacles
from src.core.records.account import Position
from src.core.records.orders import Side, WorkingOrder
from src.core.records.plan import OrderTicket, TradePlan


def working_orders(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """Nobody's order works in a planned symbol; it is listed and never cancelled for the user."""
    planned = {ticket.con_id for ticket in plan.tickets}
    found = [one for one in _orders_of_account(plan, state) if one.con_id in planned]
    if not found:
        return ()
    listed = "; ".join(describe_order(order) for order in found)
    return obstacles(f"working orders in planned symbols: {listed}; cancel them or wait")


def unknown_own_orders(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """An order with our mark that the journal does not know means a lost or foreign journal."""
    found = [
        one
        for one in _orders_of_account(plan, state)
        if has_prefix(one.order_ref, state.order_prefix)
        and one.order_ref not in state.journalled_refs
    ]
    return obstacles(unknown_orders_text(found)) if found else ()


def unknown_orders_text(orders: list[WorkingOrder]) -> str:
    """The sentence that refuses to trade beside orders of ours that this journal never saw."""
    listed = "; ".join(describe_order(order) for order in orders)
    return (
        f"orders of this program that this computer's journal does not know: {listed}; another "
        "computer or a removed journal placed them: let them finish or cancel them in TWS"
    )


def describe_order(order: WorkingOrder) -> str:
    """``SELL 5 SPY (Submitted, client 7, ref abc)``."""
    ref = f", ref {order.order_ref}" if order.order_ref else ""
    amount = shares_text(order.qty_shares)
    return f"{order.side} {amount} {order.symbol} ({order.status}, client {order.client_id}{ref})"


def long_only(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """No short position, and no ticket that would make one."""
    positions = state.snapshot.positions
    shorts = sorted(one.symbol for one in positions if one.qty_shares < ZERO)
    if shorts:
        return obstacles(f"short positions: {', '.join(shorts)}; close them yourself first")
    held = state.snapshot.held_shares
    return obstacles(
        *(
            f"selling {shares_text(one.qty_shares)} {one.symbol} would be more than the "
            f"{shares_text(held.get(one.con_id, ZERO))} held"
            for one in plan.tickets
            if one.side is Side.SELL and not one.qty_shares <= held.get(one.con_id, ZERO)
        )
    )


def same_contracts(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """Ticket, listing and holding of a symbol are one and the same contract."""
    found = (_contract_problem(ticket, state) for ticket in plan.tickets)
    return obstacles(*(text for text in found if text))


def _contract_problem(ticket: OrderTicket, state: MarketState) -> str:
    listing = state.listings.get(ticket.symbol)
    if listing is None or ticket.con_id <= 0:
        return f"{ticket.symbol} is not a verified USD stock or ETF"
    ids = {listing.con_id, ticket.con_id, *_held_ids(ticket, state.snapshot.positions)}
    if len(ids) == 1:
        return ""
    named = ", ".join(str(con_id) for con_id in sorted(ids))
    return (
        f"{ticket.symbol} names several contracts ({named}): renamed or listed twice; "
        "settle that by hand"
    )


def _held_ids(ticket: OrderTicket, positions: tuple[Position, ...]) -> set[int]:
    return {one.con_id for one in positions if one.symbol == ticket.symbol}


def hard_limits(
    plan: TradePlan, _state: MarketState, settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """max_orders, max_order_usd and max_run_usd; raising one needs an edit of the settings."""
    limits = settings.execution
    problems = [*_run_limits(plan, limits), *_order_limits(plan, limits)]
    if problems:
        problems[-1] += "; raise the limit in [execution] if that is meant"
    return obstacles(*problems)


def _run_limits(plan: TradePlan, limits: ExecutionSettings) -> list[str]:
    problems: list[str] = []
    if len(plan.tickets) > limits.max_orders:
        problems.append(
            f"{len(plan.tickets)} orders are more than max_orders = {limits.max_orders}"
        )
    total_usd = exact_sum(abs(ticket.est_value_usd) for ticket in plan.tickets)
    if limits.max_run_usd and not total_usd <= limits.max_run_usd:
        problems.append(
            f"orders of {dollars(total_usd)} in all are more than "
            f"max_run_usd = {plain_text(limits.max_run_usd)}"
        )
    return problems


def _order_limits(plan: TradePlan, limits: ExecutionSettings) -> list[str]:
    limit = limits.max_order_usd
    return [
        f"{ticket.side.value} {ticket.symbol} of {dollars(abs(ticket.est_value_usd))} is more "
        f"than max_order_usd = {plain_text(limit)}"
        for ticket in plan.tickets
        if limit and not abs(ticket.est_value_usd) <= limit
    ]


def order_ids(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """There is an order id for every ticket and its second attempt."""
    is_enough = are_enough(state.highest_order_id, len(plan.tickets))
    return () if is_enough else obstacles(USED_UP)


def plan_age(
    _plan: TradePlan, state: MarketState, settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """A plan older than plan_max_age_sec must be made anew."""
    limit = settings.execution.plan_max_age_sec
    if ZERO <= state.plan_age_sec <= limit:
        return ()
    age = f"{state.plan_age_sec:.0f}"
    return obstacles(f"the plan is {age} s old, plan_max_age_sec is {plain_text(limit)}")


def _orders_of_account(plan: TradePlan, state: MarketState) -> list[WorkingOrder]:
    """Working orders of the planned account; one without an account counts as ours."""
    return [
        order for order in state.working_orders or () if order.account_id in {plan.account_id, ""}
    ]
