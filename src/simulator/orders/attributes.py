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
# by ib_async, ib_insync and Java; by the official client up to version 9.81
_SENT_UNASKED = Order(open_close="O", e_trade_only=True, firm_quote_only=True)
_LARGEST_INT = 2**31 - 1  # how some clients say "unset", also where TWS has a zero
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
        usual = (getattr(_SENT_UNASKED, name), getattr(plain, name), _LARGEST_INT)
        if name not in MODELLED and value and value not in usual:
            return name
    return None
