"""What leaves next: cancels first, then orders, within the pace, at most one message a step.

So whatever came meanwhile (an alarm, Ctrl+C) is known before the next order leaves. An order is
noted before it leaves and is sent at most once; what may or may not have left is never repeated.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from src.core.calendar.sessions import closed_text, sessions_of
from src.core.journal.events import IntentRecorded, JournalEvent, NotSent
from src.core.orders.ref import make_order_ref
from src.core.orders.state import Begin, Cancel, OrderState, PlaceRefused, PlaceUncertain
from src.core.orders.styles import choose_style
from src.core.orders.tickets import TicketState, with_order
from src.core.records.orders import OrderRequest, OrderStyle
from src.core.running.link import lose_connection
from src.core.running.moves import alarm, conclude, emit, halt, put, say, skip
from src.core.running.orders import fallback_is_due, feed
from src.core.running.pace import leaves_at, take_turn
from src.core.running.parts import Run
from src.core.running.words import Claimed, ClaimOrderId, Placed, Written

_CLOCK_DOUBT: Final = timedelta(seconds=1)


def next_send(run: Run) -> timedelta | None:
    """When the next message may leave; None: nothing waits that may."""
    has_line = bool(run.lines) and not run.gap.is_open
    return leaves_at(run) if run.link.is_usable and (run.cancels or has_line) else None


def send_if_due(run: Run) -> Run:
    """Let the next message leave, if its time has come."""
    moment = next_send(run)
    while moment is not None and moment <= run.moment.elapsed:
        if run.cancels:
            order_id, left = run.cancels[0], run.cancels[1:]
            return emit(take_turn(run._replace(cancels=left)), Cancel(order_id=order_id))
        if not _is_void(run, run.lines[0]):
            return _begin_next(run)
        run = _drop_void(run)
        moment = next_send(run)
    return run


def claimed(run: Run, event: Claimed) -> Run:
    """The next order has its id; without ids there are no more orders."""
    if not event.refused:
        return run._replace(order_id=event.order_id)
    if run.lines:
        line, left = run.lines[0], run.lines[1:]
        run = skip(run._replace(lines=left), line, f"not sent: {event.refused}")
    return alarm(run, event.refused)


def placed(run: Run, event: Placed) -> Run:
    """How the sending of an order went."""
    how = event.how
    if isinstance(how, PlaceUncertain) or (isinstance(how, PlaceRefused) and how.lost_connection):
        run = lose_connection(run, how.reason)
    run = feed(run, event.order_ref, how)
    if event.is_on_record:
        return run
    # Its intent is not on disk and it was not sent: as if it had never been meant.
    kept = tuple(one for one in run.unwritten if not _announces(one, event.order_ref))
    return run._replace(unwritten=kept)


def written(run: Run, event: Written) -> Run:
    """What could not be written down stays first in line; no order leaves without its record."""
    if not event.error:
        return run._replace(unwritten=run.unwritten[event.records :])
    if not run.journal_error:
        run = say(run, f"journal could not be written: {event.error}", "error")
    run = run._replace(journal_error=event.error)
    return halt(run, f"the journal cannot be written ({event.error})")


def _announces(record: JournalEvent, order_ref: str) -> bool:
    if isinstance(record, IntentRecorded):
        return record.request.order_ref == order_ref
    return isinstance(record, NotSent) and record.order_ref == order_ref


def _closed(run: Run, line: int) -> str:
    """Why the ticket's market is closed, or as good as closed, by the gateway's clock; empty: open.

    What ends an order at the close is heard at the close: a buy must not follow it by a clock that
    is known to a second.
    """
    terms = run.terms
    listing = terms.listings.get(run.ticket(line).ticket.symbol)
    sessions = sessions_of(listing, terms.settings.rebalance.trading_hours)
    at_utc = run.moment.at_utc + terms.clock_offset
    return closed_text(sessions, at_utc) or closed_text(sessions, at_utc + _CLOCK_DOUBT)


def _is_filled(run: Run, line: int) -> bool:
    """True when, while the rest waited for its turn, the first order filled or came to life."""
    ticket = run.ticket(line)
    return bool(ticket.orders) and not fallback_is_due(run, ticket)


def _is_void(run: Run, line: int) -> bool:
    return _is_filled(run, line) or bool(_closed(run, line))


def _drop_void(run: Run) -> Run:
    line, left = run.lines[0], run.lines[1:]
    is_filled, closed = _is_filled(run, line), _closed(run, line)
    run = run._replace(lines=left)
    return conclude(run, line) if is_filled else skip(run, line, f"not sent: {closed}")


def _begin_next(run: Run) -> Run:
    """Send the next order of the first ticket in line, once there is an id for it."""
    if run.order_id is None:
        return emit(run, ClaimOrderId(at_least=run.terms.least_order_id))
    line, order_id = run.lines[0], run.order_id
    order = plan_attempt(run, run.ticket(line), order_id)
    run = take_turn(run._replace(lines=run.lines[1:], order_id=None))
    return feed(put(run, with_order(run.ticket(line), order)), order.request.order_ref, Begin())


def plan_attempt(run: Run, ticket: TicketState, order_id: int) -> OrderState:
    """The next attempt at a ticket, for what is not filled yet; a second one is plain."""
    terms, execution = run.terms, run.terms.settings.execution
    attempt, permit = len(ticket.orders) + 1, terms.permit
    style, outside_rth = choose_style(
        execution,
        terms.settings.rebalance.trading_hours,
        terms.listings.get(ticket.ticket.symbol),
        run.moment.at_utc + terms.clock_offset,
    )
    request = OrderRequest(
        order_ref=make_order_ref(permit.order_prefix, permit.run_id, ticket.line, attempt),
        order_id=order_id,
        account_id=permit.account_id,
        con_id=ticket.ticket.con_id,
        symbol=ticket.ticket.symbol,
        side=ticket.ticket.side,
        qty_shares=ticket.limit_shares - ticket.filled_shares,
        style=OrderStyle.PLAIN if ticket.orders else style,
        adaptive_priority=execution.adaptive_priority,
        outside_rth=outside_rth,
    )
    return OrderState(
        run_id=permit.run_id,
        line=ticket.line,
        attempt=attempt,
        request=request,
        client_id=terms.client_id,
        patience=replace(terms.patience, order_sec=execution.order_timeout_sec),
        quote_usd=run.means.prices.get(ticket.ticket.symbol, ticket.ticket.est_price_usd),
    )
