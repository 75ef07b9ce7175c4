"""What the broker says, message by message, sent to whoever waits for it: raw evidence only.

The library's own bookkeeping (trades, tickers, portfolio) is not used at all: it marks an order as
cancelled at any error, forgets everything at a reconnect, and answers refusals with empty lists.
"""

# ruff: noqa: N802, N803, N815, D102, PLR0913, PLR0917, ARG002 - names and arguments of the library

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from src.broker.client import convert
from src.broker.client.account_listener import AccountListener
from src.broker.client.notices import Notices
from src.broker.client.replies import AnswerDamaged, AnswerRefused
from src.broker.client.tick_sink import TickSink
from src.broker.client.upstream import Upstream
from src.broker.wire.pacing import Reply, read_reply
from src.core.orders.codes import FEED_TAKEN, CodeKind, classify
from src.core.orders.events import (
    BrokerEvent,
    CommissionSeen,
    FillSeen,
    LinkSeen,
    LinkState,
    OpenOrderSeen,
    OrderErrorSeen,
    StatusSeen,
)

if TYPE_CHECKING:
    from ib_async.contract import Contract, ContractDescription, ContractDetails
    from ib_async.ib import IB
    from ib_async.objects import CommissionReport, Execution
    from ib_async.order import Order, OrderState

    from src.broker.client.guarded_client import GuardedClient
    from src.core.costs.what_if import WhatIfBook

log = logging.getLogger(__name__)

OPEN_ORDERS: Final = "open orders"
COMPLETED_ORDERS: Final = "completed orders"
CURRENT_TIME: Final = "current time"
_CLIENT_ID_IN_USE: Final = 326
_VALIDATION_FAILED: Final = 321
_TICKS: Final = frozenset({"1", "2", "45", "46", "57", "58", "81"})
_LISTED: Final = frozenset({"5", "10", "11", "63", "71", "73", "79", "101"})
_SESSION_BACK: Final = frozenset({CodeKind.SESSION_BACK, CodeKind.SESSION_BACK_WITH_LOSS})
_GRAVE: Final = _SESSION_BACK | {CodeKind.SESSION_DOWN, CodeKind.PACING}
CLIENT_ID_TAKEN: Final = "refused the client id: it is in use by another program"


class Listener(AccountListener):
    """Receives every decoded message of one connection."""

    def __init__(self, ib: IB, accounts: Iterable[str]) -> None:
        super().__init__(ib, accounts)
        self.quotes: dict[int, TickSink] = {}
        self.upstream = Upstream()
        self.notices = Notices()
        self.closed = asyncio.Event()
        self.highest_order_id = 0
        self.commissions: dict[str, CommissionSeen] = {}
        self.last_message = ""
        self.generation = 0
        self.client: GuardedClient
        self.evidence: Callable[[BrokerEvent], None] | None = None
        self.what_ifs: WhatIfBook | None = None

    # --- contracts and market data ----------------------------------------------------------

    def contractDetails(self, reqId: int, contractDetails: ContractDetails) -> None:
        self.replies.add(reqId, contractDetails)

    bondContractDetails = contractDetails

    def contractDetailsEnd(self, reqId: int) -> None:
        self.replies.finish(reqId)

    def symbolSamples(self, reqId: int, contractDescriptions: list[ContractDescription]) -> None:
        for sample in contractDescriptions:
            self.replies.add(reqId, sample)
        self.replies.finish(reqId)

    def priceSizeTick(self, reqId: int, tickType: int, price: float, size: float) -> None:
        sink = self.quotes.get(reqId)
        if sink is not None:
            sink.on_price(tickType, convert.positive(price))

    def tickGeneric(self, reqId: int, tickType: int, value: float) -> None:
        sink = self.quotes.get(reqId)
        if sink is not None:
            sink.on_number(tickType, convert.known(value))

    def tickString(self, reqId: int, tickType: int, value: str) -> None:
        sink = self.quotes.get(reqId)
        if sink is not None:
            sink.on_text(tickType, value)

    def marketDataType(self, reqId: int, marketDataId: int) -> None:
        sink = self.quotes.get(reqId)
        if sink is not None:
            sink.on_kind(marketDataId)

    def tickSnapshotEnd(self, reqId: int) -> None:
        sink = self.quotes.get(reqId)
        if sink is not None:
            sink.on_end()

    # --- orders -----------------------------------------------------------------------------

    def openOrder(
        self, orderId: int, contract: Contract, order: Order, orderState: OrderState
    ) -> None:
        if order.whatIf:
            if self.what_ifs is not None:
                from src.broker.client.what_if_messages import what_if_figures

                self.what_ifs.take_figures(orderId, what_if_figures(orderState))
            return
        seen = convert.working_order(contract, order, orderState)
        self._note_life(orderId, order.clientId, f"the broker lists it as {seen.status}")
        self.highest_order_id = max(self.highest_order_id, orderId)
        self.replies.add(OPEN_ORDERS, seen)
        self._emit(OpenOrderSeen(order=seen))

    def openOrderEnd(self) -> None:
        self.replies.finish(OPEN_ORDERS)

    def completedOrder(self, contract: Contract, order: Order, orderState: OrderState) -> None:
        self.replies.add(COMPLETED_ORDERS, convert.completed_order(contract, order, orderState))

    def completedOrdersEnd(self) -> None:
        self.replies.finish(COMPLETED_ORDERS)

    def orderStatus(
        self,
        orderId: int,
        status: str,
        filled: float,
        remaining: float,
        avgFillPrice: float,
        permId: int,
        parentId: int,
        lastFillPrice: float,
        clientId: int,
        whyHeld: str,
        mktCapPrice: float = 0.0,
    ) -> None:
        self._note_life(orderId, clientId, f"status {convert.clean(status)}")
        self._emit(
            StatusSeen(
                order_id=orderId,
                client_id=clientId,
                perm_id=permId,
                status=convert.clean(status),
                filled_shares=convert.known(convert.shares(filled)) or Decimal(0),
                why_held=convert.clean(whyHeld),
            )
        )

    def execDetails(self, reqId: int, contract: Contract, execution: Execution) -> None:
        fill = convert.fill_from(contract, execution)
        self.highest_order_id = max(self.highest_order_id, fill.order_id)
        self._note_life(fill.order_id, fill.client_id, f"{fill.qty_shares:f} shares executed")
        self.replies.add(reqId, fill)
        self._emit(FillSeen(fill=fill))

    def execDetailsEnd(self, reqId: int) -> None:
        self.replies.finish(reqId)

    def commissionReport(self, commissionReport: CommissionReport) -> None:
        seen = convert.commission_from(commissionReport)
        self.commissions[seen.exec_id] = seen
        self._emit(seen)

    # --- session ----------------------------------------------------------------------------

    def nextValidId(self, reqId: int) -> None:
        self.highest_order_id = max(self.highest_order_id, reqId - 1)

    def currentTime(self, time: int) -> None:
        now = convert.utc_from_epoch(str(time))
        if now is not None:  # an absurd time is as good as none
            self.replies.add(CURRENT_TIME, now)
            self.replies.finish(CURRENT_TIME)

    def error(
        self, reqId: int, errorCode: int, errorString: str, advancedOrderRejectJson: str
    ) -> None:
        text = convert.clean(errorString)
        if reqId < 0:
            self._session_message(errorCode, text)
        elif reqId in self.quotes:
            self.quotes[reqId].on_error(errorCode, text)
        elif self.replies.is_open(reqId):
            if read_reply(errorCode) is Reply.NOTICE:
                self.replies.note(reqId, f"{errorCode}: {text}")
            else:
                self.replies.fail(reqId, AnswerRefused(errorCode, text))
        elif self.what_ifs is not None and self.what_ifs.has(reqId):
            log.info("what-if message id=%s code=%s text=%s", reqId, errorCode, text)
            self.what_ifs.take_error(reqId, errorCode, text)
        elif self.replies.is_request_id(reqId):
            log.debug("late message request=%s code=%s text=%s", reqId, errorCode, text)
        else:
            log.info("broker message id=%s code=%s text=%s", reqId, errorCode, text)
            self._emit(OrderErrorSeen(order_id=reqId, code=errorCode, text=text))

    def connectionClosed(self) -> None:
        super().connectionClosed()
        self.replies.fail_all(ConnectionError("the connection was closed"))
        self.upstream.restore()
        self.closed.set()
        self._emit_link(LinkState.SOCKET_LOST, text="the connection was closed")

    def message_unreadable(self, message_id: str, name: str) -> None:
        """A message could not be decoded: any list that is just arriving may be short.

        One without even a number may have been a row of any of them.
        """
        if message_id in _TICKS:
            return
        for book in self.books.values():
            book.note_unreadable(name)
        if message_id in _LISTED or not message_id.isdecimal():
            self.replies.fail_all(AnswerDamaged(f"a message was not understood: {name}"))

    def _session_message(self, code: int, text: str) -> None:
        """A message about the session as a whole."""
        kind = classify(code)
        if not self.notices.hear(code, text):
            return
        level = logging.WARNING if kind in _GRAVE else logging.INFO
        log.log(level, "broker message code=%s text=%s", code, text)
        if code == FEED_TAKEN:
            self.feed_taken.set()
        elif code == _CLIENT_ID_IN_USE:
            self.client.break_off(CLIENT_ID_TAKEN)
        elif kind is CodeKind.SESSION_DOWN:
            self.upstream.lose()
            self._emit_link(LinkState.UPSTREAM_LOST, code, text)
        elif kind in _SESSION_BACK:
            self.upstream.restore(with_loss=kind is CodeKind.SESSION_BACK_WITH_LOSS)
            self._emit_link(LinkState.UPSTREAM_BACK, code, text)
        elif code == _VALIDATION_FAILED:
            self._refuse_nameless(AnswerRefused(code, text))
        elif kind is CodeKind.PACING:
            self.client.slow_down()
        if kind is not CodeKind.WARNING:
            self.last_message = f"{code}: {text}"

    def _refuse_nameless(self, refusal: AnswerRefused) -> None:
        """End what was asked without a number: order lists, which read-only mode refuses, first."""
        lists = [key for key in (OPEN_ORDERS, COMPLETED_ORDERS) if self.replies.is_open(key)]
        for key in lists or (CURRENT_TIME,):
            self.replies.fail(key, refusal)

    def _note_life(self, order_id: int, client_id: int, sign: str) -> None:
        """A question about an order must never become one."""
        if self.what_ifs is not None:
            self.what_ifs.take_life(order_id, client_id, sign)

    def _emit_link(self, state: LinkState, code: int = 0, text: str = "") -> None:
        self._emit(LinkSeen(state=state, code=code, text=text, generation=self.generation))

    def _emit(self, event: BrokerEvent) -> None:
        if self.evidence is not None:
            self.evidence(event)
