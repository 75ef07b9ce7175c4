"""The write side: sends what a permit allows, and hands on what the broker says.

An order passes the gate (the permit's limits), then the allow-list at the socket. ``place`` is
never retried by anyone: after ``BrokerLost`` the order's fate is unknown until the broker is asked.
"""

from __future__ import annotations

import asyncio
import logging

from src.base.errors import BrokerLost, NeverSent, Refused
from src.broker.client import convert
from src.broker.client.guarded_client import NeverLeftError
from src.broker.client.notices import Topic, last_few
from src.broker.reading.connection import BrokerConnection
from src.broker.reading.market_reader import MarketReader
from src.broker.sending.cancel_desk import send_cancel
from src.broker.wire.clock import Stopwatch
from src.core.orders.events import BrokerEvent, FillSeen, OpenOrderSeen
from src.core.orders.ids import MAX_ORDER_ID, USED_UP
from src.core.orders.ref import parse_order_ref
from src.core.permission.gate import OrderGate
from src.core.permission.permit import TradePermit
from src.core.records.orders import Fill, OrderRequest, WorkingOrder

log = logging.getLogger(__name__)


class IbkrOrderDesk(MarketReader):
    """Opened with a permit by ``IbkrSession.open_order_desk``; one per run."""

    def __init__(self, connection: BrokerConnection, permit: TradePermit) -> None:
        super().__init__(connection, (permit.account_id,))
        self._gate = OrderGate(permit=permit, client_id=self.client_id)
        self._events: asyncio.Queue[BrokerEvent] = asyncio.Queue()
        self._placed: set[int] = set()
        self._since_opened = Stopwatch()
        self._others = frozenset(connection.accounts) - {permit.account_id}
        connection.open_desk(permit.account_id, self._receive)

    @property
    def client_id(self) -> int:
        """Our client id; with ``order_id`` it names an order of this session."""
        return self._connection.settings.client_id

    @property
    def generation(self) -> int:
        """Which connection this is, counted."""
        return self._connection.generation

    @property
    def trouble(self) -> str:
        """What the broker last said against orders, market data and its line, if it stands."""
        notices = self._connection.link.listener.notices
        return last_few(notices.about(Topic.ORDERS, Topic.QUOTES))

    def claim_order_id(self, at_least: int) -> int:
        """A fresh order id, above everything the broker or the caller has seen.

        Raises: Refused when the broker's order ids are used up (reset them in TWS).
        """
        order_id = self._connection.claim_order_id(at_least)
        if order_id > MAX_ORDER_ID:
            raise Refused(USED_UP)
        return order_id

    async def make_way(self) -> None:
        """Before the first order: let the questions of before pass, so the batch is not held up."""
        if not self._placed:
            await self._connection.link.client.calm(len(self._gate.permit.tickets))

    async def place(self, request: OrderRequest) -> None:
        """Send one order and return once its bytes left our queue. Never retried.

        Raises: Refused when the gate declines it, NeverSent when the connection was gone before
        (nothing was sent); BrokerLost when the bytes may or may not have left (the order's fate
        is unknown).
        """
        await self.make_way()
        if not self._connection.link.client.isConnected():
            raise NeverSent(f"{self._connection.link.lost()} before {request.order_ref} was sent")
        self._gate.admit(request, self._since_opened.elapsed_sec())
        link = self._connection.link
        contract = convert.known_contract(request.con_id, request.symbol)
        self._placed.add(request.order_id)
        try:
            link.client.placeOrder(request.order_id, contract, convert.order_from(request))
            await link.client.left()
        except NeverLeftError as error:
            raise NeverSent(f"{link.lost()} before {request.order_ref} was sent") from error
        except ConnectionError as error:
            raise BrokerLost(f"{link.lost()} while order {request.order_ref} was sent") from error
        log.info("order sent ref=%s order_id=%d", request.order_ref, request.order_id)

    async def cancel(self, order_id: int) -> None:
        """Ask to cancel one order that this desk placed.

        Raises: Refused for any other order; BrokerLost when the request may not have left.
        """
        if order_id not in self._placed:
            raise Refused(f"order {order_id} is not ours to cancel")
        await send_cancel(self._connection, order_id)

    async def next_event(self) -> BrokerEvent:
        """Wait for the next piece of evidence; events are never dropped or reordered."""
        return await self._events.get()

    def close(self) -> None:
        """Nothing leaves through this desk any more, and nothing is heard; safe to call twice."""
        if self._connection.desk_account == self._gate.permit.account_id:
            self._connection.close_desk()

    async def reconnect(self) -> IbkrOrderDesk:
        """Connect again after the socket was lost; the desk itself goes on, gate and events too.

        What happened meanwhile must be asked for: nothing is replayed.
        Raises: BrokerLost when the broker stays away; Refused when the account is gone.
        """
        await self._connection.reconnect()
        return self

    def _is_ours(self, named: Fill | WorkingOrder) -> bool:
        ref = parse_order_ref(named.order_ref)
        return ref is not None and ref.run_id == self._gate.permit.run_id

    def _receive(self, event: BrokerEvent) -> None:
        """What is said about another account that this program trades is not for this desk.

        A word about an order of this desk is, whatever account it names.
        """
        named = _named(event)
        if named is not None and named.account_id in self._others and not self._is_ours(named):
            return
        self._gate.observe(event)
        self._events.put_nowait(event)


def _named(event: BrokerEvent) -> Fill | WorkingOrder | None:
    """What an event says of an account and an order, where it does."""
    if isinstance(event, OpenOrderSeen):
        return event.order
    return event.fill if isinstance(event, FillSeen) else None
