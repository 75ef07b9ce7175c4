"""The books of one run: every ticket's state, and what still has to be written down about it.

``apply`` takes one event to one order and keeps the journal records it caused; ``flush`` commits
them. A record that could not be committed stays first in line, so the journal never has a gap; no
order may leave before ``flush`` said yes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

from src.base.errors import JournalError
from src.broker.wire.clock import Clock
from src.core.journal.events import IntentRecorded, JournalEvent, NotSent, TicketEnded
from src.core.orders.events import BrokerEvent, CommissionSeen
from src.core.orders.executions import execution_key
from src.core.orders.machine import next_step
from src.core.orders.matching import order_id_of, owner_of
from src.core.orders.state import OrderCommand, OrderEvent, OrderState, Phase, WriteJournal
from src.core.orders.tickets import TicketProgress, TicketState, is_settled, with_order
from src.core.records.plan import OrderOutcome
from src.core.run.ticket_outcome import progress_of, ticket_outcome

log = logging.getLogger(__name__)


class JournalWriter(Protocol):
    """Where events are written down."""

    def append_all(self, events: Iterable[JournalEvent]) -> None:
        """Commit all of these or none, in this order, durably. Raises: JournalError."""


class OrderBooks:
    """Tickets by plan line, orders by reference."""

    def __init__(
        self,
        run_id: str,
        journal: JournalWriter,
        clock: Clock,
        progress: Callable[[TicketProgress], None],
    ) -> None:
        self.run_id = run_id
        self.tickets: dict[int, TicketState] = {}
        self.journal_error: JournalError | None = None
        self._lines: dict[str, int] = {}
        self._refs_by_id: dict[int, str] = {}
        self._refs_by_execution: dict[str, str] = {}
        self._changed: set[int] = set()
        self._journal = journal
        self._clock = clock
        self._progress = progress
        self._unwritten: list[JournalEvent] = []
        self._withdrawn: set[str] = set()
        self._last_words: dict[int, OrderOutcome] = {}
        self._shown: dict[int, TicketProgress] = {}

    def add(self, ticket: TicketState) -> None:
        """Take a ticket into the books, or bring it up to date."""
        self.tickets[ticket.line] = ticket
        self._changed.add(ticket.line)

    def register(self, order: OrderState) -> None:
        """Take the next attempt of a ticket into the books."""
        self._lines[order.request.order_ref] = order.line
        self._refs_by_id[order.request.order_id] = order.request.order_ref
        self.add(with_order(self.tickets[order.line], order))

    def orders(self) -> list[OrderState]:
        """All orders, in plan order."""
        return [order for ticket in self.tickets.values() for order in ticket.orders]

    def open_orders(self) -> list[OrderState]:
        """The orders that have no status yet."""
        return [order for order in self.orders() if order.is_open]

    def owner_of(self, event: BrokerEvent) -> OrderState | None:
        """The order an event is about: the one its ids suggest, else any that it names."""
        if isinstance(event, CommissionSeen):
            ref = self._refs_by_execution.get(execution_key(event.exec_id))
            return None if ref is None else self._order(ref)
        suggested = self._refs_by_id.get(order_id_of(event) or 0)
        first = owner_of(event, [self._order(suggested)]) if suggested else None
        return first or owner_of(event, self.orders())

    def ticket_of(self, order_ref: str) -> TicketState:
        """The ticket an order is an attempt at."""
        return self.tickets[self._lines[order_ref]]

    def apply(self, order_ref: str, event: OrderEvent) -> tuple[OrderCommand, ...]:
        """Take one event to one order; the commands that remain once its records are kept."""
        order = self._order(order_ref)
        after, commands = next_step(order, event, self._clock.now_utc())
        self.add(with_order(self.ticket_of(order_ref), after))
        for fill in after.fills:
            self._refs_by_execution[execution_key(fill.exec_id)] = order_ref
        _log_change(order, after)
        self.note(*(one.event for one in commands if isinstance(one, WriteJournal)))
        return tuple(one for one in commands if not isinstance(one, WriteJournal))

    def skip(self, line: int, reason: str) -> None:
        """Nothing (more) of this ticket will be sent."""
        ticket = self.tickets[line]
        if not ticket.skip_reason:
            self.add(replace(ticket, skip_reason=reason))
            log.info("ticket not sent line=%s reason=%s", line, reason)
        self.conclude(line)

    def conclude(self, line: int) -> None:
        """Write down what became of a settled ticket, when that is news."""
        ticket = self.tickets[line]
        if not is_settled(ticket):
            return
        outcome = ticket_outcome(ticket)
        word = replace(outcome, fills=())
        if self._last_words.get(line) == word:
            return
        self._last_words[line] = word
        self.note(
            TicketEnded(
                run_id=self.run_id,
                at_utc=self._clock.now_utc(),
                line=line,
                status=word.status,
                error=word.error,
                notes=word.notes,
            )
        )

    def note(self, *events: JournalEvent) -> None:
        """Keep these records for the next commit."""
        self._unwritten += [one for one in events if not self._is_withdrawn(one)]

    def withdraw(self, order_ref: str) -> None:
        """The intent is not on disk and the order was not sent: as if it had never been meant."""
        self._withdrawn.add(order_ref)
        self._unwritten = [one for one in self._unwritten if not self._is_withdrawn(one)]

    def _is_withdrawn(self, event: JournalEvent) -> bool:
        if isinstance(event, IntentRecorded):
            return event.request.order_ref in self._withdrawn
        return isinstance(event, NotSent) and event.order_ref in self._withdrawn

    def flush(self) -> bool:
        """Commit what was kept; False when it is still not on disk."""
        if self._unwritten:
            try:
                self._journal.append_all(tuple(self._unwritten))
            except JournalError as error:
                if self.journal_error is None:
                    log.error("journal could not be written: %s", error)  # noqa: TRY400
                self.journal_error = error
                return False
            self._unwritten.clear()
        return True

    def show(self) -> None:
        """Tell the live display what changed."""
        for line in sorted(self._changed):
            progress = progress_of(self.tickets[line])
            if self._shown.get(line) != progress:
                self._shown[line] = progress
                self._progress(progress)
        self._changed.clear()

    def _order(self, order_ref: str) -> OrderState:
        orders = self.ticket_of(order_ref).orders
        return next(one for one in orders if one.request.order_ref == order_ref)

    def missing_commissions(self) -> int:
        """How many executions the broker has not priced yet."""
        return sum(
            not fill.is_charged
            for ticket in self.tickets.values()
            for fill in ticket.fills
            if fill.qty_shares > Decimal(0)
        )


def _log_change(before: OrderState, after: OrderState) -> None:
    ref = after.request.order_ref
    if len(after.fills) > len(before.fills):
        log.info(
            "order executed ref=%s filled_shares=%s of=%s",
            ref,
            after.filled_shares,
            after.request.qty_shares,
        )
    has_moved = after.phase is not before.phase or after.status is not before.status
    if has_moved and after.phase is not Phase.SENDING:  # the sender says so, with all its terms
        status = after.status.value if after.status else after.broker_status
        log.info("order %s ref=%s status=%s", after.phase.value, ref, status)
    if after.reason and after.reason != before.reason:
        level = logging.WARNING if after.error_code else logging.INFO
        log.log(level, "%s order %s: %s", after.request.symbol, ref, after.reason)
    for notice in after.notices[len(before.notices) :]:
        log.info("order notice ref=%s text=%s", ref, notice)
    for fault in after.faults[len(before.faults) :]:
        log.error("order contradiction ref=%s text=%s", ref, fault)
