"""The simulated exchange: one entry for requests, one for the passing of time.

Pure: no sockets, no clock, no randomness; the same calls give the same deliveries. A scenario's own
clock replaces the caller's; time then runs on from it. Only connected clients are told anything;
orders, positions and money live on while nobody is connected.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from src.simulator.events import EventDesk
from src.simulator.messages.account import ManagedAccounts
from src.simulator.messages.requests import (
    CancelOrder,
    PlaceOrder,
    ReqCurrentTime,
    ReqGlobalCancel,
    ReqIds,
    ReqManagedAccounts,
    Request,
)
from src.simulator.messages.responses import CurrentTime, NextValidId
from src.simulator.orders.cancelling import CancelDesk
from src.simulator.orders.desk import OrderDesk
from src.simulator.orders.floor import Floor
from src.simulator.orders.flow import OrderFlow
from src.simulator.orders.queries import QueryDesk
from src.simulator.outbox.delivery import Delivery, complain, deliver
from src.simulator.outbox.link import LINK_TEXTS
from src.simulator.scenario.records import Scenario, ScheduledEvent

__all__ = ["Delivery", "Exchange"]

_LINK_BROKEN = 2110
_BEAT_SEC = 1


class Exchange:
    """Accounts, contracts, market data and orders of one simulated login."""

    def __init__(self, scenario: Scenario, start_utc: datetime) -> None:
        self.scenario = scenario
        self._offset = scenario.clock - start_utc if scenario.clock else timedelta(0)
        start = start_utc + self._offset
        self._floor = Floor(scenario, start)
        self._flow = OrderFlow(self._floor)
        self._orders = OrderDesk(self._floor, self._flow)
        self._cancels = CancelDesk(self._floor, self._flow)
        self._events = EventDesk(self._floor, self._flow)
        floor = self._floor
        queries = QueryDesk(floor.book, read_only_api=scenario.gateway.read_only_api)
        self._desks = (
            floor.contracts,
            floor.market_data,
            floor.account_desk,
            floor.positions,
            queries,
        )
        self._is_refreshing = self._is_moving = False
        self._events.start(start)
        self._orders.go_on(start)

    def is_client_id_in_use(self, client_id: int) -> bool:
        """True while a client with this id is connected."""
        return client_id in self._floor.clients

    def is_away(self, at_utc: datetime) -> bool:
        """True while the gateway restarts and nobody is let in."""
        until = self._floor.away_until
        return until is not None and at_utc + self._offset < until

    def connect(self, client_id: int, at_utc: datetime) -> list[Delivery]:
        """A client has started the API: its accounts, its next order id, the state of the farms."""
        if self.is_client_id_in_use(client_id):
            raise ValueError(f"client id {client_id} is connected already")
        due = self.advance(at_utc)
        self._floor.clients.add(client_id)
        self._keep_moving(at_utc + self._offset)
        broken = [(_LINK_BROKEN, LINK_TEXTS[_LINK_BROKEN])]
        notices = broken if self._floor.link.is_down else self._floor.farms.greeting()
        return [
            *due,
            *deliver(client_id, self._managed_accounts(), self._next_valid_id(client_id)),
            *(part for code, text in notices for part in complain(client_id, -1, code, text)),
        ]

    def disconnect(self, client_id: int) -> None:
        """A client has gone: its subscriptions end, its orders go on."""
        floor = self._floor
        floor.clients.discard(client_id)
        for desk in (floor.market_data, floor.account_desk, floor.positions):
            desk.disconnect(client_id)

    def handle(self, client_id: int, request: Request, at_utc: datetime) -> list[Delivery]:
        """Everything that is due by now, then the answer to the request."""
        if not self.is_client_id_in_use(client_id):
            raise ValueError(f"client id {client_id} is not connected")
        earlier = self.advance(at_utc)
        now = at_utc + self._offset
        if isinstance(request, (PlaceOrder, CancelOrder, ReqGlobalCancel)):
            answer = self._floor.link.let_through(self._order_answer(client_id, request, now))
            self._events.orders_counted(self._orders.count, now)
        else:
            answer = self._system_answer(client_id, request, now)
        self._keep_refreshing(now)
        return [*earlier, *self._reachable(answer), *self.advance(at_utc)]

    def advance(self, to_utc: datetime) -> list[Delivery]:
        """Do everything that is due by ``to_utc``: fills, snapshot ends, scheduled events."""
        return [
            item
            for deliveries in self._floor.agenda.run_until(to_utc + self._offset)
            for item in self._reachable(self._floor.link.let_through(deliveries))
        ]

    def next_due_utc(self) -> datetime | None:
        """When `advance` next has something to do."""
        due = self._floor.agenda.next_due()
        return None if due is None else due - self._offset

    def kept(self, at_utc: datetime) -> Scenario:
        """What a later gateway needs to go on from here: accounts, prices, the latest orders."""
        from src.simulator.keeping import kept_scenario

        return kept_scenario(self._floor, at_utc + self._offset, at_utc)

    def inject(self, event: ScheduledEvent, at_utc: datetime) -> list[Delivery]:
        """Make an event happen now that the scenario did not plan."""
        earlier = self.advance(at_utc)
        deliveries = self._events.apply(event, at_utc + self._offset)
        passing = self._reachable(self._floor.link.let_through(deliveries))
        return [*earlier, *passing, *self.advance(at_utc)]

    def _order_answer(
        self, client_id: int, request: PlaceOrder | CancelOrder | ReqGlobalCancel, now: datetime
    ) -> list[Delivery]:
        if isinstance(request, PlaceOrder):
            return self._orders.place(client_id, request, now)
        if isinstance(request, CancelOrder):
            return self._cancels.cancel(client_id, request, now)
        return self._cancels.cancel_all(client_id, now)

    def _system_answer(self, client_id: int, request: Request, now: datetime) -> list[Delivery]:
        match request:
            case ReqManagedAccounts():
                return deliver(client_id, self._managed_accounts())
            case ReqIds():
                return deliver(client_id, self._next_valid_id(client_id))
            case ReqCurrentTime():
                return deliver(client_id, CurrentTime(epoch_sec=int(now.timestamp())))
        return [part for desk in self._desks for part in desk.handle(client_id, request, now)]

    def _managed_accounts(self) -> ManagedAccounts:
        names = [name for name in (self.scenario.gateway.advisor_master,) if name]
        names += self._floor.accounts
        # With several accounts TWS ends the list with a comma.
        return ManagedAccounts(accounts=",".join(names) + ("," if len(names) > 1 else ""))

    def _next_valid_id(self, client_id: int) -> NextValidId:
        return NextValidId(order_id=self._floor.book.next_valid_id(client_id))

    def _reachable(self, deliveries: list[Delivery]) -> list[Delivery]:
        return [item for item in deliveries if item.client_id in self._floor.clients]

    def _keep_refreshing(self, now: datetime) -> None:
        """Start the slow beat of account values once somebody follows them."""
        if not self._is_refreshing and self._floor.account_desk.is_followed():
            self._is_refreshing = True
            self._floor.agenda.add(now, self.scenario.gateway.account_refresh_sec, self._refresh)

    def _refresh(self, now: datetime) -> list[Delivery]:
        self._is_refreshing = False
        deliveries = self._floor.account_desk.refresh(now)
        self._keep_refreshing(now)
        return deliveries

    def _keep_moving(self, now: datetime) -> None:
        """Start the beat of prices while anybody is there to see it."""
        if self.scenario.daily_move_pct and self._floor.clients and not self._is_moving:
            self._is_moving = True
            self._floor.agenda.add(now, _BEAT_SEC, self._move)

    def _move(self, now: datetime) -> list[Delivery]:
        self._is_moving = False
        self._keep_moving(now)
        moved = self._floor.market.wander()
        return [part for contract in moved for part in self._flow.tick(contract, now)]
