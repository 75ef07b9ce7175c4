"""Give each piece of evidence to its order, and carry out what the order machine answers.

Whatever forbids further orders (an alarm, a lost connection, an interrupt, a journal that cannot
be written) halts the sending for the whole run; what was sent is followed to its end all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeGuard

from src.base.errors import Refused
from src.broker.sending.inquiry import Inquiry
from src.broker.sending.link import BrokerLink
from src.broker.sending.order_books import OrderBooks
from src.broker.sending.order_sender import OrderSender
from src.broker.wire.clock import Clock
from src.core.calendar.sessions import closed_text, sessions_of
from src.core.orders.codes import READ_ONLY_ADVICE, says_read_only
from src.core.orders.events import BrokerEvent, CommissionSeen, FillSeen, OrderErrorSeen
from src.core.orders.executions import execution_key
from src.core.orders.matching import stranger
from src.core.orders.state import (
    Begin,
    Cancel,
    CancelWanted,
    Finish,
    OrderCommand,
    OrderEvent,
    OrderState,
    Place,
    PlaceRefused,
    PlaceReturned,
    PlaceUncertain,
    QueryBroker,
    RaiseAlarm,
    SlowDown,
    StartTimer,
    TimerFired,
    TimerKind,
)
from src.core.orders.styles import choose_style
from src.core.orders.tickets import (
    SendingRules,
    TicketState,
    exceeds_limit,
    is_plain_refused,
    is_settled,
    is_used_up,
    plan_attempt,
    wants_fallback,
)
from src.core.records.market import Listing
from src.core.records.orders import Fill, OrderStyle
from src.core.records.portfolios import Symbol

log = logging.getLogger(__name__)

READ_ONLY: Final = "the gateway's API is read-only"
_LASTING: Final = (TimerKind.ORDER, TimerKind.LAST)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowRules:
    """What every order of the run shares; ``least_order_id`` is above every id seen so far.

    Executions from before ``since_utc`` by the gateway's clock, or of ``earlier_refs``, belong to
    earlier runs: the broker repeats the day's. ``clock_offset`` is the gateway's time minus ours,
    and sessions are judged by it.
    """

    sending: SendingRules
    listings: Mapping[Symbol, Listing]
    least_order_id: int
    since_utc: datetime
    earlier_refs: Collection[str] = frozenset()
    clock_offset: timedelta = timedelta(0)


class OrderReactor:
    """Evidence in, orders and cancels out; one per run.

    ``is_over`` is set after the last order: evidence still counts, no order follows from it.
    """

    def __init__(
        self, rules: FollowRules, link: BrokerLink, books: OrderBooks, clock: Clock
    ) -> None:
        self.books = books
        self.link = link
        self.inquiry = Inquiry()
        self.sender = OrderSender(link, books, clock)
        self.halt_reason = ""
        self.is_over = False
        self.alarms: list[str] = []
        self._rules = rules
        self._clock = clock
        self._timers: dict[tuple[str, TimerKind], float] = {}
        self._commissions: dict[str, CommissionSeen] = {}

    def halt(self, reason: str) -> None:
        """Send no further order in this run."""
        if not self.halt_reason:
            self.halt_reason = reason
            log.warning("no further order is sent: %s", reason)
        while self.sender.lines:
            self._drop(self.sender.lines.popleft(), self.halt_reason)

    def halt_read_only(self) -> None:
        """The gateway takes no orders at all: one more would be refused like the last."""
        text = f"{READ_ONLY} and refuses every order; {READ_ONLY_ADVICE}, then run again"
        if text not in self.alarms:
            self.alarms.append(text)
        self.halt(READ_ONLY)

    def lose_connection(self, reason: str) -> None:
        """The socket is gone: nothing more is sent, a new desk is fetched."""
        self.link.lose(reason)
        self.inquiry.drop()
        self.halt("the connection to the gateway was lost")

    def _drop(self, line: int, reason: str) -> None:
        """Nothing more is sent of this ticket; nothing of it may be left, after a late fill."""
        ticket = self.books.tickets[line]
        if is_used_up(ticket):
            self.books.conclude(line)
        else:
            self.books.skip(line, f"not sent: {reason}")

    async def begin(self, line: int) -> None:
        """Send the next order of a ticket, unless nothing of it is left to be sent."""
        ticket, sending = self.books.tickets[line], self._rules.sending
        if ticket.orders and not self._wants_fallback(ticket):
            # While the rest waited for its turn, the first order filled or came back to life.
            self.books.conclude(line)
            return
        listing = self._rules.listings.get(ticket.ticket.symbol)
        at_utc = self._clock.now_utc() + self._rules.clock_offset
        closed = closed_text(sessions_of(listing, sending.trading_hours), at_utc)
        if closed:
            self.books.skip(line, f"not sent: {closed}")
            return
        hours = sending.trading_hours
        style, outside_rth = choose_style(sending.execution, hours, listing, at_utc)
        if ticket.orders:
            style = OrderStyle.PLAIN
        try:
            order_id = self.link.desk.claim_order_id(self._rules.least_order_id)
        except Refused as error:
            self.books.skip(line, f"not sent: {error}")
            self._alarm(str(error))
            return
        order = plan_attempt(ticket, sending, order_id, (style, outside_rth))
        self.books.register(order)
        await self.feed(order.request.order_ref, Begin())

    async def take_evidence(self, event: BrokerEvent) -> None:
        """One message of the broker about an order."""
        owner = self.books.owner_of(event)
        if owner is None:
            self._take_unowned(event)
            return
        await self.feed(owner.request.order_ref, event)
        if isinstance(event, OrderErrorSeen) and says_read_only(event.code, event.text):
            self.halt_read_only()
        if isinstance(event, FillSeen):
            known = self._commissions.pop(execution_key(event.fill.exec_id), None)
            if known is not None:
                await self.feed(owner.request.order_ref, known)

    async def feed(self, order_ref: str, event: OrderEvent) -> None:
        """Give one event to one order and do what follows."""
        for command in self.books.apply(order_ref, event):
            await self._perform(order_ref, command)
        await self._look_at_ticket(self.books.ticket_of(order_ref))

    async def feed_all(self, orders: Iterable[OrderState], event: OrderEvent) -> None:
        """Give one event to several orders."""
        for order in orders:
            await self.feed(order.request.order_ref, event)

    def next_timer(self) -> float | None:
        """When the next deadline of an order passes."""
        return min(self._timers.values(), default=None)

    async def fire_timers(self) -> None:
        """Tell the orders whose deadlines have passed."""
        now = self._clock.monotonic()
        for key in [key for key, moment in self._timers.items() if moment <= now]:
            if self._timers.pop(key, None) is not None:
                fired = TimerFired(kind=key[1], said=self.link.desk.trouble)
                await self.feed(key[0], fired)

    async def _perform(self, order_ref: str, command: OrderCommand) -> None:
        if isinstance(command, Place):
            result = await self.sender.place(command.request)
            if _shows_a_loss(result):
                self.lose_connection(result.reason)
            await self.feed(order_ref, result)
        elif isinstance(command, Cancel):
            self._queue_cancel(order_ref, command.order_id)
        elif isinstance(command, QueryBroker):
            self.inquiry.doubt(order_ref)
        elif isinstance(command, StartTimer):
            moment = self._clock.monotonic() + float(command.seconds)
            self._timers[order_ref, command.kind] = moment
        elif isinstance(command, SlowDown):
            self.sender.slow_down()
        elif isinstance(command, RaiseAlarm):
            self._alarm(command.text)
        elif isinstance(command, Finish):
            self._forget_timers(order_ref)

    def _queue_cancel(self, order_ref: str, order_id: int) -> None:
        """A cancel waits for a line that may come back; nobody waits for one that will not."""
        if not (self.link.is_open or self.link.is_reconnecting):
            log.error("cancel not sent, there is no connection ref=%s", order_ref)
        elif order_id not in self.sender.cancels:
            self.sender.cancels.append(order_id)

    def _forget_timers(self, order_ref: str) -> None:
        """An order has a status. Its time limit goes on: it may show life again."""
        for key in [key for key in self._timers if key[0] == order_ref]:
            if key[1] not in _LASTING:
                del self._timers[key]

    async def _look_at_ticket(self, ticket: TicketState) -> None:
        if exceeds_limit(ticket):
            await self._prevent_over_fill(ticket)
        if not is_settled(ticket) or ticket.line in self.sender.lines:
            return
        if self._wants_fallback(ticket):
            self._send_rest(ticket)
        else:
            self.books.conclude(ticket.line)

    def _wants_fallback(self, ticket: TicketState) -> bool:
        refused = is_plain_refused(self.books.orders())
        return wants_fallback(ticket, self._rules.sending.execution, is_plain_refused=refused)

    def _send_rest(self, ticket: TicketState) -> None:
        """The algo was refused: what is left goes as plain market, unless the run is over."""
        if self.is_over:
            self.books.skip(ticket.line, "not sent: the algo's refusal came after the run")
            return
        log.warning("%s: algo refused, a plain market order follows", ticket.ticket.symbol)
        self.sender.lines.appendleft(ticket.line)
        if self.halt_reason:
            self.halt(self.halt_reason)

    async def _prevent_over_fill(self, ticket: TicketState) -> None:
        """A fill came in after the rest was sent anew: end the rest before it is too much."""
        if ticket.filled_shares > ticket.limit_shares:
            self._alarm(f"{ticket.ticket.symbol}: more executed than approved")
        late = [order for order in ticket.orders if order.is_open and not order.end_wish]
        await self.feed_all(late, CancelWanted(reason="late fill of the first order"))

    def _take_unowned(self, event: BrokerEvent) -> None:
        if isinstance(event, CommissionSeen):
            self._commissions[execution_key(event.exec_id)] = event
        elif isinstance(event, FillSeen):
            self._check_stranger(event.fill)
        else:
            log.info("message about no order of this run kind=%s", type(event).__name__)

    def _check_stranger(self, fill: Fill) -> None:
        if fill.order_ref in self._rules.earlier_refs:
            return
        sending = self._rules.sending
        text = stranger(fill, sending.account_id, sending.client_id, self._rules.since_utc)
        if text:
            self._alarm(text)

    def _alarm(self, text: str) -> None:
        if text not in self.alarms:
            self.alarms.append(text)
            log.error("alarm: %s", text)
        self.halt(text)


def _shows_a_loss(
    result: PlaceReturned | PlaceRefused | PlaceUncertain,
) -> TypeGuard[PlaceRefused | PlaceUncertain]:
    """True when the send failed for want of a connection."""
    if isinstance(result, PlaceRefused):
        return result.lost_connection
    return isinstance(result, PlaceUncertain)
