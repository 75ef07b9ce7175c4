"""Which attributes of an order the simulated exchange acts on; any other, once set, is refused.

An attribute counts as set unless it is empty or zero, what some client library sends by itself, or
what the gateway reports of a plain order: a client that changes an order it has read sends that
back. So whatever fills has no attribute that was silently left out.
"""

from __future__ import annotations

from src.simulator.messages.orders import Order, as_reported

MODELLED = (
    *("action", "total_quantity", "order_type", "lmt_price", "tif", "account", "order_ref"),
    *("transmit", "outside_rth", "algo_strategy", "algo_params", "what_if"),
)
_SENT_UNASKED = Order(open_close="O")
_SPELLED = {"rule_80a": "rule80A"}


def api_name(name: str) -> str:
    """The attribute as clients and TWS's documentation spell it: ``outside_rth`` is outsideRth."""
    first, *rest = name.split("_")
    return _SPELLED.get(name, first + "".join(part.capitalize() for part in rest))


def unmodelled(order: Order) -> str | None:
    """The first attribute that is set and not acted on, or ``None``."""
    plain = as_reported(Order(order_type=order.order_type, lmt_price=order.lmt_price))
    for name in Order._fields:
        value: object = getattr(order, name)
        usual: tuple[object, ...] = (getattr(_SENT_UNASKED, name), getattr(plain, name))
        if name not in MODELLED and value and value not in usual:
            return name
    return None
