"""Everything that can be read of the broker: the ``MarketView`` port over one connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from ib_async.objects import ExecutionFilter

from src.base.errors import BrokerLost, RebalancerError, Refused
from src.base.settings import PricingSettings
from src.broker.client.account_book import (
    AccountBook,
    disagreement,
    read_snapshot,
    refuse_unreadable,
)
from src.broker.client.ledger import is_ready
from src.broker.client.listener import COMPLETED_ORDERS, CURRENT_TIME, OPEN_ORDERS
from src.broker.client.notices import Topic
from src.broker.client.replies import AnswerRefused
from src.broker.reading.connection import BrokerConnection
from src.core.orders.codes import READ_ONLY_CODE
from src.core.orders.executions import newest_fills, with_commission
from src.core.records.account import AccountSnapshot
from src.core.records.market import Quotes, SymbolLookup
from src.core.records.orders import CompletedOrder, Fill, WorkingOrder
from src.core.records.portfolios import Symbol

log = logging.getLogger(__name__)

_READY_POLL_SEC: Final = 0.5
_CLOCK_LIMIT_SEC: Final = 3.0


class MarketReader:
    """Reads over a connection; cannot place orders."""

    def __init__(self, connection: BrokerConnection, accounts: Sequence[str] = ()) -> None:
        self._connection = connection
        self.accounts = tuple(accounts) or connection.accounts
        """The accounts that are read: those of the connection, or of these only."""

    @property
    def account_id(self) -> str:
        """The account this session was opened for; of several the first."""
        return self.accounts[0]

    def only(self, accounts: Sequence[str]) -> MarketReader:
        """A view of these accounts over the same connection."""
        return MarketReader(self._connection, accounts)

    @property
    def is_open(self) -> bool:
        """Whether the connection stands."""
        return bool(self._connection.link.client.isConnected())

    @property
    def managed_accounts(self) -> tuple[str, ...]:
        """All accounts of the login, as the broker lists them."""
        return self._connection.link.accounts

    @property
    def highest_order_id(self) -> int:
        """The highest order id seen so far, of any client."""
        return self._connection.highest_order_id

    async def known_symbols(self, symbols: Collection[Symbol]) -> Mapping[Symbol, SymbolLookup]:
        """Look every symbol up as a USD stock or ETF on SMART; answers are kept."""
        return await self._connection.listings.lookup_all(symbols)

    async def fetch_quotes(self, symbols: Collection[Symbol], pricing: PricingSettings) -> Quotes:
        """Quotes by stage; ends for each symbol at its first usable field."""
        held: dict[Symbol, int] = {}
        for account in reversed(self.accounts):
            rows = self._book(account).positions.values()
            managed = [row for row in rows if row.is_managed and row.qty != 0]
            names = await self._twins(account)
            held |= {names.get(row.con_id, row.symbol): row.con_id for row in managed}
        return await self._connection.quotes.fetch(symbols, held, pricing)

    # --- accounts ---------------------------------------------------------------------------

    async def fetch_snapshot(self, *, fresh: bool = False) -> AccountSnapshot:
        """The one account now. Raises: UnbelievableData, Refused, BrokerLost."""
        (found,) = (await self.fetch_snapshots(fresh=fresh)).values()
        if isinstance(found, RebalancerError):
            raise found
        return found

    async def fetch_snapshots(
        self, *, fresh: bool = False
    ) -> dict[str, AccountSnapshot | RebalancerError]:
        """Each account now, or why it cannot be read.

        Raises: BrokerLost for what concerns them all.
        """
        unusable = self._connection.link.client.unusable
        found: dict[str, AccountSnapshot | RebalancerError] = {
            account: Refused(unusable[account]) for account in self.accounts if account in unusable
        }
        wanted = [one for one in self.accounts if one not in unusable]
        unread = [one for one in wanted if fresh or not self._is_read(one)]
        what = "the account" if len(wanted) == 1 else f"{len(wanted)} accounts"
        with self._connection.waits.on(what):
            if unread:
                await self._download(*unread)
            read = await asyncio.gather(*(self._read(one) for one in wanted))
        return {**found, **dict(zip(wanted, read, strict=True))}

    async def _read(self, account: str) -> AccountSnapshot | RebalancerError:
        """The two lists of positions must agree, or are read once more."""
        try:
            return await self._snapshot(account)
        except RebalancerError as error:
            if self._connection.link.listener.closed.is_set():
                raise
            return error

    async def _snapshot(self, account: str) -> AccountSnapshot:
        await self._wait_ready(account)
        refuse_unreadable(self._book(account))
        if disagreement(self._book(account)):
            await self._download(account)
            refuse_unreadable(self._book(account))
            difference = disagreement(self._book(account))
            if difference:
                raise Refused(
                    "positions changed while they were read (list of positions and portfolio"
                    f" differ): {difference}; run again"
                )
        names = await self._twins(account)
        return read_snapshot(self._book(account), datetime.now(timezone.utc), names)

    def _book(self, account: str) -> AccountBook:
        return self._connection.link.listener.books[account]

    def _is_read(self, account: str) -> bool:
        book = self._book(account)
        return book.is_complete or book.failure is not None

    async def _twins(self, account: str) -> dict[int, Symbol]:
        """What held instruments are called whose ticker means another contract here."""
        book = self._book(account)
        rows = {**book.portfolio, **book.positions}.values()
        held = [(row.con_id, row.symbol) for row in rows if row.is_managed and row.qty != 0]
        return await self._connection.listings.twins(held)

    async def _download(self, *accounts: str) -> None:
        """Ask for positions and account values from scratch; rows of before are forgotten."""
        await self._connection.link.feed.read_afresh(accounts)

    async def _wait_ready(self, account: str) -> None:
        """A gateway that has just started says so; ask again until its figures are valid."""
        clock = asyncio.get_running_loop().time
        limit_sec = self._connection.link.timeout_sec
        ends_at = clock() + limit_sec
        self._refuse_unread(account)
        while not is_ready(self._book(account).values):
            if clock() >= ends_at:
                said = self._connection.link.said_about(Topic.ACCOUNT)
                raise Refused(
                    f"the figures of account {account} are not ready"
                    f" (AccountReady is false for {limit_sec:g} s){said}; IBKR is resetting, try "
                    "again in half an hour"
                )
            await asyncio.sleep(_READY_POLL_SEC)
            await self._download(account)
            self._refuse_unread(account)

    def _refuse_unread(self, account: str) -> None:
        failure = self._book(account).failure
        if failure is not None:
            raise failure

    # --- orders -----------------------------------------------------------------------------

    async def fetch_working_orders(self) -> tuple[WorkingOrder, ...] | None:
        """All clients' open orders; None when the gateway's read-only mode refuses to say."""
        client = self._connection.link.client
        orders = await self._ask_orders("open orders", OPEN_ORDERS, client.reqAllOpenOrders)
        if orders is None:
            return None
        return tuple(
            {(one.perm_id or (one.client_id, one.order_id)): one for one in orders}.values()
        )

    async def fetch_completed_orders(self) -> tuple[CompletedOrder, ...] | None:
        """Orders finished today; None when the gateway's read-only mode refuses to say."""
        client = self._connection.link.client
        orders = await self._ask_orders(
            "completed orders",
            COMPLETED_ORDERS,
            lambda: client.reqCompletedOrders(False),  # noqa: FBT003 - not only the API's
        )
        return None if orders is None else tuple(orders)

    async def fetch_fills(self) -> tuple[Fill, ...]:
        """Executions of today for the account, any client, corrections already applied."""
        link = self._connection.link
        request_id = link.new_request_id()
        wanted = ExecutionFilter(acctCode=self.account_id)
        rows: list[Fill] = await self._ask(
            "executions", request_id, lambda: link.client.reqExecutions(request_id, wanted)
        )
        known = link.listener.commissions
        return newest_fills(
            with_commission(fill, known[fill.exec_id]) if fill.exec_id in known else fill
            for fill in rows
            if fill.account_id == self.account_id
        )

    async def fetch_clock_offset(self) -> timedelta:
        """Gateway time minus our time, to about a second; 0 when the gateway does not tell."""
        asked = datetime.now(timezone.utc)
        link = self._connection.link
        answer = self._ask_aloud("current time", CURRENT_TIME, link.client.reqCurrentTime)
        try:
            rows = await asyncio.wait_for(answer, min(_CLOCK_LIMIT_SEC, link.timeout_sec / 2))
        except (asyncio.TimeoutError, AnswerRefused) as error:
            reason = str(error) or "no answer"
            log.warning("gateway does not tell its time, ours is used reason=%s", reason)
            return timedelta(0)
        middle = asked + (datetime.now(timezone.utc) - asked) / 2
        if not rows:
            raise BrokerLost("the broker's answer is damaged: current time; run again")
        gateway_utc: datetime = rows[0]
        return gateway_utc - middle

    async def _ask_orders(
        self, what: str, key: str, send: Any  # noqa: ANN401 - a method of the library
    ) -> list[Any] | None:
        try:
            return await self._ask_aloud(what, key, send)
        except AnswerRefused as refusal:
            if refusal.code == READ_ONLY_CODE:
                return None
            raise BrokerLost(
                f"the broker declined to list {what}: {refusal}; run again"
            ) from refusal

    async def _ask(
        self, what: str, key: int | str, send: Any  # noqa: ANN401 - likewise
    ) -> list[Any]:
        try:
            return await self._ask_aloud(what, key, send)
        except AnswerRefused as refusal:
            raise BrokerLost(
                f"the broker declined to send {what}: {refusal}; run again"
            ) from refusal

    async def _ask_aloud(
        self, what: str, key: int | str, send: Any  # noqa: ANN401 - likewise
    ) -> list[Any]:
        link = self._connection.link
        with link.waits.on(what, link.timeout_sec):
            return await link.ask(what, key, send)
