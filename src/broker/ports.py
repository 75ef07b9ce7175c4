"""The two doors to a broker: ``MarketView`` reads, ``OrderDesk`` writes.

A dry run, a read-only run and an answer of "n" only ever hold a ``MarketView``. An ``OrderDesk``
is opened by ``MarketSession.open_order_desk(permit)`` and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from src.base.settings import PricingSettings
from src.core.records.account import AccountSnapshot
from src.core.records.market import Quotes, SymbolLookup
from src.core.records.orders import CompletedOrder, Fill, OrderRequest, WorkingOrder
from src.core.records.portfolios import Symbol

if TYPE_CHECKING:  # a run that only looks hears no events
    from src.core.orders.events import BrokerEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadStart:
    """What can be done while the gateway answers the login and sends the account.

    ``imports`` runs in a thread; ``symbols`` are looked up, as far as the message limit allows.
    """

    imports: Callable[[], None]
    symbols: Sequence[Symbol] = ()


class MarketView(Protocol):
    """Everything that can be read; every call has a deadline and raises ``BrokerLost`` past it."""

    @property
    def account_id(self) -> str:
        """The account this session was opened for."""

    @property
    def managed_accounts(self) -> tuple[str, ...]:
        """All accounts of the login, as the broker lists them."""

    @property
    def highest_order_id(self) -> int:
        """The highest order id seen so far, of any client."""

    async def known_symbols(self, symbols: Collection[Symbol]) -> Mapping[Symbol, SymbolLookup]:
        """Look every symbol up as a USD stock or ETF on SMART; answers are kept for the session."""

    async def fetch_snapshot(self, *, fresh: bool = False) -> AccountSnapshot:
        """The account now. ``fresh`` asks the broker again instead of using the start-up download.

        Raises: UnbelievableData, Refused (short position), BrokerLost.
        """

    async def fetch_quotes(self, symbols: Collection[Symbol], pricing: PricingSettings) -> Quotes:
        """Quotes by stage; ends for each symbol at its first usable field.

        Symbols whose lookup has no listing come back with an empty tuple.
        """

    async def fetch_working_orders(self) -> tuple[WorkingOrder, ...] | None:
        """All clients' open orders; None when the gateway's read-only mode refuses to say."""

    async def fetch_completed_orders(self) -> tuple[CompletedOrder, ...] | None:
        """Orders finished today; None when the gateway's read-only mode refuses to say."""

    async def fetch_fills(self) -> tuple[Fill, ...]:
        """Executions of today for the account, any client, corrections already applied."""

    async def fetch_clock_offset(self) -> timedelta:
        """Gateway time minus our time."""


class OrderDesk(MarketView, Protocol):
    """The write side: sends exactly what a permit allows, reports raw evidence."""

    @property
    def client_id(self) -> int:
        """Our client id; with ``order_id`` it names an order of this session."""

    @property
    def generation(self) -> int:
        """Which connection this is, counted; link events carry that of theirs."""

    @property
    def trouble(self) -> str:
        """The broker's last bad words that may keep orders from filling; empty when none stands."""

    def claim_order_id(self, at_least: int) -> int:
        """A fresh order id, above everything the broker or the caller has seen."""

    async def place(self, request: OrderRequest) -> None:
        """Send one order and return once its bytes left our queue. Never retried.

        Raises: Refused when the gate in front of the socket declines it (nothing was sent);
        NeverSent when the connection was gone before (nothing was sent); any other BrokerLost
        when the bytes may or may not have left (the order's fate is unknown).
        """

    async def cancel(self, order_id: int) -> None:
        """Ask to cancel one order that this desk placed."""

    async def next_event(self) -> BrokerEvent:
        """Wait for the next piece of evidence; events are never dropped or reordered."""
