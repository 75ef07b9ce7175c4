"""Which messages may leave the socket: an allow-list by message id, whatever code calls.

Reading is always allowed. Placing and cancelling one order is allowed only while an order desk is
open, which takes a permit; cancelling certain orders, and no more, while a cancel desk is open;
asking what certain orders would cost while a what-if desk is open, bytes read.
An order names the account of the permit it leaves under, in the bytes themselves.
Everything else never leaves: global cancel, exercise, binding manual orders, advisor settings,
historical and news requests, and whatever is invented later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
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
    74: "reqPositionsMulti",
    75: "cancelPositionsMulti",
    76: "reqAccountUpdatesMulti",
    77: "cancelAccountUpdatesMulti",
    81: "reqMatchingSymbols",
    99: "reqCompletedOrders",
}
_ORDERS: Final[dict[int, str]] = {3: "placeOrder", 4: "cancelOrder"}
_PLACE: Final = 3
_ACCOUNT: Final = 23
"""Where a placeOrder names its account: from server version 145 on, and this program needs 157."""

_CANCEL: Final = 4
_ORDER_ID: Final = 2
"""Where a cancelOrder names the order: behind its message id and its version."""


def check_outgoing(
    message: str,
    *,
    desk_account: str,
    may_cancel: Collection[int] = frozenset(),
    what_if_violation: Callable[[str], str] | None = None,
) -> None:
    """Let a message pass, or stop it before a byte leaves; ``may_cancel`` are order ids.

    ``desk_account`` is the account of the permit that the open order desk has; empty without one.
    ``what_if_violation`` says what is wrong with a question what an order would cost.
    Raises: Refused for an order message without an open desk, for an order of another account, and
    for every message id that is not on the list.
    """
    fields = message.split("\0", _ACCOUNT + 1)
    head, message_id = fields[0], _number(fields[0])
    if message_id in _READS or (desk_account and message_id == _CANCEL):
        return
    if desk_account and message_id == _PLACE:
        if len(fields) > _ACCOUNT and fields[_ACCOUNT] == desk_account:
            return
        raise Refused("blocked placeOrder: it does not name the account of the approved plan")
    if (
        message_id == _CANCEL
        and len(fields) > _ORDER_ID
        and _number(fields[_ORDER_ID]) in may_cancel
    ):
        return
    if message_id == _PLACE and what_if_violation is not None:
        violation = what_if_violation(message)
        if violation:
            raise Refused(f"blocked a what-if: {violation}")
        return
    name = _ORDERS.get(message_id)
    if name is not None:
        raise Refused(f"blocked {name}: no order leaves without an approved plan")
    raise Refused(f"blocked message {head[:12]!r}: this program never sends it")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else -1
