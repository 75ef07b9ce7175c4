"""Takes cancel requests and answers them as the order's behaviour says.

The id of an order of its own comes first; else a client may cancel the working order that another
has placed under the id, and hears of its end with it. A request does not say whose order it means,
so an id that several others use is not found.
"""

from __future__ import annotations

from datetime import datetime

from src.simulator.messages.requests import CancelOrder
from src.simulator.orders.floor import Floor
from src.simulator.orders.flow import OrderFlow
from src.simulator.orders.messages import order_status
from src.simulator.orders.queries import READ_ONLY
from src.simulator.orders.state import PENDING_CANCEL, LiveOrder
from src.simulator.outbox.delivery import Delivery, complain, invalid

_SILENT_ANSWERS = ("not_found", "too_late", "ignored")


class CancelDesk:
    """Receives cancelOrder and reqGlobalCancel."""

    def __init__(self, floor: Floor, flow: OrderFlow) -> None:
        self._floor = floor
        self._flow = flow

    def cancel(self, client_id: int, request: CancelOrder, now: datetime) -> list[Delivery]:
        """Answer a cancelOrder."""
        order_id = request.order_id
        if self._floor.scenario.gateway.read_only_api:
            return invalid(client_id, order_id, READ_ONLY)
        book = self._floor.book
        live = book.find(client_id, order_id) or book.find_of_others(order_id)
        if live is None or (live.is_done and not live.is_transmitted):
            return complain(client_id, order_id, 10147, _not_found(order_id))
        if live.is_done:
            return complain(client_id, order_id, 10148, _not_cancellable(live))
        if not live.is_transmitted:
            return self._flow.end_cancelled(live, now)
        live.cancelled_by = None if client_id == live.client_id else client_id
        return self._start(live, now)

    def cancel_all(self, client_id: int, now: datetime) -> list[Delivery]:
        """Answer a reqGlobalCancel: every working order of every client."""
        if self._floor.scenario.gateway.read_only_api:
            return invalid(client_id, -1, READ_ONLY)
        return [part for live in self._floor.book.working() for part in self._start(live, now)]

    def _start(self, live: LiveOrder, now: datetime) -> list[Delivery]:
        setup = live.behaviour.cancel
        deliveries: list[Delivery] = []
        if setup.answer not in _SILENT_ANSWERS:
            live.status = PENDING_CANCEL
            deliveries = self._flow.tell(live, order_status(live))
        self._floor.agenda.add(now, setup.delay_sec, lambda at: self._finish(live, at))
        return deliveries

    def _finish(self, live: LiveOrder, now: datetime) -> list[Delivery]:
        answer = live.behaviour.cancel.answer
        if answer in ("pending", "ignored"):
            return []
        if live.is_done:
            return self._flow.complain(live, 10148, _not_cancellable(live))
        if answer == "not_found":
            return self._flow.complain(live, 10147, _not_found(live.order_id))
        if answer == "fills_first":
            fills = self._flow.fill_rest(live, now)
            return [*fills, *self._flow.complain(live, 10148, _not_cancellable(live))]
        if answer == "too_late":
            self._fill_later(live, now)
            text = (
                f"Cancel attempted when order is not in a cancellable state. PermId={live.perm_id}"
            )
            return self._flow.complain(live, 161, text)
        deliveries = self._flow.end_cancelled(live, now)
        if answer == "fills_after":
            self._fill_later(live, now)
        return deliveries

    def _fill_later(self, live: LiveOrder, now: datetime) -> None:
        delay = live.behaviour.fill_delay_sec
        if delay is None:
            delay = self._floor.scenario.fill_delay_sec
        self._floor.agenda.add(now, delay, lambda at: self._flow.fill_rest(live, at))


def _not_found(order_id: int) -> str:
    return f"OrderId {order_id} that needs to be cancelled is not found."


def _not_cancellable(live: LiveOrder) -> str:
    return (
        f"OrderId {live.order_id} that needs to be cancelled cannot be cancelled,"
        f" state: {live.status}."
    )
