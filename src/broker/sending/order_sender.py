"""Sending orders and cancels, within the pace, each at most once.

A message that may or may not have left is never repeated: its order's fate is settled by asking.
No order leaves before its intent is on disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final

from src.base.errors import BrokerLost, NeverSent, Refused
from src.broker.sending.link import BrokerLink
from src.broker.sending.order_books import OrderBooks
from src.broker.wire.clock import Clock
from src.broker.wire.send_pace import SendPace
from src.core.orders.state import PlaceRefused, PlaceReturned, PlaceUncertain
from src.core.records.orders import OrderRequest

_SEND_LIMIT_SEC: Final = 30.0

log = logging.getLogger(__name__)


class OrderSender:
    """What waits to be sent: plan lines for new orders, order ids for cancels."""

    def __init__(self, link: BrokerLink, books: OrderBooks, clock: Clock) -> None:
        self.lines: deque[int] = deque()
        self.cancels: deque[int] = deque()
        self._link = link
        self._books = books
        self._clock = clock
        self._pace = SendPace(clock.monotonic())

    @property
    def is_idle(self) -> bool:
        """True when nothing waits to be sent."""
        return not (self.lines or self.cancels)

    def wait_sec(self) -> float:
        """Seconds until the next message may leave."""
        return self._pace.wait_sec(self._clock.monotonic())

    def take_turn(self) -> None:
        """One message is about to leave."""
        self._pace.take(self._clock.monotonic())

    def slow_down(self) -> None:
        """The broker complained about our rate."""
        self._pace.slow_down(self._clock.monotonic())

    async def place(self, request: OrderRequest) -> PlaceReturned | PlaceRefused | PlaceUncertain:
        """Send one order whose intent was just noted, and tell how that went."""
        if not self._books.flush():
            self._books.withdraw(request.order_ref)
            return PlaceRefused(reason=f"journal not written: {self._books.journal_error}")
        log.info(
            "order on record, sending it ref=%s side=%s symbol=%s qty_shares=%s style=%s",
            request.order_ref,
            request.side.value,
            request.symbol,
            request.qty_shares,
            request.style.value,
        )
        try:
            await self._within_limit(self._link.desk.place(request))
        except Refused as error:
            return PlaceRefused(reason=str(error))
        except NeverSent as error:
            return PlaceRefused(reason=str(error), lost_connection=True)
        except BrokerLost as error:
            return PlaceUncertain(reason=f"the connection broke while sending: {error}")
        return PlaceReturned()

    async def cancel(self, order_id: int) -> str:
        """Ask for one order's end; why the connection is of no use any more, else empty."""
        self._books.flush()
        log.info("cancel sent order_id=%s", order_id)
        try:
            await self._within_limit(self._link.desk.cancel(order_id))
        except Refused as error:
            log.warning("cancel declined order_id=%s reason=%s", order_id, error)
        except BrokerLost as error:
            return str(error)
        return ""

    async def _within_limit(self, sending: Coroutine[Any, Any, None]) -> None:
        """Raises: BrokerLost when the message is still on its way after half a minute."""
        task = asyncio.ensure_future(sending)
        await self._clock.wait((task,), _SEND_LIMIT_SEC)
        if not task.done():
            task.cancel()
            raise BrokerLost(f"the gateway took nothing for {_SEND_LIMIT_SEC:.0f} s")
        task.result()
