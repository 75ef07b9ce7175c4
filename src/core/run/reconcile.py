"""What an earlier run left × what the broker lists now → findings to append to its journal.

A dead run is a live one after a long gap: each of its orders is told that the connection is back
and gets the broker's answers, by the rules of ``orders.machine``, which are the only ones. What
these then want to be recorded are the findings. Nothing is sent again, and nothing is cancelled
here: a cancel that the rules ask for is neither carried out nor recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from src.base.money import ZERO, shares_text
from src.core.journal.events import CancelRequested, JournalEvent, TicketEnded
from src.core.orders.events import FillSeen
from src.core.orders.machine import next_step
from src.core.orders.state import (
    BrokerAnswered,
    GaveUp,
    LinkRestored,
    OrderCommand,
    OrderEvent,
    OrderState,
    Phase,
    WriteJournal,
)
from src.core.orders.tickets import TicketState
from src.core.records.orders import OVER_WORDS, Fill, TicketStatus, WorkingOrder
from src.core.run.broker_view import BrokerView
from src.core.run.order_memory import SETTLED_LATER
from src.core.run.outcome import standing_word
from src.core.run.state import RunState, find_order
from src.core.run.ticket_outcome import NOT_PROVEN, ticket_outcome

_LISTS_REACH: Final = timedelta(hours=12)
"""Executions are listed for one day of the gateway's own; an order of longer ago may lack some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One run beside what the broker lists."""

    state: RunState
    view: BrokerView
    at_utc: datetime


_Found = tuple[OrderState, tuple[JournalEvent, ...]]


def reconcile_run(state: RunState, view: BrokerView, at_utc: datetime) -> tuple[JournalEvent, ...]:
    """The findings about one open run; appending them and folding again gives its new state.

    Findings that the journal holds already are not repeated, so doing this again adds nothing.
    """
    look = _Look(state=state, view=view, at_utc=at_utc)
    events: list[JournalEvent] = []
    words: list[JournalEvent] = []
    for ticket in state.tickets:
        settled, found = _settled(look, ticket)
        events += found
        if found or not _is_told(ticket):
            words += _last_words(look, settled)
    return (*events, *words)


def needs_another_look(state: RunState, view: BrokerView, at_utc: datetime) -> bool:
    """True while another round of questions could prove more about an order of the run."""
    look = _Look(state=state, view=view, at_utc=at_utc)
    return any(_asked(look, order)[0].phase is Phase.CLOSING for order in state.orders)


def working_orders(state: RunState, view: BrokerView) -> tuple[WorkingOrder, ...] | None:
    """The orders of the run that are listed as open and not as over; None: nothing is listed."""
    if view.working is None:
        return None
    return tuple(
        one
        for one in view.working
        if find_order(state, one.order_ref, one.perm_id) and one.status not in OVER_WORDS
    )


def _settled(look: _Look, ticket: TicketState) -> tuple[TicketState, tuple[JournalEvent, ...]]:
    events: list[JournalEvent] = []
    orders: list[OrderState] = []
    for one in ticket.orders:
        order, found = _asked(look, one)
        order, given_up = _fed(order, [GaveUp(reason=_doubt(order))], look.at_utc)
        orders.append(order)
        events += (*found, *given_up)
    return replace(ticket, orders=tuple(orders)), tuple(events)


def _asked(look: _Look, order: OrderState) -> _Found:
    """The order once the broker has answered, round by round."""
    order, events = _fed(order, [LinkRestored()], look.at_utc)
    for number, answer in enumerate(_answers(look)):
        told: list[OrderEvent] = []
        if number and order.phase is Phase.WORKING:
            told.append(LinkRestored())
        told += [FillSeen(fill=fill) for fill in answer.fills if _owns(look, order, fill)]
        order, more = _fed(order, [*told, answer], look.at_utc)
        events += more
    return order, events


def _answers(look: _Look) -> tuple[BrokerAnswered, ...]:
    approved = look.state.approved
    age = look.at_utc - approved.at_utc if approved is not None else timedelta(0)
    return tuple(replace(one, reaches_back=age < _LISTS_REACH) for one in look.view.answers)


def _owns(look: _Look, order: OrderState, fill: Fill) -> bool:
    owner = find_order(look.state, fill.order_ref, fill.perm_id)
    return owner is not None and owner.request.order_ref == order.request.order_ref


def _fed(order: OrderState, events: Iterable[OrderEvent], at_utc: datetime) -> _Found:
    found: list[JournalEvent] = []
    for event in events:
        order, commands = next_step(order, event, at_utc)
        found += _records(commands)
    return order, tuple(found)


def _records(commands: Iterable[OrderCommand]) -> list[JournalEvent]:
    """What is to be written down, but for cancels that nobody sends."""
    events = [command.event for command in commands if isinstance(command, WriteJournal)]
    return [event for event in events if not isinstance(event, CancelRequested)]


def _doubt(order: OrderState) -> str:
    filled = f"({shares_text(order.filled_shares)} shares executed)"
    if order.phase is Phase.WORKING:
        return f"{order.request.order_ref} still works as {order.broker_status} {filled}"
    return f"{order.request.order_ref}: {NOT_PROVEN} {filled}"


def _is_told(ticket: TicketState) -> bool:
    """True when a proven last word holds and no order of the ticket is open."""
    word = standing_word(ticket)
    is_proven = word is not None and word.status is not TicketStatus.UNRESOLVED
    return is_proven and not any(order.is_open or order.faults for order in ticket.orders)


def _last_words(look: _Look, ticket: TicketState) -> tuple[JournalEvent, ...]:
    """The ticket's new last word, unless the one on record says the same."""
    said, has_faults = ticket.last_word, any(order.faults for order in ticket.orders)
    outcome = ticket_outcome(ticket)
    is_open = outcome.status is TicketStatus.UNRESOLVED
    is_lost = is_open and not has_faults and ticket.filled_shares <= ticket.limit_shares
    event = TicketEnded(
        run_id=look.state.run_id,
        at_utc=look.at_utc,
        line=ticket.line,
        status=outcome.status,
        error=f"{outcome.error}; {_hint(look, ticket)}" if is_lost else outcome.error,
        notes=outcome.notes if is_open else (*outcome.notes, SETTLED_LATER),
    )
    is_known = said is not None and _gist(said) == _gist(event)
    return () if is_known else (event,)


def _gist(word: TicketEnded) -> tuple[TicketStatus, str, tuple[str, ...]]:
    notes = tuple(note for note in word.notes if note != SETTLED_LATER)
    return word.status, word.error, notes


def _hint(look: _Look, ticket: TicketState) -> str:
    """What the position was and is, which proves nothing."""
    one = ticket.ticket
    holding = look.state.plan.plan.before.holdings.get(one.symbol)
    before = shares_text(holding.qty_shares if holding is not None else ZERO)
    now = shares_text(look.view.held_shares.get(one.con_id, ZERO))
    return f"{one.symbol} held before the run {before}, now {now} (a hint, no proof)"
