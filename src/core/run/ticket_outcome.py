"""What became of a ticket, over all its attempts, in the words of the report and of the display."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from src.base.money import shares_text
from src.core.orders.codes import blames_algo
from src.core.orders.state import OrderState
from src.core.orders.tickets import TicketProgress, TicketState
from src.core.records.orders import (
    OrderStyle,
    TicketStatus,
    status_by_shares,
    with_words,
    without_reason,
)
from src.core.records.plan import OrderOutcome

NEVER_SENT: Final = "the run ended before this was sent"
NOT_PROVEN: Final = "the fate of its order is not proven"
_ZERO: Final = Decimal(0)


def ticket_outcome(state: TicketState) -> OrderOutcome:
    """What became of the ticket so far, over all attempts, with the texts for the report."""
    status = _status(state)
    return OrderOutcome(
        ticket=state.ticket,
        status=status,
        fills=state.fills,
        error="" if status is TicketStatus.FILLED else _error(state, status),
        notes=_notes(state),
    )


def progress_of(state: TicketState) -> TicketProgress:
    """What the live display shows for a ticket."""
    doing = ticket_outcome(state).status.value
    is_waiting = not state.orders and not state.skip_reason
    if state.orders and state.orders[-1].is_open:
        last = state.orders[-1]
        doing = "cancelling" if last.end_wish else last.broker_status or last.phase.value
    elif is_waiting:
        doing = "waiting"
    return TicketProgress(
        line=state.line,
        symbol=state.ticket.symbol,
        side=state.ticket.side,
        limit_shares=state.limit_shares,
        filled_shares=state.filled_shares,
        doing=doing,
        attempt=len(state.orders),
        is_open=is_waiting or any(order.is_open for order in state.orders),
    )


def refit_notes(state: TicketState) -> tuple[str, ...]:
    """From which quantity a ticket that is sent at all was cut, if it was."""
    approved = state.ticket.qty_shares
    is_cut = state.limit_shares != approved and state.limit_shares > _ZERO
    return (f"refitted from {shares_text(approved)}",) if is_cut else ()


def _status(state: TicketState) -> TicketStatus:
    sent = [order for order in state.orders if order.was_sent]
    if any(order.fills for order in state.orders if not order.was_sent):
        return TicketStatus.UNRESOLVED
    if not sent:
        return TicketStatus.SKIPPED
    if state.filled_shares > state.limit_shares or any(_is_unproven(order) for order in sent):
        return TicketStatus.UNRESOLVED
    executed = status_by_shares(state.filled_shares, state.limit_shares)
    return executed or sent[-1].status or TicketStatus.UNRESOLVED


def _is_unproven(order: OrderState) -> bool:
    return order.is_open or order.status is TicketStatus.UNRESOLVED


def _error(state: TicketState, status: TicketStatus) -> str:
    if status is TicketStatus.SKIPPED:
        reasons = "; ".join(order.error for order in state.orders)
        return reasons or state.skip_reason or NEVER_SENT
    if state.filled_shares > state.limit_shares:
        over = f"{shares_text(state.filled_shares)} shares executed"
        return f"{over}, {shares_text(state.limit_shares)} were to be traded"
    texts = [_end_text(order) for order in state.orders]
    if status is TicketStatus.UNRESOLVED and not any(order.doubt for order in state.orders):
        texts.append(NOT_PROVEN)
    return "; ".join(dict.fromkeys(text for text in texts if text))


def _end_text(order: OrderState) -> str:
    """Why an order is not filled: the broker's bare word for its end where it said no more."""
    if order.status is None:
        return order.reason or order.cancel_reason
    if order.notices and order.reason and order.reason == order.cancel_reason:
        # What kept it from filling is more to the point than the limit that ended it.
        return with_words(order.reason, order.notices[-1])
    if order.reason or order.status is TicketStatus.FILLED:
        return order.reason
    return without_reason(order.broker_status or order.status.value)


def _notes(state: TicketState) -> tuple[str, ...]:
    notes = list(refit_notes(state))
    for order in state.orders:
        if order.was_sent:
            notes.append(_how(order, has_fallback=len(state.orders) > 1))
        notes.extend(order.notices)
    if state.was_sent and state.skip_reason:
        notes.append(state.skip_reason)
    return tuple(notes)


def _how(order: OrderState, *, has_fallback: bool) -> str:
    style = order.request.style
    name = "plain market" if style is OrderStyle.PLAIN else f"algo {style.value}"
    if order.attempt == 1:
        is_refused = has_fallback or blames_algo(order.error_code, is_plain_refused=True)
        return f"{name} refused ({order.error})" if is_refused and order.error else name
    return f"fallback: {name} for {shares_text(order.request.qty_shares)} shares"
