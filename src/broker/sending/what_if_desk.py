"""Asks the broker what orders would cost, by order messages that are only looked at.

Each question has an order id of its own, which no ticket gets. The gate at the socket lets nothing
else through, and nothing at all once the answers are there. Whatever shows that a question became
an order is an alarm for the rest of the session: the order is cancelled and the run ends.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from src.base.errors import BrokerLost, Refused, StrayOrder
from src.broker.client import convert
from src.broker.client.what_if_messages import what_if_order
from src.broker.reading.market_reader import MarketReader
from src.broker.sending.cancel_desk import send_cancel
from src.core.costs.what_if import DEADLINE_SEC, TicketCost, WhatIfBook
from src.core.costs.what_if_permit import WhatIfPass
from src.core.orders.ids import MAX_ORDER_ID, USED_UP

if TYPE_CHECKING:
    from src.broker.reading.connection import BrokerConnection
    from src.core.costs.what_if_permit import WhatIfPermit
    from src.core.records.plan import OrderTicket

log = logging.getLogger(__name__)

QUIET_SEC: Final = 1.0
"""A refusal can follow the figures: so long is listened after the last answer."""

_END_SEC: Final = 2.0
"""How long is listened what becomes of an order that should never have been."""


class WhatIfDesk(MarketReader):
    """Opened with a permit by ``IbkrSession.open_what_if_desk``; asks once."""

    def __init__(self, connection: BrokerConnection, permit: WhatIfPermit) -> None:
        super().__init__(connection, (permit.account_id,))
        self._permit = permit
        self._news = asyncio.Event()
        self._heard_sec = 0.0
        listener = connection.link.listener
        if listener.what_ifs is None:
            listener.what_ifs = WhatIfBook(client_id=connection.settings.client_id)
        self._questions = listener.what_ifs
        self._questions.on_news = self._on_news

    async def ask(self, at_least: int = 1) -> tuple[TicketCost, ...]:
        """Ask about every ticket at once; what is not answered in time is unknown.

        ``at_least`` is the lowest order id that may be used.
        Raises: Refused when the order ids are used up; BrokerLost; StrayOrder.
        """
        asked = {self._claim(at_least): ticket for ticket in self._permit.tickets}
        link = self._connection.link
        version = link.client.serverVersion()
        gate = WhatIfPass(permit=self._permit, server_version=version, asked=asked)
        link.client.what_if_violation = gate.violation
        try:
            with link.waits.on(f"what {len(asked)} orders would cost", DEADLINE_SEC):
                await self._send(asked)
                await self._collect(tuple(asked))
            link.client.what_if_violation = None
            await self.fetch_working_orders()  # an order among them would be an alarm
        finally:  # and is told whatever else went wrong
            link.client.what_if_violation = None
            await self.refuse_strays()
        return self._questions.costs(asked)

    async def refuse_strays(self) -> None:
        """Cancel every order that came of a question, whatever interrupts.

        Raises: StrayOrder, with what became of each as far as it was seen.
        """
        if not self._questions.strays:
            return
        ending = asyncio.ensure_future(self._cancel_strays())
        try:
            how = await asyncio.shield(ending)
        except asyncio.CancelledError:
            how = await ending
        raise StrayOrder(
            "the broker shows an order where only its cost was asked: "
            f"{'; '.join(self._questions.stray_texts())}; {how}: look at the orders and"
            " positions in TWS before anything else"
        )

    async def _cancel_strays(self) -> str:
        """Send the cancels and listen a little; what can be said of them."""
        order_ids = frozenset(self._questions.strays)
        log.info("a what-if became an order ids=%s", sorted(order_ids))
        self._connection.open_cancels(order_ids)
        now = asyncio.get_running_loop().time
        try:
            for order_id in sorted(order_ids):
                await send_cancel(self._connection, order_id)
            ends_at = now() + _END_SEC
            while (left_sec := ends_at - now()) > 0:
                await self._listen(left_sec)
        except BrokerLost as error:
            return f"a cancel may not have arrived ({error})"
        return "a cancel was sent"

    def _claim(self, at_least: int) -> int:
        order_id = self._connection.claim_order_id(at_least)
        if order_id > MAX_ORDER_ID:
            raise Refused(USED_UP)
        return order_id

    async def _send(self, asked: dict[int, OrderTicket]) -> None:
        link = self._connection.link
        try:
            for order_id, ticket in asked.items():
                self._questions.expect(order_id, ticket)
                contract = convert.known_contract(ticket.con_id, ticket.symbol)
                order = what_if_order(order_id, ticket, self._permit.account_id)
                link.client.placeOrder(order_id, contract, order)
            await link.client.left()
        except ConnectionError as error:
            raise BrokerLost(f"{link.lost()} while the orders' cost was asked") from error
        log.info("what-ifs sent number=%d ids=%d-%d", len(asked), min(asked), max(asked))

    async def _collect(self, order_ids: tuple[int, ...]) -> None:
        """Until all are answered and it has been quiet, or time is up."""
        now = asyncio.get_running_loop().time
        ends_at, self._heard_sec = now() + DEADLINE_SEC, now()
        while not self._questions.strays:
            quiet_at = self._heard_sec + QUIET_SEC
            is_complete = self._questions.is_complete(order_ids)
            until = quiet_at if is_complete else max(ends_at, quiet_at)
            left_sec = min(until, ends_at + QUIET_SEC) - now()
            if left_sec <= 0:
                return
            await self._listen(left_sec)

    async def _listen(self, limit_sec: float) -> None:
        """Wait for news, so long at most."""
        self._news.clear()
        news = asyncio.ensure_future(self._wait_news())
        await self._connection.link.until_done((news,), limit_sec)

    async def _wait_news(self) -> None:
        await self._news.wait()

    def _on_news(self) -> None:
        self._heard_sec = asyncio.get_running_loop().time()
        self._news.set()
