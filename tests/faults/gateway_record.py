"""What the gateway knows better than the program: messages received, orders, executions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from src.simulator.gateway.wire_log import WireRecord
from src.simulator.messages.requests import CancelOrder, PlaceOrder
from src.simulator.messages.tables import parse_request
from tests.faults.market import ACCOUNT, PLAN

_HARMLESS = frozenset(
    {
        "StartApi",
        "ReqPositions",
        "CancelPositions",
        "ReqAccountUpdates",
        "ReqAccountUpdatesMulti",
        "CancelAccountUpdatesMulti",
        "ReqAllOpenOrders",
        "ReqCompletedOrders",
        "ReqExecutions",
        "ReqContractDetails",
        "ReqMatchingSymbols",
        "ReqCurrentTime",
        "ReqMktData",
        "CancelMktData",
        "ReqMarketDataType",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentOrder:
    """One placeOrder as it came over the wire."""

    order_id: int
    order_ref: str
    con_id: int
    account_id: str
    signed_shares: Decimal
    order_type: str
    algo: str


def orders_in(records: Iterable[WireRecord]) -> list[SentOrder]:
    """Every placeOrder among these messages, also one that was never served."""
    requests = [
        parse_request(one.fields, 178) for one in records if one.name == PlaceOrder.__name__
    ]
    return [_sent_order(one) for one in requests if isinstance(one, PlaceOrder)]


def _sent_order(request: PlaceOrder) -> SentOrder:
    order = request.order
    shares = order.total_quantity or Decimal(0)
    return SentOrder(
        order_id=request.order_id,
        order_ref=order.order_ref,
        con_id=request.contract.con_id,
        account_id=order.account,
        signed_shares=shares if order.action == "BUY" else -shares,
        order_type=order.order_type,
        algo=order.algo_strategy,
    )


def check_wire(records: Iterable[WireRecord]) -> None:
    """I2, I4, I7 and I9 on the gateway's own record: who asked for what, and how often."""
    records = list(records)
    orders = orders_in(records)
    names = {one.name for one in records}
    assert names <= _HARMLESS | {"PlaceOrder", "CancelOrder"}, names - _HARMLESS
    assert len({one.order_ref for one in orders}) == len(orders), "an order ref was sent twice"
    assert len({one.order_id for one in orders}) == len(orders), "an order id was used twice"
    assert {one.account_id for one in orders} <= {ACCOUNT}
    _check_cancels(records)


def _check_cancels(records: list[WireRecord]) -> None:
    """Only what was placed before is cancelled, and each order once per connection at most."""
    placed: set[int] = set()
    for record in records:
        placed |= {one.order_id for one in orders_in([record])}
        if record.name == CancelOrder.__name__:
            request = parse_request(record.fields, 178)
            assert isinstance(request, CancelOrder)
            assert request.order_id in placed


def symbol_of(con_id: int) -> str:
    """The symbol behind one of the market's contract ids."""
    return list(PLAN)[con_id - 11]
