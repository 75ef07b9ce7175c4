"""Cut the buys to the proven cash, from the lowest rank up, and say so in the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from src.base.money import ZERO, dollars
from src.core.batches import budget_for_buys, held_for_doubt
from src.core.journal.events import TicketRefitted
from src.core.records.plan import OrderTicket
from src.core.records.portfolios import Symbol
from src.core.run.refit import RefittedBuys, at_latest, floor_at_latest, refit_buys
from src.core.running.moves import note, put, say, skip
from src.core.running.parts import Run
from src.core.settled_buys import cut_to_settled, go_at_once, left_to_spend


def fit_buys(run: Run, lines: Sequence[int]) -> Run:
    """Cut these buys, in rank order, to what the cash pays for at the latest prices."""
    run = run._replace(gap=replace(run.gap, has_fitted=True))
    wanted = [_wanted(run, line) for line in lines if not run.ticket(line).skip_reason]
    budget, floor = _budget(run)
    tradable = [ticket for ticket in wanted if ticket.symbol not in run.means.halted]
    fitted = refit_buys(tradable, budget, run.means.prices, run.terms.settings.rebalance)
    left, reasons = _affordable(run, fitted)
    figures = f"budget_usd={budget} floor_usd={floor} buys={len(left)} of={len(wanted)}"
    run = say(run, f"buys fitted {figures}")
    for line in lines:
        symbol = run.ticket(line).ticket.symbol
        if not run.ticket(line).skip_reason:
            run = _limit(run, line, left.get(symbol, ZERO), reasons.get(symbol, ""))
    return run


def how_many_go(run: Run, lines: Sequence[int]) -> int:
    """How many of these fitted buys may go now; the others wait until those have ended."""
    if not run.terms.settings.execution.batch_orders:
        return 1
    spendable_usd = run.means.spendable_usd
    if spendable_usd is None or run.halt_reason:
        return len(lines)
    tickets = (at_latest(_wanted(run, line), run.means.dearest) for line in lines)
    return max(1, go_at_once(tickets, _left_to_spend(run, spendable_usd)))


def refuse(run: Run, line: int, reason: str) -> Run:
    """This buy is not sent."""
    return _limit(run, line, ZERO, reason)


def _budget(run: Run) -> tuple[Decimal, Decimal]:
    """What the buys may cost, and the cash that stays."""
    means, fills, terms = run.means, run.fills, run.terms
    cash = terms.before.cash_usd - run.gap.cash_short_usd
    floor = floor_at_latest(terms.plan, cash, fills, means.prices, terms.settings.rebalance)
    in_doubt = held_for_doubt(run.tickets, means.prices)
    return budget_for_buys(cash, floor, fills) - in_doubt, floor


def _affordable(
    run: Run, fitted: RefittedBuys
) -> tuple[Mapping[Symbol, Decimal], Mapping[Symbol, str]]:
    """The shares of each buy that settled money pays for, and why there are none of others."""
    means, affordable = run.means, fitted.tickets
    reasons = dict.fromkeys(means.halted, "trading in it is halted")
    reasons.update({skipped.symbol: skipped.reason for skipped in fitted.skipped})
    if means.spendable_usd is not None:
        settled_usd = _left_to_spend(run, means.spendable_usd)
        dearest = [at_latest(ticket, means.dearest) for ticket in fitted.tickets]
        affordable = cut_to_settled(dearest, settled_usd, run.terms.settings.rebalance)
        no_money = f"no settled cash is left for it: {dollars(settled_usd)} can be spent now"
        reasons = {ticket.symbol: no_money for ticket in fitted.tickets} | reasons
    return {ticket.symbol: ticket.qty_shares for ticket in affordable}, reasons


def _left_to_spend(run: Run, spendable_usd: Decimal) -> Decimal:
    in_doubt = held_for_doubt(run.tickets, run.means.dearest)
    return left_to_spend(spendable_usd, run.fills, in_doubt)


def _wanted(run: Run, line: int) -> OrderTicket:
    """The ticket with what an earlier fit left of it."""
    ticket = run.ticket(line)
    return replace(ticket.ticket, qty_shares=ticket.limit_shares)


def _limit(run: Run, line: int, qty_shares: Decimal, reason: str) -> Run:
    ticket = run.ticket(line)
    if qty_shares >= ticket.limit_shares:
        return run
    refitted = TicketRefitted(
        run_id=run.terms.permit.run_id,
        at_utc=run.moment.at_utc,
        line=line,
        qty_shares=qty_shares,
        reason=reason,
    )
    run = note(put(run, replace(ticket, limit_shares=qty_shares)), refitted)
    return run if qty_shares else skip(run, line, reason)
