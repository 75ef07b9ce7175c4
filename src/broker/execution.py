"""Carry out one permitted plan: sells first, then buys fitted to the cash that is proven.

Every order is on record before it leaves and is sent at most once. What ends the sending early
(an alarm, a lost connection, Ctrl+C, a journal that cannot be written) leaves the rest Skipped,
each with its reason; whatever was sent is followed until it has a status.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from src.broker.clock import Clock, SystemClock
from src.broker.link import BrokerLink, Reconnect
from src.broker.order_books import JournalWriter, OrderBooks
from src.broker.order_follower import OrderFollower
from src.broker.order_reactor import FollowRules, OrderReactor
from src.broker.ports import OrderDesk
from src.broker.settling import Settling
from src.core.batches import budget_for_buys, first_states, lines_of
from src.core.journal import TicketRefitted
from src.core.money import ZERO
from src.core.order_state import Patience
from src.core.permit import TradePermit
from src.core.pricing import choose_prices
from src.core.records import (
    AccountSnapshot,
    Listing,
    OrderOutcome,
    Quotes,
    Side,
    Symbol,
    TradePlan,
)
from src.core.refit import refit_buys
from src.core.tickets import SendingRules, TicketProgress, ticket_outcome, unsettled_refs
from src.errors import PricingError, RebalancerError
from src.settings import Settings

log = logging.getLogger(__name__)

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
    patience: Patience = Patience()
    progress: Callable[[TicketProgress], None] = _show_nothing
    clock: Clock = field(default_factory=SystemClock)
    stop: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionResult:
    """What became of every ticket, in plan order, and why the sending ended early, if it did.

    ``orders_sent`` counts orders that may have reached the broker. ``unresolved`` are order refs.
    ``was_disconnected``: our socket was lost at some time, or the gateway's line at the end.
    ``after`` is the account as read after the last order (None: not read); see ``settle``.
    ``journal_error`` tells that the journal lacks something that is in ``outcomes``.
    """

    outcomes: tuple[OrderOutcome, ...]
    orders_sent: int
    after: AccountSnapshot | None = None
    unresolved: tuple[str, ...] = ()
    halt_reason: str = ""
    alarms: tuple[str, ...] = ()
    was_interrupted: bool = False
    was_disconnected: bool = False
    journal_error: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        """What makes the run incomplete beyond its tickets, as plain sentences."""
        texts = list(self.alarms)
        if self.was_disconnected:
            texts.append("the connection to the broker was lost while orders were under way")
        if self.journal_error:
            texts.append(f"the journal is incomplete: {self.journal_error}")
        return tuple(texts)


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
        self._follower = OrderFollower(self._reactor, run.clock, run.stop)
        for ticket in first_states(run.plan):
            self._books.add(ticket)

    async def carry_out(self) -> ExecutionResult:
        """Sells, then buys, then what is still outstanding about them."""
        tickets = self._books.tickets.values()
        sells, buys = lines_of(tickets, Side.SELL), lines_of(tickets, Side.BUY)
        quotes = asyncio.ensure_future(self._quotes_meanwhile(buys if sells else ()))
        try:
            await self._send(sells)
            if buys:
                await self._follower.follow_while(quotes, also_when_interrupted=False)
                self._fit_buys(buys, quotes.result() if quotes.done() else {})
            await self._send([line for line in buys if not self._books.tickets[line].skip_reason])
            return self._result(await self._settle())
        finally:
            quotes.cancel()
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

    async def _send(self, lines: Collection[int]) -> None:
        """One batch, or one order after another."""
        if self._run.settings.execution.batch_orders:
            await self._follower.follow(lines)
            return
        for line in lines:
            await self._follower.follow((line,))

    async def _quotes_meanwhile(self, lines: Collection[int]) -> Quotes:
        """Quotes of what is to be bought, asked for while the sells work.

        Without sells nothing is asked: the prices were read a moment ago, after the answer.
        """
        if not lines:
            return {}
        symbols = [self._books.tickets[line].ticket.symbol for line in lines]
        try:
            return await self._link.desk.fetch_quotes(symbols, self._run.settings.pricing)
        except RebalancerError as error:
            log.warning("no fresh quotes for the buys: %s", error)
            return {}

    def _fit_buys(self, lines: Collection[int], quotes: Quotes) -> None:
        """Cut the buys to what is proven to be there, and put every cut on record."""
        if self._reactor.halt_reason:
            return
        tickets = self._books.tickets
        budget = budget_for_buys(
            self._run.snapshot.cash_usd,
            self._run.plan.cash_floor_usd,
            [fill for ticket in tickets.values() for fill in ticket.fills],
        )
        prices = self._latest_prices(quotes)
        wanted = [tickets[line].ticket for line in lines]
        halted = {symbol for symbol in quotes if any(one.is_halted for one in quotes[symbol])}
        tradable = [ticket for ticket in wanted if ticket.symbol not in halted]
        fitted = refit_buys(tradable, budget, prices, self._run.settings.rebalance)
        left = {ticket.symbol: ticket.qty_shares for ticket in fitted.tickets}
        reasons = dict.fromkeys(halted, "trading in it is halted")
        reasons.update({skipped.symbol: skipped.reason for skipped in fitted.skipped})
        log.info("buys fitted budget_usd=%s buys=%d of=%d", budget, len(left), len(wanted))
        for line in lines:
            symbol = tickets[line].ticket.symbol
            self._cut(line, left.get(symbol, ZERO), reasons.get(symbol, ""))

    def _cut(self, line: int, qty_shares: Decimal, reason: str) -> None:
        ticket = self._books.tickets[line]
        if qty_shares >= ticket.limit_shares:
            return
        self._books.add(replace(ticket, limit_shares=qty_shares))
        self._books.note(
            TicketRefitted(
                run_id=self._run.permit.run_id,
                at_utc=self._run.clock.now_utc(),
                line=line,
                qty_shares=qty_shares,
                reason=reason,
            )
        )
        if not qty_shares:
            self._books.skip(line, reason)

    def _latest_prices(self, quotes: Quotes) -> dict[Symbol, Decimal]:
        """The latest usable price of each symbol; one without keeps its planned price."""
        found = {symbol: self._latest_price(symbol, quotes) for symbol in quotes}
        return {symbol: price for symbol, price in found.items() if price is not None}

    def _latest_price(self, symbol: Symbol, quotes: Quotes) -> Decimal | None:
        pricing = self._run.settings.pricing
        try:
            book = choose_prices(quotes, self._run.snapshot, pricing, (symbol,))
        except PricingError as error:
            log.warning("planned price kept: %s", error)
            return None
        return book.prices[symbol].price_usd

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
            unresolved=unsettled_refs(tickets),
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
        since_utc=run.permit.granted_at_utc.replace(microsecond=0),
        earlier_refs=run.earlier_refs,
    )
