"""The loop that follows orders to their end: it wakes, takes what has come, sends what is due.

Nothing is polled: it wakes for an event, an answer, a deadline or Ctrl+C. What arrived together
is taken together and committed to the journal in one go, before the next message leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, Final

from src.broker.sending.gap_watch import GapWatch
from src.broker.sending.order_reactor import OrderReactor
from src.broker.wire.clock import Clock
from src.core.orders.codes import READ_ONLY_CODE
from src.core.orders.events import FillSeen, LinkSeen, LinkState
from src.core.orders.state import BrokerAnswered, CancelWanted, GaveUp, LinkRestored
from src.core.records.orders import TicketStatus, with_words

INTERRUPTED: Final = "interrupted by the user"
_STOP_LIMIT_SEC: Final = 60.0
_LAST_RESORT_SEC: Final = 600.0


class OrderFollower:
    """Drives one run's orders; ``stop`` is set by the first Ctrl+C."""

    def __init__(
        self, reactor: OrderReactor, clock: Clock, stop: asyncio.Event, gap: GapWatch
    ) -> None:
        self.was_interrupted = False
        self.gap = gap
        self._reactor = reactor
        self._books = reactor.books
        self._link = reactor.link
        self._clock = clock
        self._give_up_at: float | None = None
        self._stop_event = stop
        self._stop: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())

    def close(self) -> None:
        """End the background tasks."""
        self._reactor.inquiry.drop()
        self._link.close()
        self._stop.cancel()

    async def follow(self, lines: Collection[int]) -> None:
        """Send these tickets and return once every order of the run has a status."""
        self._reactor.sender.lines.extend(lines)
        if self._reactor.halt_reason:
            self._reactor.halt(self._reactor.halt_reason)
        await self._take_what_came()
        while True:
            await self._send_due()
            self._write()
            if self._is_done():
                return
            await self._wake(None)

    async def follow_while(
        self, task: asyncio.Future[Any], limit_sec: float, *, also_when_interrupted: bool = True
    ) -> None:
        """Keep listening until something else is done, at most so long.

        With ``also_when_interrupted`` false it ends at the user's interrupt, too.
        """
        until = self._clock.monotonic() + limit_sec
        while not task.done() and self._clock.monotonic() < until:
            if self.was_interrupted and not also_when_interrupted:
                return
            await self._go_on(until, task)

    async def until_connected(self) -> None:
        """Keep listening until orders could leave, or the run may send nothing more."""
        while not self._reactor.halt_reason and (not self._link.is_usable or self.gap.is_open):
            await self._go_on(None)

    async def listen(self, seconds: float) -> None:
        """Keep listening for this long."""
        until = self._clock.monotonic() + seconds
        while self._clock.monotonic() < until:
            await self._go_on(until)

    async def await_commissions(self, seconds: float) -> None:
        """Give outstanding commissions this much time."""
        until = self._clock.monotonic() + seconds
        while self._books.missing_commissions() and self._link.is_open:
            if self._clock.monotonic() >= until or self.was_interrupted:
                return
            await self._go_on(until)

    async def _go_on(self, until: float | None, also: asyncio.Future[Any] | None = None) -> None:
        """Send what is due (a late cancel), then wait for more and write it down."""
        await self._send_due()
        await self._wake(until, also)
        self._write()

    def _is_done(self) -> bool:
        is_idle = self._reactor.sender.is_idle and not self._link.is_reconnecting
        return is_idle and not self._books.open_orders()

    def _write(self) -> None:
        if not self._books.flush():
            self._reactor.halt(f"the journal cannot be written ({self._books.journal_error})")
        self._books.show()

    async def _send_due(self) -> None:
        """Send what may leave now: cancels first, then new orders, within the pace."""
        sender = self._reactor.sender
        while self._may_send() and sender.wait_sec() <= 0:
            sender.take_turn()
            if sender.cancels:
                broken = await sender.cancel(sender.cancels.popleft())
                if broken:
                    self._reactor.lose_connection(broken)
            else:
                await self._reactor.begin(sender.lines.popleft())
            await self._take_interrupt()
            await self._take_events()

    def _may_send(self) -> bool:
        sender = self._reactor.sender
        if not self._link.is_usable:
            return False
        return bool(sender.cancels) or (bool(sender.lines) and not self.gap.is_open)

    async def _wake(self, until: float | None, also: asyncio.Future[Any] | None = None) -> None:
        """Wait for whatever comes first, and take everything that has come."""
        inquiry = self._reactor.inquiry
        if self._link.is_usable:
            inquiry.start(self._link.desk)
        tasks: list[asyncio.Future[Any]] = self._link.tasks()
        if inquiry.task is not None:
            tasks.append(inquiry.task)
        if not self.was_interrupted:
            tasks.append(self._stop)
        if also is not None:
            tasks.append(also)
        limit_sec, started = self._wait_sec(until), self._clock.monotonic()
        # Every open order has a deadline; should one ever lack it, the run ends all the same.
        is_endless = limit_sec is None and inquiry.task is None
        await self._clock.wait(tasks, _LAST_RESORT_SEC if is_endless else limit_sec)
        await self._take_what_came()
        if is_endless and self._clock.monotonic() - started >= _LAST_RESORT_SEC:
            await self._give_up(f"nothing was heard for {_LAST_RESORT_SEC:.0f} s")

    async def _take_what_came(self) -> None:
        await self._take_interrupt()
        await self._take_events()
        await self._take_new_desk()
        await self._take_answer()
        await self._take_deadlines()

    def _wait_sec(self, until: float | None) -> float | None:
        now = self._clock.monotonic()
        due = (self._reactor.next_timer(), self.gap.moment())
        known = (until, *due, self._link.deadline(), self._give_up_at)
        moments = [one for one in known if one is not None]
        if self._may_send():
            moments.append(now + self._reactor.sender.wait_sec())
        return max(0.0, min(moments) - now) if moments else None

    async def _take_events(self) -> None:
        for event in await self._link.ready_events():
            if isinstance(event, LinkSeen):
                await self._on_link(event)
            else:
                await self._reactor.take_evidence(event)

    async def _take_answer(self) -> None:
        taken = self._reactor.inquiry.take()
        if taken is None:
            return
        evidence = taken.evidence
        for ref in taken.order_refs:
            await self._reactor.feed(ref, evidence)
        if isinstance(evidence, BrokerAnswered):
            if evidence.working is None and any(map(self._is_read_only, taken.order_refs)):
                self._reactor.halt_read_only()
            for fill in evidence.fills:
                await self._reactor.take_evidence(FillSeen(fill=fill))
        elif any(self._is_unresolved(ref) for ref in taken.order_refs):
            # Whoever answers no questions is not to be sent more orders.
            self._reactor.halt(f"the gateway gives no answers: {evidence.reason}")
        self.gap.take(taken)

    def _is_unresolved(self, order_ref: str) -> bool:
        orders = self._books.ticket_of(order_ref).orders
        unresolved = [one for one in orders if one.status is TicketStatus.UNRESOLVED]
        return order_ref in {one.request.order_ref for one in unresolved}

    def _is_read_only(self, order_ref: str) -> bool:
        """Where no orders are listed either, this refusal can mean nothing else."""
        orders = self._books.ticket_of(order_ref).orders
        return any(order.error_code == READ_ONLY_CODE for order in orders)

    async def _take_deadlines(self) -> None:
        await self._reactor.fire_timers()
        self.gap.look_when_due()
        now, deadline = self._clock.monotonic(), self._link.deadline()
        if deadline is not None and now >= deadline and not self._link.is_reconnecting:
            self._link.lost_at = now  # counts anew, should anything still be open by then
            lost = "the gateway had no line to the broker for too long"
            await self._give_up(with_words(lost, self._link.lost_by))
        if self._give_up_at is not None and now >= self._give_up_at:
            self._give_up_at = None
            await self._give_up("not settled in time after the interrupt")

    async def _take_interrupt(self) -> None:
        if self.was_interrupted or not self._stop_event.is_set():
            return
        self.was_interrupted = True
        self._give_up_at = self._clock.monotonic() + _STOP_LIMIT_SEC
        self._reactor.halt(INTERRUPTED)
        await self._reactor.feed_all(self._books.orders(), CancelWanted(reason=INTERRUPTED))

    async def _on_link(self, event: LinkSeen) -> None:
        if event.state is LinkState.SOCKET_LOST:
            self._reactor.lose_connection(event.text)
        elif event.state is LinkState.UPSTREAM_LOST:
            self._reactor.inquiry.drop()
        else:
            await self._after_gap()

    async def _take_new_desk(self) -> None:
        found = self._link.take_new_desk()
        if isinstance(found, str):
            await self._give_up(f"the connection was lost and not restored: {found}")
        elif found is not None:
            await self._after_gap()

    async def _after_gap(self) -> None:
        """What was said meanwhile is lost, and somebody else may have traded: ask about it all."""
        self.gap.begin()
        await self._reactor.feed_all(self._books.orders(), LinkRestored())

    async def _give_up(self, reason: str) -> None:
        self._reactor.halt(reason)
        self._link.stop_reconnecting()
        self._reactor.sender.cancels.clear()
        await self._reactor.feed_all(self._books.open_orders(), GaveUp(reason=reason))
