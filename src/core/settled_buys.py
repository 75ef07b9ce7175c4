"""Buys in an account that may not spend the proceeds of sells before they settle.

What can be spent is the broker's AvailableFunds, never more than USD cash. IBKR reserves about 5%
more than the value of a market buy there until it has filled. So buys go by rank, as many at once
as the reserve of all of them allows, and the next when fills have released it; the last one that
the money reaches is cut to what its own reserve leaves. The plan is cut by the same rule, so what
it announces is what the broker takes.

Source: SRS F-108.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from src.base.money import CENT, ZERO, dollars, exact_arithmetic, share_step, whole_shares
from src.base.settings import RebalanceSettings
from src.core.cash_effects import commission_or_reserve
from src.core.drift import redraw_drift
from src.core.plan_hash import hash_plan
from src.core.records.orders import Fill, Side
from src.core.records.plan import OrderTicket, SettlementWait, SkipCode, SkippedTrade, TradePlan
from src.core.records.portfolios import Symbol
from src.core.valuation import trade_on_paper

RESERVED: Final = Decimal("1.05")
"""What IBKR sets aside for each dollar of a market buy that has not filled yet."""


@exact_arithmetic()
def cut_to_settled(
    buys: Sequence[OrderTicket], spendable_usd: Decimal, rebalance: RebalanceSettings
) -> tuple[OrderTicket, ...]:
    """What the money pays for of these buys, given in rank order, sent one after another.

    Each is cut to what the buys before it leave, less its own reserve; what is cut leaves a cent,
    because the broker's figure is rounded to one. One that would fall below the minimum order, or
    to nothing, is left out.
    """
    step = share_step(allow_fractional=rebalance.allow_fractional)
    left_usd = spendable_usd
    kept: list[OrderTicket] = []
    for ticket in buys:
        qty = ticket.qty_shares
        if RESERVED * qty * ticket.est_price_usd > left_usd:
            most_usd = max(ZERO, left_usd - CENT) / RESERVED
            qty = min(qty, whole_shares(most_usd / ticket.est_price_usd, step))
        value = qty * ticket.est_price_usd
        if qty and (qty == ticket.qty_shares or value >= rebalance.min_order_usd):
            kept.append(replace(ticket, qty_shares=qty, est_value_usd=value))
            left_usd -= value
    return tuple(kept)


@exact_arithmetic()
def go_at_once(buys: Iterable[OrderTicket], spendable_usd: Decimal) -> int:
    """How many of the first of these buys may work at the same time."""
    count, total_usd = 0, ZERO
    for ticket in buys:
        total_usd += ticket.est_value_usd
        if RESERVED * total_usd > spendable_usd:
            break
        count += 1
    return count


@exact_arithmetic()
def left_to_spend(
    spendable_usd: Decimal, fills: Iterable[Fill], in_doubt_usd: Decimal = ZERO
) -> Decimal:
    """What buys filled since leave of the money, at what they cost with their commissions.

    ``in_doubt_usd`` is the value of buys whose fate is not known: it stays reserved.
    """
    spent = sum(
        (
            fill.qty_shares * fill.price_usd + commission_or_reserve(fill)
            for fill in fills
            if fill.side is Side.BUY
        ),
        ZERO,
    )
    return spendable_usd - spent - RESERVED * in_doubt_usd


# --- the plan -----------------------------------------------------------------------------------


@exact_arithmetic()
def wait_for_settlement(
    plan: TradePlan, spendable_usd: Decimal | None, rebalance: RebalanceSettings
) -> TradePlan:
    """The plan with its buys cut to what can be spent now; None means no such bound.

    Sells stay as they are. A buy that is left out becomes a skipped trade; ``waiting`` tells the
    sum of all that is cut. Cutting buys breaks no bound of the plan: it leaves more cash.
    """
    buys = [ticket for ticket in plan.tickets if ticket.side is Side.BUY]
    if spendable_usd is None or not buys:
        return plan
    kept = cut_to_settled(buys, spendable_usd, rebalance)
    if kept == tuple(buys):
        return plan
    sells = tuple(ticket for ticket in plan.tickets if ticket.side is Side.SELL)
    tickets = (*sells, *kept)
    trades = _signed(tickets)
    after = trade_on_paper(plan.before, trades)
    wait = SettlementWait(
        spendable_usd=spendable_usd, waiting_usd=_value(buys) - _value(kept), has_sells=bool(sells)
    )
    placed = {ticket.symbol for ticket in kept}
    waiting = tuple(
        SkippedTrade(symbol=one.symbol, code=SkipCode.SETTLEMENT, reason=_reason(plan, wait))
        for one in buys
        if one.symbol not in placed
    )
    return replace(
        plan,
        tickets=tickets,
        skipped=(*waiting, *plan.skipped),
        after=after,
        drift_after=redraw_drift(plan.drift_before, after, trades),
        waiting=wait,
        outside_limits="",  # cash stays above target because buys wait: waiting_text says so
        plan_hash=hash_plan(plan.before, tickets, plan.cash_floor_usd, plan.wishes),
    )


def waiting_text(plan: TradePlan) -> str:
    """How much of the buys waits, for what, and what stays in cash; nothing where nothing waits."""
    wait = plan.waiting
    if wait is None:
        return ""
    waits = f"{dollars(wait.waiting_usd)} of the buys {_reason(plan, wait)}"
    spendable = f"{dollars(wait.spendable_usd)} can be spent now, less the reserve of about 5%"
    stays = f"{dollars(plan.after.cash_usd)} stays in cash"
    return f"{waits}. {spendable}; {stays}. {run_again_text(plan)}"


def run_again_text(plan: TradePlan) -> str:
    """When to start the next run for what waits; nothing where nothing waits."""
    wait = plan.waiting
    if wait is None:
        return ""
    left = dollars(wait.waiting_usd)
    if _is_reserve_only(plan, wait):
        return f"The next run can buy for the {left} that waits."
    settled = "the sells have" if wait.has_sells else "earlier sells have"
    return f"Run again when {settled} settled, usually the next trading day, to buy for {left}."


def _reason(plan: TradePlan, wait: SettlementWait) -> str:
    if _is_reserve_only(plan, wait):
        return "waits: IBKR reserves about 5% more than a market order costs in this account"
    proceeds = "the sells' proceeds" if wait.has_sells else "the proceeds of earlier sells"
    return f"waits for {proceeds} to settle (IBKR decides; usually the next trading day)"


def _is_reserve_only(plan: TradePlan, wait: SettlementWait) -> bool:
    """True where all cash is settled and nothing is sold."""
    return not wait.has_sells and wait.spendable_usd >= plan.before.cash_usd


def _signed(tickets: Iterable[OrderTicket]) -> dict[Symbol, Decimal]:
    return {one.symbol: one.side.signed(one.qty_shares) for one in tickets}


def _value(tickets: Iterable[OrderTicket]) -> Decimal:
    return sum((ticket.est_value_usd for ticket in tickets), ZERO)
