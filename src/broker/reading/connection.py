"""The session's way to the broker: one open link at a time, replaced as a whole after a loss."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from collections.abc import Callable, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from src.base.errors import BrokerLost
from src.base.settings import ContractChoices, IbkrSettings
from src.base.waits import Waits
from src.broker.client.notices import Topic, last_few
from src.broker.reading.contracts import Listings
from src.broker.reading.ib_link import Link
from src.broker.reading.quotes import QuoteDesk
from src.broker.wire.pacing import BURST_MESSAGES, backoff_sec
from src.core.orders.events import RECOVERY_SEC, BrokerEvent, LinkSeen, LinkState
from src.core.orders.ids import next_order_id
from src.core.records.portfolios import Symbol

log = logging.getLogger(__name__)

_MAX_EARLY: Final = BURST_MESSAGES - 8


class BrokerConnection:
    """Holds the link and what is asked over it; evidence flows on over a reconnect.

    ``desk_account`` is the account of the one order desk that is open; empty for none.
    """

    def __init__(
        self,
        settings: IbkrSettings,
        contracts: ContractChoices = MappingProxyType({}),
        waits: Waits | None = None,
        *,
        accounts: Sequence[str] = (),
        by_multi: bool = False,
    ) -> None:
        self.settings = settings
        self.waits = waits or Waits()
        self.accounts = tuple(accounts) or (settings.account_id,)
        self._new_link = partial(Link, settings, self.waits, *self.accounts, by_multi=by_multi)
        self.link = self._new_link()
        self.listings = Listings(self.link, contracts)
        self.quotes = QuoteDesk(self.link, self.listings)
        self.desk_account = ""
        self.may_cancel: frozenset[int] = frozenset()
        self.generation = 0
        self._evidence: Callable[[BrokerEvent], None] | None = None
        self._highest_order_id = 0

    @property
    def highest_order_id(self) -> int:
        """The highest order id that was seen of any client, or claimed."""
        return max(self._highest_order_id, self.link.listener.highest_order_id)

    async def open(self, symbols: Sequence[Symbol] = ()) -> None:
        """Connect and download the account; meanwhile ask what ``symbols`` are.

        Raises: BrokerLost, Refused.
        """
        early = asyncio.ensure_future(self._look_up_early(symbols[:_MAX_EARLY]))
        try:
            await self.link.open()
        finally:
            early.cancel()

    async def _look_up_early(self, symbols: Sequence[Symbol]) -> None:
        """Once the account is known to be the login's; the download must not queue behind it."""
        await self.link.client.logged_in.wait()
        self.listings.begin(symbols)

    def close(self) -> None:
        """End the connection and everything that still waits on it."""
        self.listings.close()
        self.link.close()

    async def reconnect(self) -> None:
        """Replace a lost link: try with growing, capped pauses for as long as one is waited for.

        Raises: BrokerLost with the last reason; Refused when the account is gone from the login.
        """
        with self.waits.on("the lost connection to come back", RECOVERY_SEC):
            await self._reconnect()

    async def _reconnect(self) -> None:
        now = asyncio.get_running_loop().time
        ends_at = now() + RECOVERY_SEC
        for attempt in itertools.count(1):
            self._replace_link()
            try:
                await self.link.open()
            except BrokerLost as error:
                log.warning("reconnect failed attempt=%d reason=%s", attempt, error)
                pause = backoff_sec(attempt, random.random())  # noqa: S311
                if now() + pause >= ends_at:
                    raise
                await asyncio.sleep(pause)
            else:
                log.warning("reconnected attempt=%d", attempt)
                return

    def open_desk(self, account: str, evidence: Callable[[BrokerEvent], None]) -> None:
        """Let order messages of this account pass, and hand every piece of evidence on.

        A line of the gateway that is down by now was reported before anybody listened.
        """
        self._evidence = evidence
        self.desk_account = account
        self._equip()
        if self.link.listener.upstream.is_lost:
            said = last_few(self.link.listener.notices.about(Topic.LINE))
            lost, number = LinkState.UPSTREAM_LOST, self.generation
            evidence(LinkSeen(state=lost, text=said, generation=number))

    def close_desk(self) -> None:
        """Let no order message pass any more; nobody listens to evidence."""
        self._evidence, self.desk_account = None, ""
        self._equip()

    def open_cancels(self, order_ids: frozenset[int]) -> None:
        """Let cancels of these orders pass, and no other order message."""
        self.may_cancel = order_ids
        self._equip()

    def claim_order_id(self, at_least: int) -> int:
        """An id above all that was ever seen or claimed, and not below ``at_least``."""
        self._highest_order_id = next_order_id(self.highest_order_id, at_least)
        return self._highest_order_id

    def _replace_link(self) -> None:
        """A fresh link; listings stay known, open questions end."""
        self._highest_order_id = self.highest_order_id
        self.link.listener.evidence = None
        self.link.close()
        self.link = self._new_link()
        self.generation += 1
        self.listings.use(self.link)
        self.quotes = QuoteDesk(self.link, self.listings)
        self._equip()

    def _equip(self) -> None:
        self.link.client.desk_account = self.desk_account
        self.link.client.may_cancel = self.may_cancel
        self.link.listener.generation = self.generation
        self.link.listener.evidence = self._evidence
