"""Which tickets go together, and what the sells leave for the buys.

Sells go first. Buys may spend USD cash read after the answer plus what the sells' executions
brought, less commissions; an execution whose commission is not known yet is charged a reserve.
Only executions count: a sell that is not proven brings nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from src.core.money import ZERO, exact_arithmetic
from src.core.records import Fill, Side, Symbol, TradePlan
from src.core.tickets import TicketState, unsettled_refs

_RESERVE_SHARE: Final = Decimal("0.001")
_LEAST_RESERVE_USD: Final = Decimal(1)


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
def commission_or_reserve(fill: Fill) -> Decimal:
    """What an execution costs: as reported, else 0.1% of its value and at least 1 USD."""
    if fill.commission_usd is not None:
        return fill.commission_usd
    if not fill.qty_shares:
        return ZERO
    return sale_reserve(fill.qty_shares * fill.price_usd)


@exact_arithmetic()
def sale_reserve(value_usd: Decimal) -> Decimal:
    """What an execution of so much is charged while its commission is not known."""
    return max(_LEAST_RESERVE_USD, _RESERVE_SHARE * value_usd)


@exact_arithmetic()
def cash_effect(fills: Iterable[Fill]) -> Decimal:
    """What executions add to USD cash: sales less purchases less commissions (or reserves)."""
    total = ZERO
    for fill in fills:
        value = fill.qty_shares * fill.price_usd
        total += value if fill.side is Side.SELL else -value
        total -= commission_or_reserve(fill)
    return total


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
def charged_elsewhere(fills: Iterable[Fill]) -> Decimal:
    """The reserves that stand for commissions in other currencies, which cost no USD."""
    return sum(
        (commission_or_reserve(fill) for fill in fills if fill.foreign_commission is not None), ZERO
    )


@exact_arithmetic()
def budget_for_buys(cash_usd: Decimal, floor_usd: Decimal, fills: Iterable[Fill]) -> Decimal:
    """USD that the buys may cost; zero or less means none of them is sent."""
    return cash_usd + cash_effect(fills) - floor_usd
