"""Carry out one permitted plan: sells first, then buys fitted to the cash that is proven.

Every order is on record before it leaves and is sent at most once. What ends the sending early
(an alarm, a lost connection, Ctrl+C, a journal that cannot be written) leaves the rest Skipped,
each with its reason; whatever was sent is followed until it has a status.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from src.base.settings import Settings
from src.broker.ports import OrderDesk
from src.broker.sending.buying import Buying
from src.broker.sending.gap_watch import GapWatch
from src.broker.sending.link import BrokerLink, Reconnect
from src.broker.sending.order_books import JournalWriter, OrderBooks
from src.broker.sending.order_follower import OrderFollower
from src.broker.sending.order_reactor import FollowRules, OrderReactor
from src.broker.sending.settling import Settling
from src.broker.wire.clock import Clock, SystemClock
from src.core.batches import first_states, lines_of
from src.core.orders.state import Patience
from src.core.orders.tickets import SendingRules, TicketProgress
from src.core.permission.permit import TradePermit
from src.core.records.account import AccountSnapshot
from src.core.records.market import Listing
from src.core.records.orders import Side
from src.core.records.plan import OrderOutcome, TradePlan
from src.core.records.portfolios import Symbol
from src.core.run.ticket_outcome import ticket_outcome

_MOST_SETTLINGS: Final = 3


def _show_nothing(_: TicketProgress) -> None:
    """No live display."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRun:
    """What is to be carried out, and with what.

    ``snapshot`` was read after the answer: its cash is what the buys start from.
    ``least_order_id`` is above every order id in the journal, open orders and executions.
    ``earlier_refs`` are the orders of earlier runs, as the journal knows them.
    ``patience`` says how long answers are waited for (the time limit of orders is a setting).
    ``clock_offset`` is the gateway's time minus ours.
    ``reconnect`` brings a new desk after the socket was lost, or raises ``BrokerLost``.
    ``stop`` is set to end the run early; cancelling the task that awaits ``execute`` does it too.
    """

    plan: TradePlan
    permit: TradePermit
    settings: Settings
    snapshot: AccountSnapshot
    listings: Mapping[Symbol, Listing]
    journal: JournalWriter
    reconnect: Reconnect
    least_order_id: int = 0
    earlier_refs: Collection[str] = frozenset()
    clock_offset: timedelta = timedelta(0)
    patience: Patience = Patience()
    progress: Callable[[TicketProgress], None] = _show_nothing
    clock: Clock = field(default_factory=SystemClock)
    stop: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionResult:
    """What became of every ticket, in plan order, and why the sending ended early, if it did.

    ``orders_sent`` counts orders that may have reached the broker.
    ``was_disconnected``: our socket was lost at some time, or the gateway's line at the end.
    ``after`` is the account as read after the last order (None: not read); see ``settle``.
    ``journal_error`` tells that the journal lacks something that is in ``outcomes``.
    """

    outcomes: tuple[OrderOutcome, ...]
    orders_sent: int
    after: AccountSnapshot | None = None
    halt_reason: str = ""
    alarms: tuple[str, ...] = ()
    was_interrupted: bool = False
    was_disconnected: bool = False
    journal_error: str = ""


async def execute(run: ExecutionRun, desk: OrderDesk) -> ExecutionResult:
    """Send the plan's orders and follow each to its status.

    The first cancellation of the awaiting task is a normal path: it ends what works and returns.
    Raises: JournalError when the very first record could not be written (nothing was sent).
    """
    work = asyncio.ensure_future(_Execution(run, desk).carry_out())
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if work.cancelled():
            raise
        _forget_cancellation()
        run.stop.set()
        return await work


def _forget_cancellation() -> None:
    """The interrupt is handled here, so whoever awaits us is not to be cancelled for it."""
    task = asyncio.current_task()
    if task is not None and sys.version_info >= (3, 11):
        task.uncancel()


class _Execution:
    """One run, from the first order to the last status."""

    def __init__(self, run: ExecutionRun, desk: OrderDesk) -> None:
        self._run = run
        self._books = OrderBooks(run.permit.run_id, run.journal, run.clock, run.progress)
        self._link = BrokerLink(desk, run.reconnect, run.clock)
        self._reactor = OrderReactor(_rules(run, desk), self._link, self._books, run.clock)
        limit_sec = float(run.patience.account_sec)
        gap = GapWatch(self._reactor, run.clock, (run.plan, run.snapshot), limit_sec)
        self._follower = OrderFollower(self._reactor, run.clock, run.stop, gap)
        self._buying = Buying(run, self._reactor, self._follower)
        for ticket in first_states(run.plan):
            self._books.add(ticket)

    async def carry_out(self) -> ExecutionResult:
        """Sells, then buys, then what is still outstanding about them."""
        tickets = self._books.tickets.values()
        sells, buys = lines_of(tickets, Side.SELL), lines_of(tickets, Side.BUY)
        try:
            await self._sell(sells)
            await self._buy(list(buys), after_sells=bool(sells))
            return self._result(await self._settle())
        finally:
            self._follower.close()

    async def _settle(self) -> AccountSnapshot | None:
        """What is still to come after the last order: commissions, late fills, the account."""
        self._reactor.is_over = True
        if not any(order.was_sent for order in self._books.orders()):
            return None
        settling = Settling(self._reactor, self._follower, self._run.snapshot, self._run.clock)
        patience = self._run.patience
        after: AccountSnapshot | None = None
        for _ in range(_MOST_SETTLINGS):
            await self._follower.follow(())
            await settling.await_late_fills(float(patience.proof_sec))
            await self._follower.await_commissions(float(patience.commission_sec))
            after = await settling.read_account(float(patience.account_sec))
            if not self._books.open_orders():  # else one that was over works again: to its end
                break
        return after

    async def _sell(self, lines: Collection[int]) -> None:
        """One batch, or one order after another."""
        if self._run.settings.execution.batch_orders:
            await self._follower.follow(lines)
            return
        for line in lines:
            await self._follower.follow((line,))

    async def _buy(self, lines: list[int], *, after_sells: bool) -> None:
        """Likewise, each time fitted to what there is to spend at that moment."""
        while lines:
            lines = await self._buying.fit(lines, after_sells=after_sells)
            at_once = self._buying.at_once(lines)
            await self._follower.follow(lines[:at_once])
            lines, after_sells = lines[at_once:], False

    def _result(self, after: AccountSnapshot | None) -> ExecutionResult:
        reactor, books = self._reactor, self._books
        tickets = tuple(books.tickets.values())
        sent = sum(order.was_sent for order in books.orders())
        if books.journal_error is not None and not sent:
            raise books.journal_error
        return ExecutionResult(
            outcomes=tuple(ticket_outcome(ticket) for ticket in tickets),
            orders_sent=sent,
            after=after,
            halt_reason=reactor.halt_reason,
            alarms=tuple(reactor.alarms),
            was_interrupted=self._follower.was_interrupted,
            was_disconnected=self._link.was_lost or not self._link.is_usable,
            journal_error=str(books.journal_error or ""),
        )


def _rules(run: ExecutionRun, desk: OrderDesk) -> FollowRules:
    return FollowRules(
        sending=SendingRules(
            run_id=run.permit.run_id,
            order_prefix=run.permit.order_prefix,
            account_id=run.permit.account_id,
            client_id=desk.client_id,
            execution=run.settings.execution,
            trading_hours=run.settings.rebalance.trading_hours,
            patience=run.patience,
        ),
        listings=run.listings,
        least_order_id=run.least_order_id,
        since_utc=(run.permit.granted_at_utc + run.clock_offset).replace(microsecond=0),
        earlier_refs=run.earlier_refs,
        clock_offset=run.clock_offset,
    )
