"""The buys once the sells have ended: quotes read then, cash proven, quantities cut to fit.

A sell may take as long as ``order_timeout_sec``, and prices move meanwhile. So the quotes of what
is to be bought are read after the last sell has ended, and the cash floor (buffer and leverage
cap) is computed anew at them. A buy for which no price can be read then is not sent: at a price
of before it could break the cap in silence.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

from src.base.errors import PricingError, RebalancerError
from src.base.money import ZERO, dollars
from src.broker.sending.order_follower import OrderFollower
from src.broker.sending.order_reactor import OrderReactor
from src.core.account.account_rules import spendable_now
from src.core.batches import budget_for_buys, held_for_doubt
from src.core.cash_effects import cash_effect
from src.core.journal.events import TicketRefitted
from src.core.pricing import choose_prices
from src.core.records.account import AccountSnapshot
from src.core.records.market import Quotes
from src.core.records.orders import Fill
from src.core.records.plan import OrderTicket
from src.core.records.portfolios import Symbol
from src.core.run.refit import at_latest, floor_at_latest, refit_buys
from src.core.settled_buys import cut_to_settled, go_at_once, left_to_spend

if TYPE_CHECKING:
    from src.broker.execution import ExecutionRun

T = TypeVar("T")

NO_PRICE: Final = "no usable price could be read just before it was to be sent"
_FRESH_SEC: Final = 5.0
_READING_SLACK_SEC: Final = 20.0
_SETTLED_SEC: Final = 15.0
_MOST_ROUNDS: Final = 3

log = logging.getLogger(__name__)


class Buying:
    """Fits the buys of one run to what there is to spend."""

    def __init__(self, run: ExecutionRun, reactor: OrderReactor, follower: OrderFollower) -> None:
        self._run = run
        self._reactor = reactor
        self._books = reactor.books
        self._follower = follower
        self._prices: dict[Symbol, Decimal] = {}
        self._no_price: dict[Symbol, str] = {}
        self._dearest: dict[Symbol, Decimal] = {}
        self._halted: frozenset[Symbol] = frozenset()
        self._read_at = run.clock.monotonic()  # the plan's prices were read after the answer
        self._spendable_usd = spendable_now(run.snapshot)

    async def fit(self, lines: Sequence[int], *, after_sells: bool) -> list[int]:
        """Cut these buys to the budget at prices of now; those that are left, in rank order.

        ``after_sells``: an order has ended since the prices were read.
        """
        if after_sells and self._spendable_usd is not None:
            self._spendable_usd = await self._settled_after_sells(self._spendable_usd)
        age_sec = self._run.clock.monotonic() - self._read_at
        needs_asks = self._spendable_usd is not None and not self._dearest
        if after_sells or needs_asks or age_sec > _FRESH_SEC:
            await self._read_prices(lines)
        if self._reactor.halt_reason:
            return list(lines)  # each is skipped, with that reason
        self._cut(lines)
        return [line for line in lines if not self._books.tickets[line].skip_reason]

    def at_once(self, lines: Sequence[int]) -> int:
        """How many of these fitted buys may go now; the others wait until those have ended."""
        if not self._run.settings.execution.batch_orders:
            return 1
        if self._spendable_usd is None or self._reactor.halt_reason:
            return len(lines)
        tickets = (at_latest(self._wanted(line), self._dearest) for line in lines)
        return max(1, go_at_once(tickets, self._left_to_spend(self._spendable_usd)))

    # --- settled money ----------------------------------------------------------------------

    async def _settled_after_sells(self, before_usd: Decimal) -> Decimal:
        """What may be spent without the sells' proceeds, as the broker says once they are done.

        Where it does not say, what it said before the sells, less what they cost.
        """
        fills = self._fills()
        costs_usd = cash_effect(replace(fill, price_usd=ZERO) for fill in fills)
        desk = self._reactor.link.desk
        account = await self._within_limit(desk.fetch_snapshot(fresh=True), _SETTLED_SEC)
        if account is None or account.terms.available_funds_usd is None:
            log.warning("what can be spent after the sells could not be read")
            return max(ZERO, before_usd + costs_usd)
        proven_usd = self._run.snapshot.cash_usd + cash_effect(fills)
        available_usd = account.terms.available_funds_usd
        log.info("settled cash read available_usd=%s cash_usd=%s", available_usd, proven_usd)
        return max(ZERO, min(available_usd, proven_usd))

    def _left_to_spend(self, spendable_usd: Decimal) -> Decimal:
        in_doubt = held_for_doubt(self._books.tickets.values(), self._dearest)
        return left_to_spend(spendable_usd, self._fills(), in_doubt)

    # --- prices -----------------------------------------------------------------------------

    async def _read_prices(self, lines: Sequence[int]) -> None:
        """Quotes of these symbols; again when the connection had a gap meanwhile."""
        symbols = [self._books.tickets[line].ticket.symbol for line in lines]
        for _ in range(_MOST_ROUNDS):
            await self._follower.until_connected()
            if self._reactor.halt_reason:
                return
            gaps = self._follower.gap.count
            self._read_at = self._run.clock.monotonic()
            await self._read_once(symbols)
            if self._follower.gap.count == gaps and self._reactor.link.is_usable:
                break
        for line in lines:
            symbol = self._books.tickets[line].ticket.symbol
            if symbol not in self._prices and not self._reactor.halt_reason:
                self._refuse(line, self._no_price.get(symbol, NO_PRICE))

    async def _read_once(self, symbols: Sequence[Symbol]) -> None:
        pricing, desk = self._run.settings.pricing, self._reactor.link.desk
        limit_sec = float(pricing.price_timeout_sec) + _READING_SLACK_SEC
        quotes = await self._within_limit(desk.fetch_quotes(symbols, pricing), limit_sec) or {}
        self._prices = self._usable(symbols, quotes, self._run.snapshot, is_fresh=False)
        missing = [symbol for symbol in symbols if symbol not in self._prices]
        if missing and pricing.fallback_to_snapshot and not self._reactor.halt_reason:
            account = await self._within_limit(desk.fetch_snapshot(fresh=True), limit_sec)
            if account is not None:
                self._prices |= self._usable(missing, quotes, account, is_fresh=True)
        self._dearest |= {  # of a buy in doubt, the ask that it was sent at stays
            symbol: max([usd, *(one.ask_usd for one in quotes.get(symbol, ()) if one.ask_usd)])
            for symbol, usd in self._prices.items()
        }
        self._halted = frozenset(
            symbol for symbol in quotes if any(one.is_halted for one in quotes[symbol])
        )

    async def _within_limit(self, reading: Coroutine[Any, Any, T], limit_sec: float) -> T | None:
        """What was read; None when it failed, took too long, or the user interrupted."""
        task = asyncio.ensure_future(reading)
        try:
            await self._follower.follow_while(task, limit_sec, also_when_interrupted=False)
            return task.result() if task.done() else None
        except RebalancerError as error:
            log.warning("what the buys need could not be read: %s", error)
            return None
        finally:
            task.cancel()

    def _usable(
        self,
        symbols: Sequence[Symbol],
        quotes: Quotes,
        account: AccountSnapshot,
        *,
        is_fresh: bool,
    ) -> dict[Symbol, Decimal]:
        """The usable price of each symbol; the account's own prices count when just read."""
        if not is_fresh:
            account = replace(account, positions=())
        found = {}
        for symbol in symbols:
            try:
                book = choose_prices(quotes, account, self._run.settings.pricing, (symbol,))
            except PricingError as error:
                log.warning("no price for a buy: %s", error)
                self._no_price[symbol] = f"{error} (read just before it was to be sent)"
                continue
            found[symbol] = book.prices[symbol].price_usd
        return found

    # --- quantities -------------------------------------------------------------------------

    def _cut(self, lines: Sequence[int]) -> None:
        """Cut the buys to the proven cash, from the lowest rank up."""
        run, tickets = self._run, self._books.tickets
        rebalance = run.settings.rebalance
        fills = self._fills()
        cash = run.snapshot.cash_usd - self._follower.gap.cash_short_usd
        self._follower.gap.has_fitted = True
        floor = floor_at_latest(run.plan, cash, fills, self._prices, rebalance)
        in_doubt = held_for_doubt(tickets.values(), self._prices)
        budget = budget_for_buys(cash, floor, fills) - in_doubt
        wanted = [self._wanted(line) for line in lines if not tickets[line].skip_reason]
        tradable = [ticket for ticket in wanted if ticket.symbol not in self._halted]
        fitted = refit_buys(tradable, budget, self._prices, rebalance)
        reasons = dict.fromkeys(self._halted, "trading in it is halted")
        reasons.update({skipped.symbol: skipped.reason for skipped in fitted.skipped})
        affordable = fitted.tickets
        if self._spendable_usd is not None:
            settled_usd = self._left_to_spend(self._spendable_usd)
            dearest = [at_latest(ticket, self._dearest) for ticket in fitted.tickets]
            affordable = cut_to_settled(dearest, settled_usd, rebalance)
            no_money = f"no settled cash is left for it: {dollars(settled_usd)} can be spent now"
            reasons = {ticket.symbol: no_money for ticket in fitted.tickets} | reasons
        left = {ticket.symbol: ticket.qty_shares for ticket in affordable}
        log.info(
            "buys fitted budget_usd=%s floor_usd=%s buys=%d of=%d",
            budget,
            floor,
            len(left),
            len(wanted),
        )
        for line in lines:
            symbol = tickets[line].ticket.symbol
            if not tickets[line].skip_reason:
                self._limit(line, left.get(symbol, ZERO), reasons.get(symbol, ""))

    def _fills(self) -> list[Fill]:
        """Every execution of the run so far."""
        return [fill for ticket in self._books.tickets.values() for fill in ticket.fills]

    def _wanted(self, line: int) -> OrderTicket:
        """The ticket with what an earlier fit left of it."""
        state = self._books.tickets[line]
        return replace(state.ticket, qty_shares=state.limit_shares)

    def _refuse(self, line: int, reason: str) -> None:
        self._limit(line, ZERO, reason)

    def _limit(self, line: int, qty_shares: Decimal, reason: str) -> None:
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
