"""What an earlier run left × what the broker lists now → findings to append to its journal.

The broker was asked twice, some seconds apart: open orders, completed orders, executions last.
Orders are matched by our ref, then by the broker's lasting number. An order is over only by the
broker's evidence: executions that sum to its quantity, a completed order whose total equals the
executions, or a refusal on record with nothing left open. Everything else stays Unresolved, also
an order found nowhere: silence is not proof, and executions are listed for one day only. Nothing
is ever sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from src.core.broker_view import BrokerView
from src.core.executions import execution_key, newest_fills, with_commission
from src.core.journal import (
    Acknowledged,
    CommissionRecorded,
    FillRecorded,
    JournalEvent,
    OrderEnded,
    TicketEnded,
)
from src.core.journal_fold import fold_on
from src.core.money import ZERO, shares_text
from src.core.records import (
    CANCELLED_WORDS,
    FILLED_WORD,
    INACTIVE_WORD,
    CompletedOrder,
    Fill,
    TicketStatus,
)
from src.core.run_outcome import (
    NOT_PROVEN,
    line_status,
    proven_error,
    proven_notes,
    proven_status,
    refusal_text,
)
from src.core.run_state import Attempt, PlanLine, RunState, find_attempt

_UNRESOLVED: Final = TicketStatus.UNRESOLVED
_RECOVERED: Final = "settled by a later start"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One run beside what the broker lists."""

    state: RunState
    view: BrokerView
    at_utc: datetime

    @property
    def run_id(self) -> str:
        return self.state.run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """A proven end: the broker's word for it, what proves it, and its text for a refusal."""

    word: str
    evidence: str
    error: str = ""


def reconcile_run(state: RunState, view: BrokerView, at_utc: datetime) -> tuple[JournalEvent, ...]:
    """The findings about one open run; appending them and folding again gives its new state.

    Findings that the journal holds already are not repeated, so doing this again adds nothing.
    """
    booked = _executions(state, view.fills, at_utc)
    look = _Look(state=fold_on(state, booked), view=view, at_utc=at_utc)
    ends = tuple(event for one in look.state.attempts for event in _order_findings(look, one))
    settled = replace(look, state=fold_on(look.state, ends))
    lines = tuple(event for one in settled.state.lines for event in _line_findings(settled, one))
    return (*booked, *ends, *lines)


def _executions(
    state: RunState, fills: Sequence[Fill], at_utc: datetime
) -> tuple[JournalEvent, ...]:
    """Executions and commissions of this run's orders that the journal does not hold yet."""
    found: list[JournalEvent] = []
    for fill in fills:
        attempt = find_attempt(state, fill.order_ref, fill.perm_id)
        if attempt is None:
            continue
        known = {one.exec_id: one for one in attempt.fills}.get(fill.exec_id)
        if known is None and _is_newer(fill, attempt):
            found.append(FillRecorded(run_id=state.run_id, at_utc=at_utc, fill=fill))
        elif known is not None and with_commission(known, fill) != known:
            found.append(
                CommissionRecorded(
                    run_id=state.run_id,
                    at_utc=at_utc,
                    exec_id=fill.exec_id,
                    commission_usd=fill.commission_usd,
                    foreign_commission=fill.foreign_commission,
                )
            )
    return tuple(found)


def _is_newer(fill: Fill, attempt: Attempt) -> bool:
    key = execution_key(fill.exec_id)
    same = tuple(one for one in attempt.fills if execution_key(one.exec_id) == key)
    return newest_fills((*same, fill))[-1].exec_id == fill.exec_id


def _order_findings(look: _Look, attempt: Attempt) -> tuple[JournalEvent, ...]:
    """That the broker knows the order, and that it ended, as far as either is new."""
    if attempt.not_sent is not None or attempt.ended is not None or contradiction(attempt):
        return ()
    found: list[JournalEvent] = []
    shown = look.view.shown(attempt)
    if shown is not None and shown.perm_id not in {0, attempt.perm_id}:
        found.append(
            Acknowledged(
                run_id=look.run_id,
                at_utc=look.at_utc,
                order_ref=attempt.request.order_ref,
                perm_id=shown.perm_id,
                status=shown.status,
            )
        )
    end = _end(look, attempt)
    if end is not None:
        found.append(
            OrderEnded(
                run_id=look.run_id,
                at_utc=look.at_utc,
                order_ref=attempt.request.order_ref,
                broker_status=end.word,
                filled_shares=attempt.filled_shares,
                evidence=end.evidence,
                error=end.error,
            )
        )
    return tuple(found)


def contradiction(attempt: Attempt) -> str:
    """Why an execution booked under this order's name cannot be its own; empty when all can."""
    request = attempt.request
    for fill in attempt.fills:
        wanted = (request.account_id, request.con_id, request.side)
        if (fill.account_id, fill.con_id, fill.side) != wanted:
            amount = f"{fill.side.value} {shares_text(fill.qty_shares)} {fill.symbol}"
            return f"execution {fill.exec_id} ({amount}) does not fit its order"
    return ""


def _end(look: _Look, attempt: Attempt) -> _End | None:
    """The proven end of an order, or None while nothing proves one."""
    filled, wanted = attempt.filled_shares, attempt.request.qty_shares
    if filled == wanted:
        return _End(word=FILLED_WORD, evidence="executions sum to the quantity")
    open_order = look.view.open_order(attempt)
    if open_order is not None:
        if open_order.status not in CANCELLED_WORDS or filled > wanted:
            return None
        return _End(word=open_order.status, evidence=f"listed as {open_order.status}")
    completed = look.view.completed_order(attempt)
    if completed is not None:
        return _completed_end(attempt, completed)
    refusal = refusal_text(attempt)
    if refusal and look.view.working is not None:
        return _End(word=INACTIVE_WORD, evidence="refused, not among open orders", error=refusal)
    return None


def _completed_end(attempt: Attempt, order: CompletedOrder) -> _End | None:
    """The end that a completed order proves: its total must be what the executions sum to."""
    if order.filled_shares != attempt.filled_shares or order.status == FILLED_WORD:
        return None
    said = order.completed_status or order.status
    return _End(
        word=INACTIVE_WORD if order.refusal else order.status,
        evidence=f"listed as completed: {said}",
        error=refusal_text(attempt) or order.refusal,
    )


def _line_findings(look: _Look, line: PlanLine) -> tuple[JournalEvent, ...]:
    """The ticket's new last word, unless the one on record still holds."""
    faults = "; ".join(text for text in map(contradiction, line.attempts) if text)
    status = _UNRESOLVED if faults else proven_status(line)
    said = line.ended
    if said is not None and not faults and line_status(line) is said.status is not _UNRESOLVED:
        return ()
    error = faults or proven_error(line, status)
    if status is _UNRESOLVED and not faults and line.filled_shares <= line.limit_shares:
        error = _doubt(look, line) or error
    notes = said.notes if said is not None else proven_notes(line)
    if status is not _UNRESOLVED and _RECOVERED not in notes:
        notes = (*notes, _RECOVERED)
    event = TicketEnded(
        run_id=look.run_id,
        at_utc=look.at_utc,
        line=line.line,
        status=status,
        error=error,
        notes=notes,
    )
    is_known = said is not None and replace(event, at_utc=said.at_utc) == said
    return () if is_known else (event,)


def _doubt(look: _Look, line: PlanLine) -> str:
    """What is known about a line that stays Unresolved, and a hint from the position."""
    texts = [_order_doubt(look, one) for one in line.reached_attempts if not one.is_proven]
    if not texts:
        return ""
    ticket = line.ticket
    holding = look.state.plan.plan.before.holdings.get(ticket.symbol)
    before = shares_text(holding.qty_shares if holding is not None else ZERO)
    now = shares_text(look.view.held_shares.get(ticket.con_id, ZERO))
    texts.append(f"{ticket.symbol} held before the run {before}, now {now} (a hint, no proof)")
    return "; ".join(texts)


def _order_doubt(look: _Look, attempt: Attempt) -> str:
    ref, filled = attempt.request.order_ref, shares_text(attempt.filled_shares)
    open_order = look.view.open_order(attempt)
    if open_order is not None:
        return f"{ref} still works as {open_order.status} ({filled} shares executed)"
    completed = look.view.completed_order(attempt)
    if completed is not None:
        total = shares_text(completed.filled_shares)
        return (
            f"{ref} is listed as {completed.status} with {total} shares, executions show {filled}"
        )
    if look.view.working is None:
        return f"{ref}: the gateway's read-only API does not list orders"
    return f"{ref}: {NOT_PROVEN}; no list of the broker names it ({filled} shares executed)"
