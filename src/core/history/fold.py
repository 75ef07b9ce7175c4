"""What one run came to, from its folded events: the one rule for live runs, reports and history."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from src.base.money import ZERO, exact_arithmetic
from src.core.history.runs import PastRun, PastTicket, added_up, distance_from, mean_quote
from src.core.journal.codec import event_from_text
from src.core.records.plan import OrderOutcome
from src.core.records.portfolios import CASH
from src.core.run.fold import fold
from src.core.run.outcome import is_open, run_outcomes
from src.core.run.report import ticket_figures
from src.core.run.state import RunState
from src.core.wishes.effect import wishes_as_json


def past_run(texts: Iterable[str]) -> PastRun:
    """What a run's events, as the journal holds them, amount to.

    Raises: JournalError when they cannot be read, or no run could have written them.
    """
    return summed_up(fold(event_from_text(text) for text in texts))


@exact_arithmetic()
def summed_up(state: RunState) -> PastRun:
    """What the journal knows about a run, in figures."""
    plan = state.plan.plan
    tickets = tuple(
        _ticket(outcome, mean_quote((order.filled_shares, order.quote_usd) for order in one.orders))
        for outcome, one in zip(run_outcomes(state), state.tickets, strict=True)
    )
    drift = (abs(row.drift_weight) for row in plan.drift_before.rows)
    return PastRun(
        run_id=state.run_id,
        account_id=plan.account_id,
        started_utc=state.plan.started_utc,
        is_simulated=state.plan.is_simulated,
        state=_state_word(state),
        exit_code=state.closed.exit_code if state.closed else None,
        orders=sum(order.was_sent for order in state.orders),
        net_liq_usd=plan.before.net_liq_usd,
        drift_before=sum(drift, ZERO),
        drift_after=_drift_after(state),
        tickets=tickets,
        amounts=added_up(tickets),
        wishes=wishes_as_json(plan.wishes),
    )


def _state_word(state: RunState) -> str:
    if is_open(state):
        return "open"
    was_declined = state.declined is not None and not state.has_orders
    return "declined" if was_declined else "closed"


def _drift_after(state: RunState) -> Decimal | None:
    after = state.closed.after if state.closed else None
    if after is None:
        return None
    values = {symbol: one.value_usd for symbol, one in after.holdings.items()}
    targets = {row.symbol: row.target_weight for row in state.plan.plan.drift_before.rows}
    return distance_from(targets, {**values, CASH: after.cash_usd}, after.net_liq_usd)


def _ticket(outcome: OrderOutcome, quote_usd: Decimal | None) -> PastTicket:
    figures, ticket = ticket_figures(outcome), outcome.ticket
    return PastTicket(
        symbol=ticket.symbol,
        side=ticket.side.value,
        planned_shares=ticket.qty_shares,
        filled_shares=figures.filled_shares,
        value_usd=figures.value_usd,
        commission_usd=figures.commission_usd,
        commissions_open=sum(fill.commission_usd is None for fill in outcome.fills),
        status=outcome.status.value,
        quote_usd=quote_usd,
        error=outcome.error,
        notes=outcome.notes,
    )
