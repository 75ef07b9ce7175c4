"""Takes orders in: new ones, changes of working ones, previews (what-if) and held-back ones.

The id decides: an id the client has not used makes a new order; the id of its working order changes
that order; anything else is refused. ``transmit`` off keeps the order silent until it is sent again
with it on.
"""

from __future__ import annotations

from datetime import datetime

from src.simulator.messages.orders import ZERO, Order, as_reported
from src.simulator.messages.requests import PlaceOrder
from src.simulator.messages.responses import OrderStatus
from src.simulator.orders.checks import Complaint, check_order, order_contract, short_sale_text
from src.simulator.orders.floor import Floor
from src.simulator.orders.flow import OrderFlow
from src.simulator.orders.margin import refusal_text
from src.simulator.orders.state import CANCELLED, FILLED, LiveOrder
from src.simulator.orders.what_if import TRANSMIT_OFF, WhatIfAnswers
from src.simulator.outbox.delivery import Delivery, complain, deliver, invalid
from src.simulator.scenario.records import ContractSetup, OrderBehaviour, OrderRule, Rejection

_HEALTHY = OrderBehaviour()
_TIF_PRESET = "Order TIF was set to DAY based on order preset."
_OUTSIDE_RTH_IGNORED = (
    "Order Event Warning:Attribute 'Outside Regular Trading Hours' is ignored based on the order"
    " type and destination. PlaceOrder is now being processed."
)


class OrderDesk:
    """Receives placeOrder. ``count`` is how many orders were transmitted so far."""

    def __init__(self, floor: Floor, flow: OrderFlow) -> None:
        self._floor = floor
        self._flow = flow
        self._what_ifs = WhatIfAnswers(floor, flow)
        self.count = 0

    def place(self, client_id: int, request: PlaceOrder, now: datetime) -> list[Delivery]:
        """Answer a placeOrder; most of what follows comes from the agenda."""
        before = self._floor.book.find(client_id, request.order_id)
        if before is not None and before.is_transmitted and not before.is_done:
            return self._modify(before, request, now)
        complaint = _id_complaint(before) or self._reused_id(client_id, request, before)
        complaint = complaint or check_order(self._floor, request)
        if complaint is not None:
            return _refuse(client_id, request, complaint)
        if before is not None:
            before.is_done = True
        live = self._accept(client_id, request, now)
        if request.order.what_if:
            return self._look_at(live, request, now)
        self._floor.book.add(live)
        return self._transmit(live, request.order, now) if request.order.transmit else []

    def go_on(self, now: datetime) -> None:
        """Have the orders of an earlier gateway that are not done work on from here."""
        for live in self._floor.book.working():
            if not live.behaviour.never_fills:
                live.behaviour = self._behaviour(live.contract, live.order, self.count)
                self._flow.activate(live, live.version, now)

    def _reused_id(
        self, client_id: int, request: PlaceOrder, before: LiveOrder | None
    ) -> Complaint | None:
        is_old = 0 < request.order_id <= self._floor.book.highest_id(client_id)
        if before is None and is_old and not request.order.what_if:
            return _DUPLICATE
        return None

    def _accept(self, client_id: int, request: PlaceOrder, now: datetime) -> LiveOrder:
        contract = order_contract(self._floor, request)
        account = request.order.account or next(iter(self._floor.accounts))
        order = request.order._replace(account=account, tif=request.order.tif or "DAY")
        return LiveOrder(
            client_id=client_id,
            order_id=request.order_id,
            perm_id=self._floor.book.new_perm_id(),
            contract=contract,
            key=request.contract,
            order=order,
            placed_at=now,
            behaviour=_HEALTHY,
            is_transmitted=request.order.transmit,
        )

    def _transmit(self, live: LiveOrder, asked: Order, now: datetime) -> list[Delivery]:
        self.count += 1
        live.behaviour = self._behaviour(live.contract, live.order, self.count)
        deliveries: list[Delivery] = []
        if not asked.tif and self._floor.scenario.gateway.tif_preset_notice:
            deliveries += self._flow.complain(live, 10349, _TIF_PRESET)
        if live.order.outside_rth and live.order.order_type != "LMT":
            deliveries += self._flow.complain(live, 2109, _OUTSIDE_RTH_IGNORED)
        self._flow.submit(live, self._exchange_refusal(live), now)
        return deliveries

    def _behaviour(self, contract: ContractSetup, order: Order, number: int) -> OrderBehaviour:
        for rule in self._floor.scenario.order_rules:
            if _fits(rule, contract, order, number):
                return rule.then
        return _HEALTHY

    def _exchange_refusal(self, live: LiveOrder) -> Rejection | None:
        """Margin, cash and short-sale rules of the account."""
        others = [other for other in self._floor.book.working() if other is not live]
        if not live.is_buy:
            text = short_sale_text(self._floor, live, others)
            return Rejection(text=text) if text else None
        account = self._floor.accounts[live.order.account]
        text = refusal_text(account, self._floor.market, live, others)
        if account.setup.settles_later:
            return Rejection(text=text, told="cancelled") if text else None
        return Rejection(text=text) if text else None

    def _modify(self, live: LiveOrder, request: PlaceOrder, now: datetime) -> list[Delivery]:
        if request.order.trail_stop_price == as_reported(live.order).trail_stop_price:
            request = request._replace(order=request.order._replace(trail_stop_price=None))
        complaint = check_order(self._floor, request)
        if complaint is None and not _is_same_order(self._floor, live, request):
            text = "Order being modified does not match original order"
            complaint = Complaint(code=105, text=text)
        quantity = request.order.total_quantity or live.quantity
        if complaint is None and quantity <= live.filled:
            complaint = _FILLED
        if complaint is not None:
            return complain(live.client_id, live.order_id, complaint.code, complaint.text)
        live.order = request.order._replace(
            account=live.order.account, tif=request.order.tif or "DAY"
        )
        live.version += 1
        live.is_step_waiting = False
        self._flow.plan_expiry(live, now)
        return [
            *self._flow.tell_state(live),
            *self._flow.activate(live, live.version, now),
        ]

    def _look_at(self, live: LiveOrder, request: PlaceOrder, now: datetime) -> list[Delivery]:
        """A what-if: its figures; an order that cannot be carried adds 201."""
        if not request.order.transmit:
            return invalid(live.client_id, live.order_id, TRANSMIT_OFF)
        if not request.order.tif and self._floor.scenario.gateway.tif_preset_notice:
            return complain(live.client_id, live.order_id, 10349, _TIF_PRESET)
        live.behaviour = self._behaviour(live.contract, live.order, _NO_NUMBER)
        if live.behaviour.what_if.answer == "order":
            live.order = live.order._replace(what_if=False)
            self._floor.book.add(live)
            return self._transmit(live, request.order, now)
        return self._what_ifs.answer(live, self._exchange_refusal(live), now)


_PROCESSING = 322
_NO_NUMBER = 0
"""A what-if is not counted as an order."""

_DUPLICATE = Complaint(code=103, text="Duplicate order id")
_FILLED = Complaint(code=104, text="Cannot modify a filled order.")


def _refuse(client_id: int, request: PlaceOrder, complaint: Complaint) -> list[Delivery]:
    """The complaint, and whatever else ends the client's wait for the order or preview."""
    is_preview = request.order.what_if
    code = _PROCESSING if complaint.ends and is_preview else complaint.code
    error = complain(client_id, request.order_id, code, complaint.text)
    if not complaint.ends or is_preview:
        return error
    status = OrderStatus(
        order_id=request.order_id,
        status=CANCELLED,
        filled=ZERO,
        remaining=request.order.total_quantity or ZERO,
        client_id=client_id,
    )
    return [*error, *deliver(client_id, status)]


def _id_complaint(before: LiveOrder | None) -> Complaint | None:
    """What is wrong with placing under the id of an order that is done."""
    if before is None or (not before.is_done and not before.is_transmitted):
        return None
    return _FILLED if before.status == FILLED else _DUPLICATE


def _is_same_order(floor: Floor, live: LiveOrder, request: PlaceOrder) -> bool:
    account = request.order.account or next(iter(floor.accounts))
    return (
        order_contract(floor, request) is live.contract
        and request.order.action == live.order.action
        and account == live.order.account
    )


def _fits(rule: OrderRule, contract: ContractSetup, order: Order, number: int) -> bool:
    conditions = (
        not rule.symbols or contract.symbol in rule.symbols,
        not rule.sides or order.action in rule.sides,
        not rule.order_types or order.order_type in rule.order_types,
        not rule.algos or order.algo_strategy in rule.algos,
        not rule.numbers or number in rule.numbers,
        not rule.order_refs_ending or order.order_ref.endswith(rule.order_refs_ending),
    )
    return all(conditions)
