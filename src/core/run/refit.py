"""Fit confirmed buys to the cash that is really there, once the sells are done.

Never more than was confirmed; the lowest rank gives way first.

Source: SRS R-503.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

from src.base.money import ONE, ZERO, dollars, exact_arithmetic, share_step
from src.base.settings import RebalanceSettings
from src.core.cash_effects import cash_effect
from src.core.records.orders import Fill
from src.core.records.plan import OrderTicket, SkipCode, SkippedTrade, TradePlan
from src.core.records.portfolios import CASH, Symbol
from src.core.records.wishes import NO_WISHES
from src.core.targets import cash_floor


@dataclass(frozen=True, slots=True, kw_only=True)
class RefittedBuys:
    """Buys to send, in rank order, at the latest prices, and those that no cash is left for."""

    tickets: tuple[OrderTicket, ...]
    skipped: tuple[SkippedTrade, ...] = ()


@exact_arithmetic()
def refit_buys(
    buys: Sequence[OrderTicket],
    budget_usd: Decimal,
    latest_prices: Mapping[Symbol, Decimal],
    rebalance: RebalanceSettings,
) -> RefittedBuys:
    """Cut confirmed buys (in rank order) from the lowest rank up until they cost the budget.

    ``budget_usd`` is proven cash minus the cash floor. A symbol without a latest price
    keeps its planned one. A ticket that would be cut below the minimum order is skipped.
    """
    priced = [at_latest(ticket, latest_prices) for ticket in buys]
    excess = sum((ticket.est_value_usd for ticket in priced), ZERO) - budget_usd
    step = share_step(allow_fractional=rebalance.allow_fractional)
    kept: list[OrderTicket] = []
    skipped: list[SkippedTrade] = []
    for ticket in reversed(priced):
        qty = _affordable(ticket, excess, step)
        if qty < ticket.qty_shares and qty * ticket.est_price_usd < rebalance.min_order_usd:
            qty = ZERO
        excess -= (ticket.qty_shares - qty) * ticket.est_price_usd
        if qty:
            kept.append(_with_qty(ticket, qty))
        else:
            skipped.append(_skipped(ticket, budget_usd))
    return RefittedBuys(tickets=tuple(reversed(kept)), skipped=tuple(reversed(skipped)))


@exact_arithmetic()
def floor_at_latest(
    plan: TradePlan,
    cash_usd: Decimal,
    fills: Iterable[Fill],
    latest_prices: Mapping[Symbol, Decimal],
    rebalance: RebalanceSettings,
) -> Decimal:
    """F, the cash that buys may not go below, at net liq as it is now; never below the plan's.

    ``cash_usd`` is the cash before ``fills``, the run's executions so far. A holding is worth its
    latest price, else that of its last execution, else the planned one. With wishes the CASH target
    of the plan is not the models', so the plan's floor and the leverage cap are what holds.
    """
    fills = tuple(fills)
    shares = {symbol: one.qty_shares for symbol, one in plan.before.holdings.items()}
    prices = {symbol: one.price_usd for symbol, one in plan.before.holdings.items()}
    for fill in fills:
        signed = fill.side.signed(fill.qty_shares)
        shares[fill.symbol] = shares.get(fill.symbol, ZERO) + signed
        prices[fill.symbol] = fill.price_usd
    prices |= latest_prices
    worth = sum((shares[symbol] * prices[symbol] for symbol in shares), ZERO)
    net_liq = cash_usd + cash_effect(fills) + worth
    weights = {row.symbol: row.target_weight for row in plan.drift_before.rows}
    capped = (ONE - rebalance.max_leverage) * net_liq
    if CASH in weights and plan.wishes == NO_WISHES:
        capped = cash_floor(weights[CASH], net_liq, rebalance)
    return max(plan.cash_floor_usd, capped)


def _affordable(ticket: OrderTicket, excess: Decimal, step: Decimal) -> Decimal:
    """What is left of a ticket that gives up at least ``excess`` dollars, if it has them."""
    if excess <= ZERO:
        return ticket.qty_shares
    steps = (excess / (ticket.est_price_usd * step)).to_integral_value(rounding=ROUND_CEILING)
    return max(ZERO, ticket.qty_shares - steps * step)


def at_latest(ticket: OrderTicket, latest: Mapping[Symbol, Decimal]) -> OrderTicket:
    """The ticket at its symbol's latest price, if there is one."""
    price = latest.get(ticket.symbol, ticket.est_price_usd)
    return replace(ticket, est_price_usd=price, est_value_usd=ticket.qty_shares * price)


def _with_qty(ticket: OrderTicket, qty: Decimal) -> OrderTicket:
    return replace(ticket, qty_shares=qty, est_value_usd=qty * ticket.est_price_usd)


def _skipped(ticket: OrderTicket, budget_usd: Decimal) -> SkippedTrade:
    to_spend = dollars(max(budget_usd, ZERO))
    reason = f"no cash is left for this buy: {to_spend} to spend on all, larger drifts first"
    return SkippedTrade(symbol=ticket.symbol, code=SkipCode.CASH, reason=reason)
