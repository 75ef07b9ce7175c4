"""Questions about orders: open ones, completed ones, executions of today.

A gateway in read-only API mode refuses the order lists with 321 and no end message. Executions and
completed orders reach back to midnight in the gateway's time zone.
"""

from __future__ import annotations

from datetime import datetime

from src.simulator.messages.requests import (
    ReqAllOpenOrders,
    ReqAutoOpenOrders,
    ReqCompletedOrders,
    ReqExecutions,
    ReqOpenOrders,
    Request,
)
from src.simulator.messages.responses import (
    CompletedOrdersEnd,
    ExecDetailsEnd,
    OpenOrderEnd,
    Response,
)
from src.simulator.orders.messages import (
    commission_report,
    completed_order,
    exec_details,
    open_order,
    order_status,
)
from src.simulator.orders.state import Execution, LiveOrder, OrderBook
from src.simulator.outbox.delivery import SYSTEM_ID, Delivery, deliver, invalid
from src.simulator.outbox.gateway_times import broker_day, read_filter_time

READ_ONLY = "The API interface is currently in Read-Only mode."
_SIDES = {"BUY": "BOT", "BOT": "BOT", "SELL": "SLD", "SSHORT": "SLD", "SLD": "SLD"}


class QueryDesk:
    """Lists orders and executions."""

    def __init__(self, book: OrderBook, *, read_only_api: bool) -> None:
        self._book = book
        self._read_only_api = read_only_api

    def handle(self, client_id: int, request: Request, now: datetime) -> list[Delivery]:
        """Answer a question about orders; nothing for any other request."""
        match request:
            case ReqExecutions():
                return self._executions(client_id, request, now)
            case ReqOpenOrders() | ReqAllOpenOrders() | ReqCompletedOrders():
                return self._list(client_id, request, now)
            case ReqAutoOpenOrders() if client_id != 0:
                return invalid(client_id, SYSTEM_ID, "Only the client with id 0 can bind orders")
        return []

    def _list(
        self,
        client_id: int,
        request: ReqOpenOrders | ReqAllOpenOrders | ReqCompletedOrders,
        now: datetime,
    ) -> list[Delivery]:
        if self._read_only_api:
            return invalid(client_id, SYSTEM_ID, READ_ONLY)
        if isinstance(request, ReqCompletedOrders):
            return self._completed(client_id, now, api_only=request.api_only)
        is_own = isinstance(request, ReqOpenOrders)
        return self._open_orders(client_id, own_client=client_id if is_own else None)

    def _open_orders(self, client_id: int, own_client: int | None) -> list[Delivery]:
        rows: list[Response] = []
        for live in self._book.working():
            if own_client in (None, live.client_id):
                rows += [open_order(live), order_status(live)]
        return deliver(client_id, *rows, OpenOrderEnd())

    def _completed(self, client_id: int, now: datetime, *, api_only: bool) -> list[Delivery]:
        rows = [
            completed_order(live, now, self._book.times)
            for live in self._book.orders
            if live.is_done
            and live.is_transmitted
            and broker_day(live.finished_at or live.placed_at) == broker_day(now)
            and not (api_only and live.is_manual)
        ]
        return deliver(client_id, *rows, CompletedOrdersEnd())

    def _executions(self, client_id: int, request: ReqExecutions, now: datetime) -> list[Delivery]:
        earliest = read_filter_time(request.time)
        if request.time and earliest is None:
            return invalid(client_id, request.req_id, f"Invalid time '{request.time}'")
        rows: list[Response] = []
        for execution in self._book.executions.values():
            is_recent = broker_day(execution.at) == broker_day(now)
            is_late_enough = earliest is None or execution.at >= earliest
            if is_recent and is_late_enough and _fits(execution, request):
                rows.append(exec_details(execution, self._book.times, request.req_id))
                if execution.exec_id in self._book.told_commissions:
                    rows.append(commission_report(execution))
        return deliver(client_id, *rows, ExecDetailsEnd(req_id=request.req_id))


def _fits(execution: Execution, request: ReqExecutions) -> bool:
    live: LiveOrder = execution.live
    side = _SIDES.get(request.side.upper(), request.side)
    given = (
        (request.client_id, live.client_id),
        (request.account, execution.account),
        (request.symbol, execution.contract.symbol),
        (request.sec_type, execution.contract.sec_type),
        (request.exchange, execution.venue),
        (side, execution.side),
    )
    return all(not wanted or wanted == actual for wanted, actual in given)
