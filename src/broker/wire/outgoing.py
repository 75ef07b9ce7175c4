"""Which messages may leave the socket: an allow-list by message id, whatever code calls.

Reading is always allowed. Placing and cancelling one order is allowed only while an order desk is
open, which takes a permit; cancelling certain orders, and no more, while a cancel desk is open.
Everything else never leaves: global cancel, exercise, binding manual orders, advisor settings,
historical and news requests, and whatever is invented later.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from src.base.errors import Refused

_READS: Final[dict[int, str]] = {
    1: "reqMktData",
    2: "cancelMktData",
    6: "reqAccountUpdates",
    7: "reqExecutions",
    9: "reqContractDetails",
    16: "reqAllOpenOrders",
    49: "reqCurrentTime",
    59: "reqMarketDataType",
    61: "reqPositions",
    62: "reqAccountSummary",
    63: "cancelAccountSummary",
    64: "cancelPositions",
    71: "startApi",
    76: "reqAccountUpdatesMulti",
    77: "cancelAccountUpdatesMulti",
    81: "reqMatchingSymbols",
    99: "reqCompletedOrders",
}
_ORDERS: Final[dict[int, str]] = {3: "placeOrder", 4: "cancelOrder"}
_CANCEL: Final = 4
_ORDER_ID: Final = 2
"""Where a cancelOrder names the order: behind its message id and its version."""


def check_outgoing(
    message: str, *, desk_is_open: bool, may_cancel: Collection[int] = frozenset()
) -> None:
    """Let a message pass, or stop it before a byte leaves; ``may_cancel`` are order ids.

    Raises: Refused for an order message without an open desk, and for every message id that is
    not on the list.
    """
    fields = message.split("\0", _ORDER_ID + 1)
    head, message_id = fields[0], _number(fields[0])
    if message_id in _READS or (desk_is_open and message_id in _ORDERS):
        return
    if (
        message_id == _CANCEL
        and len(fields) > _ORDER_ID
        and _number(fields[_ORDER_ID]) in may_cancel
    ):
        return
    name = _ORDERS.get(message_id)
    if name is not None:
        raise Refused(f"blocked {name}: no order leaves without an approved plan")
    raise Refused(f"blocked message {head[:12]!r}: this program never sends it")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else -1
