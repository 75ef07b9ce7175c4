"""What happens by the scenario's schedule: notices, a lost link, changed prices and accounts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from src.simulator.orders.floor import Floor
from src.simulator.orders.flow import OrderFlow
from src.simulator.orders.setups import build_order
from src.simulator.outbox.delivery import Delivery
from src.simulator.outbox.link import LINK_TEXTS
from src.simulator.scenario.records import ContractSetup, OrderSetup, ScheduledEvent

_LINK_LOST, _LINK_BACK, _DATA_LOST = 1100, 1102, 1101
_Effect: TypeAlias = Callable[[ScheduledEvent, datetime], list[Delivery]]


class EventDesk:
    """Makes scheduled events happen."""

    def __init__(self, floor: Floor, flow: OrderFlow) -> None:
        self._floor = floor
        self._flow = flow
        self._waiting = [e for e in floor.scenario.events if e.after_orders is not None]
        self._effects: dict[str, _Effect] = {
            "notice": self._notice,
            "link_lost": self._lose_link,
            "link_back": self._restore_link,
            "price": self._price,
            "halt": self._halt,
            "data_refused": self._refuse_data,
            "data_back": self._give_data,
            "position": self._position,
            "cash": self._cash,
            "order": self._order,
            "ids_back": self._ids_back,
            "restart": self._restart,
        }

    def start(self, now: datetime) -> None:
        """Plan what happens by time alone: the end of the day, timed events, price steps."""
        for live in self._floor.book.working():
            self._flow.plan_expiry(live, now)
        for event in self._floor.scenario.events:
            if event.after_orders is None:
                self._plan(event, now)
        for contract in self._floor.scenario.contracts:
            for step in contract.price_steps:
                event = ScheduledEvent(
                    what="price",
                    after_sec=step.after_sec,
                    con_id=contract.con_id,
                    value=step.price,
                )
                self._plan(event, now)

    def orders_counted(self, count: int, now: datetime) -> None:
        """Plan the events that were waiting for this many orders."""
        due = [e for e in self._waiting if e.after_orders is not None and e.after_orders <= count]
        self._waiting = [event for event in self._waiting if event not in due]
        for event in due:
            self._plan(event, now)

    def apply(self, event: ScheduledEvent, now: datetime) -> list[Delivery]:
        """Make the event happen now."""
        return self._effects[event.what](event, now)

    def _plan(self, event: ScheduledEvent, now: datetime) -> None:
        self._floor.agenda.add(now, event.after_sec, lambda at: self.apply(event, at))

    def _notice(self, event: ScheduledEvent, _now: datetime) -> list[Delivery]:
        self._floor.farms.hear(event.code or 0, event.text)
        return self._floor.broadcast(event.code or 0, event.text)

    def _lose_link(self, event: ScheduledEvent, _now: datetime) -> list[Delivery]:
        self._floor.link.lose(keep=event.told_after == "later")
        code = event.code or _LINK_LOST
        return self._floor.broadcast(code, event.text or LINK_TEXTS.get(code, ""))

    def _restore_link(self, event: ScheduledEvent, _now: datetime) -> list[Delivery]:
        code = event.code or _LINK_BACK
        held = self._floor.link.restore()
        if code == _DATA_LOST:
            self._floor.market_data.drop_all()
        return [*self._floor.broadcast(code, event.text or LINK_TEXTS.get(code, "")), *held]

    def _price(self, event: ScheduledEvent, now: datetime) -> list[Delivery]:
        contract = self._contract(event)
        return self._flow.price_changed(contract, event.value, now)

    def _halt(self, event: ScheduledEvent, now: datetime) -> list[Delivery]:
        contract = self._contract(event)
        self._floor.market.set_halt(contract, int(event.value))
        return [*self._floor.market_data.halt_changed(contract), *self._flow.wake(contract, now)]

    def _refuse_data(self, event: ScheduledEvent, _now: datetime) -> list[Delivery]:
        contract = self._contract(event)
        self._floor.market.set_refusal(contract, event.code or 0)
        return self._floor.market_data.refused(contract)

    def _give_data(self, event: ScheduledEvent, _now: datetime) -> list[Delivery]:
        self._floor.market.set_refusal(self._contract(event), 0)
        return []

    def _position(self, event: ScheduledEvent, now: datetime) -> list[Delivery]:
        account = self._floor.accounts[self._account_id(event)]
        contract = self._contract(event)
        account.set_position(contract, event.value)
        return self._floor.holding_changed(account, contract, now)

    def _cash(self, event: ScheduledEvent, now: datetime) -> list[Delivery]:
        account = self._floor.accounts[self._account_id(event)]
        account.cash[event.currency] = event.value
        self._floor.money_changed(account, now)
        return []

    def _order(self, event: ScheduledEvent, now: datetime) -> list[Delivery]:
        """A person types an order into TWS; it rests far from the market."""
        setup = OrderSetup(
            quantity=abs(event.value),
            side="BUY" if event.value > 0 else "SELL",
            con_id=self._contract(event).con_id,
            account_id=event.account_id,
            minutes_ago=0,
        )
        live = build_order(self._floor.scenario, setup, self._floor.book, now)
        self._floor.book.add(live)
        self._flow.plan_expiry(live, now)
        return self._flow.tell_state(live)

    def _ids_back(self, event: ScheduledEvent, _now: datetime) -> list[Delivery]:
        self._floor.book.roll_ids_back(int(event.value))
        return []

    def _restart(self, event: ScheduledEvent, now: datetime) -> list[Delivery]:
        self._floor.away_until = now + timedelta(seconds=float(event.value))
        return []

    def _contract(self, event: ScheduledEvent) -> ContractSetup:
        return self._floor.scenario.contract(event.symbol, event.con_id)

    def _account_id(self, event: ScheduledEvent) -> str:
        return self._floor.scenario.account(event.account_id).account_id
