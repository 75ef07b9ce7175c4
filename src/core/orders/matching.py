"""Which of our orders a piece of evidence is about: by our reference and ids, never by guess.

An execution belongs to the order whose reference it carries. A status carries no reference, so it
is matched by order id and client id, and by the broker's lasting number where both are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from src.core.orders.events import (
    BrokerEvent,
    CommissionSeen,
    FillSeen,
    OpenOrderSeen,
    OrderErrorSeen,
    StatusSeen,
)
from src.core.orders.executions import execution_key
from src.core.orders.state import OrderState
from src.core.records.orders import Fill, WorkingOrder


def owner_of(event: BrokerEvent, orders: Iterable[OrderState]) -> OrderState | None:
    """The order an event names, or None."""
    return next((order for order in orders if _names(event, order)), None)


def order_id_of(event: BrokerEvent) -> int | None:
    """The order id an event carries, if its kind has one."""
    if isinstance(event, FillSeen):
        return event.fill.order_id
    if isinstance(event, OpenOrderSeen):
        return event.order.order_id
    if isinstance(event, (StatusSeen, OrderErrorSeen)):
        return event.order_id
    return None


def stranger(fill: Fill, account_id: str, client_id: int, since_utc: datetime) -> str:
    """What is wrong with an execution that none of our orders explains; empty: not our affair.

    Executions from before this run (the broker repeats the day's) and of other clients are not,
    nor is one whose time is in doubt: it may be from before.
    """
    if fill.client_id != client_id or fill.at_utc is None or fill.at_utc < since_utc:
        return ""
    where = "" if fill.account_id == account_id else " in another account"
    return (
        f"execution {fill.exec_id} of {fill.qty_shares} {fill.symbol}{where} carries our client id "
        f"and the unknown order reference {fill.order_ref!r}"
    )


def _names(event: BrokerEvent, order: OrderState) -> bool:
    if isinstance(event, FillSeen):
        return event.fill.order_ref == order.request.order_ref
    if isinstance(event, StatusSeen):
        return _is_same_id(event.order_id, event.client_id, order) and _may_be(event.perm_id, order)
    if isinstance(event, OpenOrderSeen):
        return _is_shown_by(event.order, order)
    if isinstance(event, OrderErrorSeen):
        return event.order_id == order.request.order_id
    if isinstance(event, CommissionSeen):
        key = execution_key(event.exec_id)
        return any(execution_key(fill.exec_id) == key for fill in order.fills)
    return False


def _is_shown_by(shown: WorkingOrder, order: OrderState) -> bool:
    if shown.order_ref == order.request.order_ref:
        return True
    return _is_same_id(shown.order_id, shown.client_id, order) and _may_be(shown.perm_id, order)


def _is_same_id(order_id: int, client_id: int, order: OrderState) -> bool:
    return order_id == order.request.order_id and client_id == order.client_id


def _may_be(perm_id: int, order: OrderState) -> bool:
    return 0 in (perm_id, order.perm_id) or perm_id == order.perm_id
