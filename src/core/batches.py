"""Which tickets go together, and what the sells leave for the buys.

Sells go first. Buys may spend USD cash read after the answer plus what the sells' executions
brought, less commissions. Only executions count: a sell that is not proven brings nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from src.base.money import ZERO, exact_arithmetic
from src.core.cash_effects import cash_effect
from src.core.orders.tickets import TicketState, unsettled_refs
from src.core.records.orders import Fill, Side
from src.core.records.plan import TradePlan
from src.core.records.portfolios import Symbol


def first_states(plan: TradePlan) -> tuple[TicketState, ...]:
    """One state per plan line, nothing sent yet; lines count from 1."""
    return tuple(
        TicketState(line=line, ticket=ticket, limit_shares=ticket.qty_shares)
        for line, ticket in enumerate(plan.tickets, start=1)
    )


def lines_of(states: Iterable[TicketState], side: Side) -> tuple[int, ...]:
    """The plan lines of one side, in the plan's order."""
    return tuple(state.line for state in states if state.ticket.side is side)


@exact_arithmetic()
def held_for_doubt(states: Iterable[TicketState], prices: Mapping[Symbol, Decimal]) -> Decimal:
    """USD that buys of unknown fate may still cost: whatever they lack, as if it were executed.

    At the latest price, else the planned one.
    """
    total = ZERO
    for state in states:
        if state.ticket.side is Side.BUY and unsettled_refs((state,)):
            lacking = max(ZERO, state.limit_shares - state.filled_shares)
            total += lacking * prices.get(state.ticket.symbol, state.ticket.est_price_usd)
    return total


@exact_arithmetic()
def budget_for_buys(cash_usd: Decimal, floor_usd: Decimal, fills: Iterable[Fill]) -> Decimal:
    """USD that the buys may cost; zero or less means none of them is sent."""
    return cash_usd + cash_effect(fills) - floor_usd
