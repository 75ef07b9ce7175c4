"""The second look: what moved in account and market between the preview and the answer.

Anything found means: plan again, show the difference, ask again. The old plan is not traded.
"""

from __future__ import annotations

from decimal import Decimal

from src.base.money import ZERO, dollars, exact_arithmetic, price_text, shares_text
from src.core.account.account_rules import spendable_now
from src.core.permission.guards_orders import describe_order
from src.core.permission.market_state import MarketState
from src.core.records.account import AccountSnapshot
from src.core.records.plan import OrderTicket, TradePlan


def compare_after_answer(
    plan: TradePlan, earlier: MarketState, later: MarketState, move_limit_weight: Decimal
) -> tuple[str, ...]:
    """What changed for a planned symbol, or in cash, as plain sentences; empty: nothing did.

    ``move_limit_weight`` bounds a price's move against the ticket's estimate, and the change of
    cash as a share of the plan's net liq. Quantities and working orders may not change at all.
    """
    changes: list[str] = []
    for ticket in plan.tickets:
        changes.extend(_quantity_change(ticket, earlier.snapshot, later.snapshot))
        changes.extend(_order_changes(ticket, earlier, later))
        changes.extend(_price_change(ticket, later, move_limit_weight))
    changes.extend(_cash_change(plan, earlier.snapshot, later.snapshot, move_limit_weight))
    changes.extend(_less_to_spend(plan, earlier.snapshot, later.snapshot, move_limit_weight))
    return tuple(changes)


def _quantity_change(
    ticket: OrderTicket, earlier: AccountSnapshot, later: AccountSnapshot
) -> list[str]:
    before, after = (_held(snapshot, ticket.con_id) for snapshot in (earlier, later))
    if before == after:
        return []
    return [f"{ticket.symbol}: {shares_text(before)} shares held before, {shares_text(after)} now"]


def _held(snapshot: AccountSnapshot, con_id: int) -> Decimal:
    return next((one.qty_shares for one in snapshot.positions if one.con_id == con_id), ZERO)


def _order_changes(ticket: OrderTicket, earlier: MarketState, later: MarketState) -> list[str]:
    before, after = (
        {describe_order(one) for one in state.working_orders or () if one.con_id == ticket.con_id}
        for state in (earlier, later)
    )
    came = [f"{ticket.symbol}: new working order {text}" for text in sorted(after - before)]
    gone = [f"{ticket.symbol}: no longer working {text}" for text in sorted(before - after)]
    return came + gone


def _price_change(ticket: OrderTicket, later: MarketState, limit: Decimal) -> list[str]:
    price = later.prices.prices.get(ticket.symbol)
    if price is None:
        return [f"{ticket.symbol}: no usable price any more"]
    with exact_arithmetic():
        moved = abs(price.price_usd - ticket.est_price_usd)
        if moved <= limit * ticket.est_price_usd:
            return []
    before, after = price_text(ticket.est_price_usd), price_text(price.price_usd)
    return [f"{ticket.symbol}: price {before} before, {after} now"]


def _cash_change(
    plan: TradePlan, earlier: AccountSnapshot, later: AccountSnapshot, limit: Decimal
) -> list[str]:
    with exact_arithmetic():
        moved = abs(later.cash_usd - earlier.cash_usd)
        if moved <= limit * plan.before.net_liq_usd:
            return []
    return [f"cash: {dollars(earlier.cash_usd)} before, {dollars(later.cash_usd)} now"]


def _less_to_spend(
    plan: TradePlan, earlier: AccountSnapshot, later: AccountSnapshot, limit: Decimal
) -> list[str]:
    """Settled money that was there for the buys and is no longer."""
    before, after = spendable_now(earlier), spendable_now(later)
    if after is None:
        return []
    before = earlier.cash_usd if before is None else before
    with exact_arithmetic():
        if before - after <= limit * plan.before.net_liq_usd:
            return []
    return [f"can be spent before anything settles: {dollars(before)} before, {dollars(after)} now"]
