"""The life of an accepted order: acknowledged, held, working, filled in steps, rejected.

Nothing here looks at a clock: each stage puts the next one on the agenda. A stage planned for an
earlier ``version`` of the order does nothing.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from src.simulator.messages.responses import Response
from src.simulator.orders.fill_conditions import (
    is_cancel_pending,
    is_closed_for,
    is_finished,
    is_within_limit,
    steps_of,
)
from src.simulator.orders.fills import FillDesk
from src.simulator.orders.floor import Floor
from src.simulator.orders.messages import open_order, order_status
from src.simulator.orders.pace import usual_delay_sec
from src.simulator.orders.state import (
    CANCELLED,
    INACTIVE,
    PENDING_CANCEL,
    PENDING_SUBMIT,
    PRE_SUBMITTED,
    SUBMITTED,
    LiveOrder,
)
from src.simulator.outbox.delivery import Delivery, complain, deliver
from src.simulator.scenario.records import ContractSetup, FillStep, Hold, Notice, Rejection

_IMMEDIATE = ("IOC", "FOK")
_CLOSED = Hold()
_EXPIRED = "Cancelled by System:\n"
_OPENS_FORMAT = "%Y-%m-%d %H:%M:%S"


class OrderFlow:
    """Moves orders along."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self.fills = FillDesk(floor, self.tell)
        self._day_ends: set[datetime] = set()

    def tell(self, live: LiveOrder, *messages: Response) -> list[Delivery]:
        """Messages about an order, for who placed it, who cancels it and the master client."""
        if live.is_muted:
            return []
        master = self._floor.scenario.gateway.master_client_id
        listeners = {live.client_id, live.cancelled_by, master}
        times = 2 if live.behaviour.events == "repeated" else 1
        return [
            part
            for client in sorted(client for client in listeners if client is not None)
            for message in messages
            for part in deliver(client, *[message] * times)
        ]

    def tell_state(self, live: LiveOrder) -> list[Delivery]:
        """The order as it stands."""
        return self.tell(live, open_order(live), order_status(live))

    def complain(self, live: LiveOrder, code: int, text: str) -> list[Delivery]:
        """An error message about an order, for who placed it and who cancels it."""
        listeners = [] if live.is_muted else [live.client_id, live.cancelled_by]
        ids = [client for client in listeners if client is not None]
        return [part for client in ids for part in complain(client, live.order_id, code, text)]

    def submit(self, live: LiveOrder, rejection: Rejection | None, now: datetime) -> None:
        """Take the order to the exchange; ``rejection`` is the exchange's own, if it has one."""
        if live.behaviour.silence == "lost":
            live.is_done, live.is_transmitted = True, False
            return
        self.plan_expiry(live, now)
        version, delay = live.version, live.behaviour.ack_delay_sec
        refusal = rejection or live.behaviour.reject
        self._floor.agenda.add(now, delay, lambda at: self._acknowledge(live, version, refusal, at))

    def price_changed(
        self, contract: ContractSetup, price: Decimal, now: datetime
    ) -> list[Delivery]:
        """Move the price: streams tick, and orders that waited for it fill."""
        self._floor.market.set_price(contract, price)
        return self.tick(contract, now)

    def tick(self, contract: ContractSetup, now: datetime) -> list[Delivery]:
        """Tell the price of now, and fill what waited for it."""
        return [*self._floor.market_data.price_changed(contract, now), *self.wake(contract, now)]

    def wake(self, contract: ContractSetup, now: datetime) -> list[Delivery]:
        """Fill what waited for a price or for the end of a halt."""
        deliveries: list[Delivery] = []
        for live in self._floor.book.working():
            if live.contract is contract:
                deliveries += self._resume(live, live.version, now)
        return deliveries

    def activate(self, live: LiveOrder, version: int, now: datetime) -> list[Delivery]:
        """The order starts to work at the exchange."""
        if live.is_done or live.version != version:
            return []
        if is_closed_for(self._floor.market, live, now):
            return self._hold(live, _CLOSED, now)
        live.is_held, live.why_held = False, ""
        deliveries: list[Delivery] = []
        if live.order.order_type != "MKT" or live.behaviour.never_fills:
            live.status = SUBMITTED
            deliveries = self.tell_state(live)
        if not live.behaviour.never_fills:
            self._plan_step(live, now)
        elif live.order.tif in _IMMEDIATE:
            deliveries += self._end_immediate(live, now)
        return deliveries

    def _end_immediate(self, live: LiveOrder, now: datetime) -> list[Delivery]:
        """The end of what could not fill at once: an IOC order is cancelled, a FOK is Inactive."""
        if live.order.tif == "FOK":
            live.status, live.is_done, live.finished_at = INACTIVE, True, now
            live.reason = "Fill or kill: not filled"
            live.version += 1
            return self.tell(live, order_status(live))
        live.status = PENDING_CANCEL
        return [*self.tell(live, order_status(live)), *self.end_cancelled(live, now)]

    def plan_expiry(self, live: LiveOrder, now: datetime) -> None:
        """A DAY order ends with the session it is for; one agenda entry serves all such orders."""
        live.expires_at = None
        if live.order.tif != "DAY":
            return
        extended = live.order.outside_rth and live.order.order_type == "LMT"
        calendar, zone = self._floor.market.calendar, live.contract.time_zone
        end = live.expires_at = calendar.session_end(zone, now, extended=extended)
        if end is not None and end not in self._day_ends:
            self._day_ends.add(end)
            self._floor.agenda.add(now, (end - now).total_seconds(), self._end_day)

    def _end_day(self, now: datetime) -> list[Delivery]:
        self._day_ends = {end for end in self._day_ends if end > now}
        deliveries: list[Delivery] = []
        for live in self._floor.book.working():
            if live.expires_at is None or live.expires_at > now:
                continue
            if is_closed_for(self._floor.market, live, now):
                deliveries += self.end_cancelled(live, now, reason=_EXPIRED)
            else:  # a staged session moves along with the clock
                self.plan_expiry(live, now)
        return deliveries

    def end_cancelled(
        self, live: LiveOrder, now: datetime, *, reason: str = "Cancelled by Trader"
    ) -> list[Delivery]:
        """The order is cancelled: final status, then the confirmation 202."""
        live.status, live.is_done, live.finished_at = CANCELLED, True, now
        live.reason = reason
        live.version += 1
        return [
            *self.tell(live, order_status(live)),
            *self.complain(live, 202, "Order Canceled - reason:"),
        ]

    def fill_rest(self, live: LiveOrder, now: datetime) -> list[Delivery]:
        """Fill all that is left at once, whatever was planned."""
        live.version += 1
        return self.fills.execute(live, FillStep(), now)

    def _acknowledge(
        self, live: LiveOrder, version: int, refusal: Rejection | None, now: datetime
    ) -> list[Delivery]:
        if live.is_done or live.version != version:
            return []
        if refusal is not None and refusal.after_sec == 0:
            return self._reject(live, refusal, now)
        live.status = PRE_SUBMITTED
        deliveries = self.tell_state(live)
        for notice in live.behaviour.notices:
            self._plan_notice(live, notice, now)
        if refusal is not None:
            self._floor.agenda.add(
                now, refusal.after_sec, lambda at: self._reject(live, refusal, at)
            )
            return deliveries
        if live.behaviour.hold is not None:
            return [*deliveries, *self._hold(live, live.behaviour.hold, now)]
        return [*deliveries, *self.activate(live, version, now)]

    def _plan_notice(self, live: LiveOrder, notice: Notice, now: datetime) -> None:
        self._floor.agenda.add(
            now, notice.after_sec, lambda _: self.complain(live, notice.code, notice.text)
        )

    def _reject(self, live: LiveOrder, refusal: Rejection, now: datetime) -> list[Delivery]:
        if live.is_done:
            return []
        live.status, live.reason, live.finished_at = INACTIVE, refusal.text, now
        live.is_done = refusal.revive_after_sec is None
        if refusal.revive_after_sec is not None:
            version = live.version
            self._floor.agenda.add(
                now, refusal.revive_after_sec, lambda at: self._revive(live, version, at)
            )
        if refusal.told == "cancelled":
            return self._reject_by_steps(live, refusal)
        status = self.tell(live, order_status(live))
        error = self.complain(live, refusal.code, refusal.text)
        told = {
            "status_first": [*status, *error],
            "error_first": [*error, *status],
            "error_only": error,
            "status_only": status,
        }
        return told[refusal.told]

    def _reject_by_steps(self, live: LiveOrder, refusal: Rejection) -> list[Delivery]:
        deliveries: list[Delivery] = []
        for status in (PENDING_SUBMIT, INACTIVE, CANCELLED):
            live.status = status
            deliveries += self.tell(live, order_status(live))
        return [*deliveries, *self.complain(live, refusal.code, refusal.text)]

    def _revive(self, live: LiveOrder, version: int, now: datetime) -> list[Delivery]:
        if live.is_done or live.version != version:
            return []
        live.status, live.reason, live.finished_at = PRE_SUBMITTED, "", None
        return [*self.tell_state(live), *self.activate(live, version, now)]

    def _hold(self, live: LiveOrder, hold: Hold, now: datetime) -> list[Delivery]:
        """Keep the order in PreSubmitted, say until when, and try again then."""
        live.is_held = True
        version, calendar = live.version, self._floor.market.calendar
        opens = calendar.next_regular_open(live.contract.time_zone, now)
        release_sec = hold.release_after_sec
        if hold is _CLOSED and opens is not None:
            release_sec = (opens - now).total_seconds()
        if release_sec is not None:
            self._floor.agenda.add(now, release_sec, lambda at: self.activate(live, version, at))
        zone = live.contract.time_zone
        local = opens.astimezone(ZoneInfo(zone)) if opens else None
        next_open = f"{local:{_OPENS_FORMAT}} {zone}" if local else "it opens"
        text = f"Order Message:\n{live.order.action} {live.quantity:f} {live.contract.symbol}\n"
        return self.complain(live, hold.code, text + hold.text.replace("{next_open}", next_open))

    def _plan_step(self, live: LiveOrder, now: datetime) -> None:
        steps = steps_of(live)
        if is_finished(live):
            return
        behaviour, version = live.behaviour, live.version
        delay = steps[live.next_step].after_sec
        if delay is None:
            delay = behaviour.fill_delay_sec
        if delay is None:
            delay = usual_delay_sec(self._floor.scenario, live)
        self._floor.agenda.add(now, delay, lambda at: self._step(live, version, at))

    def _step(self, live: LiveOrder, version: int, now: datetime) -> list[Delivery]:
        if is_finished(live) or live.version != version:
            return []
        if not self._can_fill(live, now):
            if live.order.tif in _IMMEDIATE:
                return self._end_immediate(live, now)
            live.is_step_waiting = True
            self._wait_for_open(live, now)
            return []
        live.is_step_waiting = False
        step = steps_of(live)[live.next_step]
        if live.order.tif == "FOK" and (step.quantity or live.remaining) < live.remaining:
            return self._end_immediate(live, now)
        live.next_step += 1
        deliveries = self.fills.execute(live, step, now)
        if live.order.tif in _IMMEDIATE and not live.is_done and is_finished(live):
            return [*deliveries, *self._end_immediate(live, now)]
        self._plan_step(live, now)
        return deliveries

    def _wait_for_open(self, live: LiveOrder, now: datetime) -> None:
        if is_closed_for(self._floor.market, live, now):
            version, calendar = live.version, self._floor.market.calendar
            opens = calendar.next_regular_open(live.contract.time_zone, now)
            if opens is not None:
                delay = (opens - now).total_seconds()
                self._floor.agenda.add(now, delay, lambda at: self._resume(live, version, at))

    def _resume(self, live: LiveOrder, version: int, now: datetime) -> list[Delivery]:
        """Do the step the order waits with; nothing if it has gone on since."""
        return self._step(live, version, now) if live.is_step_waiting else []

    def _can_fill(self, live: LiveOrder, now: datetime) -> bool:
        if live.is_held or self._floor.market.halt(live.contract) or is_cancel_pending(live):
            return False
        is_price_right = is_within_limit(live, self.fills.price(live))
        return is_price_right and not is_closed_for(self._floor.market, live, now)
