"""An order rebuilt from its journal: every record is told again to the machine that wrote it.

Nothing is decided here. What the live run learned by asking is on record as what the list showed
(``Acknowledged.seen_in``); what it only waited for (deadlines, questions) is not, and a later
start asks anew. Commands are dropped: they were carried out, or died with the process.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from src.core.journal.events import (
    CONTRADICTION,
    SEND_BROKE,
    Acknowledged,
    CancelRequested,
    CommissionRecorded,
    FillRecorded,
    IntentRecorded,
    NotSent,
    OrderEnded,
    OrderNoticed,
    SeenIn,
    Sent,
    TicketEnded,
)
from src.core.orders.events import (
    CommissionSeen,
    FillSeen,
    OpenOrderSeen,
    OrderErrorSeen,
    StatusSeen,
)
from src.core.orders.machine import next_step
from src.core.orders.moves import alarm, finish, move, status_by_fills
from src.core.orders.proof import alive, completed, listed_over, named
from src.core.orders.state import (
    Begin,
    Claim,
    OrderEvent,
    OrderState,
    Phase,
    PlaceRefused,
    PlaceUncertain,
)
from src.core.orders.tickets import TicketState
from src.core.records.orders import INACTIVE_WORD, TicketStatus, WorkingOrder
from src.core.run.ticket_outcome import ticket_outcome

SETTLED_LATER: Final = "settled by a later start"
"""The note of a ticket whose end a later start has proven."""

OrderRecord = (
    Sent
    | NotSent
    | Acknowledged
    | OrderNoticed
    | CancelRequested
    | OrderEnded
    | FillRecorded
    | CommissionRecorded
)


def announced(event: IntentRecorded, client_id: int) -> OrderState:
    """The order as it was when its bytes may have left."""
    planned = OrderState(
        run_id=event.run_id,
        line=event.line,
        attempt=event.attempt,
        request=event.request,
        client_id=client_id,
        quote_usd=event.quote_usd,
    )
    return next_step(planned, Begin(), event.at_utc)[0]


def remember(order: OrderState, record: OrderRecord) -> OrderState:
    """The order after one more record about it."""
    if isinstance(record, Sent):
        return order  # It may have reached the broker ever since it was announced.
    if isinstance(record, CancelRequested):
        reason = record.reason or "cancel requested"
        return replace(order, end_wish=reason, cancel_reason=reason, is_cancel_asked=True)
    if isinstance(record, OrderEnded):
        return _ended(order, record)
    if isinstance(record, OrderNoticed) and record.code == CONTRADICTION:
        return alarm(order, record.text, record.at_utc)[0]
    if isinstance(record, Acknowledged) and record.seen_in is not SeenIn.MESSAGE:
        return _listed(order, record)
    return _unasked(next_step(order, _told(order, record), record.at_utc)[0], order)


def close_ticket(ticket: TicketState, event: TicketEnded) -> TicketState:
    """The ticket with its last word, and what only that tells about it."""
    if event.status is TicketStatus.UNRESOLVED:
        lost = tuple(
            (
                replace(move(one, Phase.DONE), status=event.status, doubt=event.error)
                if one.is_open
                else one
            )
            for one in ticket.orders
        )
        ticket = replace(ticket, orders=lost)
    known = {*ticket_outcome(ticket).notes, SETTLED_LATER}
    unsent = (
        [event.error] if not ticket.orders else [one for one in event.notes if one not in known]
    )
    reason = ticket.skip_reason or next(iter(unsent), "")
    return replace(ticket, last_word=event, skip_reason=reason)


def _told(
    order: OrderState,
    record: NotSent | Acknowledged | OrderNoticed | FillRecorded | CommissionRecorded,
) -> OrderEvent:
    """The event that the live run had and then recorded."""
    if isinstance(record, NotSent):
        return PlaceRefused(reason=record.reason)
    if isinstance(record, FillRecorded):
        return FillSeen(fill=record.fill)
    if isinstance(record, CommissionRecorded):
        return CommissionSeen(
            exec_id=record.exec_id,
            commission_usd=record.commission_usd,
            foreign_commission=record.foreign_commission,
        )
    if isinstance(record, Acknowledged):
        return _word(order, record)
    if record.code == SEND_BROKE:
        return PlaceUncertain(reason=record.text)
    return OrderErrorSeen(order_id=order.request.order_id, code=record.code, text=record.text)


def _word(order: OrderState, record: Acknowledged) -> OpenOrderSeen | StatusSeen:
    request = order.request
    if record.filled_shares is None:
        return OpenOrderSeen(order=_shown(order, record))
    return StatusSeen(
        order_id=request.order_id,
        client_id=order.client_id,
        perm_id=record.perm_id,
        status=record.status,
        filled_shares=record.filled_shares,
    )


def _shown(order: OrderState, record: Acknowledged) -> WorkingOrder:
    request = order.request
    return WorkingOrder(
        account_id=request.account_id,
        order_id=request.order_id,
        client_id=order.client_id,
        perm_id=record.perm_id,
        order_ref=request.order_ref,
        con_id=request.con_id,
        symbol=request.symbol,
        side=request.side.value,
        qty_shares=request.qty_shares,
        status=record.status,
    )


def _unasked(after: OrderState, before: OrderState) -> OrderState:
    """Whether an end was asked for is told by its own record alone."""
    return replace(
        after, cancel_reason=before.cancel_reason, is_cancel_asked=before.is_cancel_asked
    )


def _listed(order: OrderState, record: Acknowledged) -> OrderState:
    """What the broker's lists showed when the live run asked."""
    asked = order if order.phase is Phase.CLOSING else move(order, Phase.CLOSING)
    if record.seen_in is SeenIn.COMPLETED_ORDERS and record.filled_shares is not None:
        total = record.filled_shares
        return completed(asked, record.perm_id, record.status, total, record.text)
    shown = named(asked, record.perm_id, record.status)
    return alive(shown) if record.is_alive else listed_over(shown, record.status)


def _ended(order: OrderState, record: OrderEnded) -> OrderState:
    """Version 1 told a refusal that it found in a list by the broker's word alone."""
    if record.broker_status == INACTIVE_WORD and not order.claim.is_broker_word:
        order = replace(order, claim=Claim.REJECTED)
    word = record.broker_status or order.broker_status
    over = replace(order, broker_status=word, error=record.error or order.error)
    return finish(over, status_by_fills(over), record.evidence, record.at_utc)[0]
