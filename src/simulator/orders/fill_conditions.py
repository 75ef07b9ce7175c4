"""When an order may fill: sessions, limits, pending cancels, and the steps still ahead of it."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from src.simulator.market.prices import Market
from src.simulator.orders.state import PENDING_CANCEL, LiveOrder
from src.simulator.scenario.records import FillStep

_REST = FillStep()


def steps_of(live: LiveOrder) -> tuple[FillStep, ...]:
    """The fills planned for the order; without any, one for the whole, or equal parts of it."""
    if live.behaviour.fills:
        return live.behaviour.fills
    parts = live.behaviour.parts
    share = FillStep(quantity=(live.quantity / parts).to_integral_value(ROUND_CEILING) or None)
    return (*[share] * (parts - 1), _REST)


def is_finished(live: LiveOrder) -> bool:
    """True when no step is left, or none that may still happen: a done order can be over-filled."""
    steps = steps_of(live)
    if live.next_step >= len(steps):
        return True
    return live.is_done and not steps[live.next_step].extra


def is_closed_for(market: Market, live: LiveOrder, now: datetime) -> bool:
    """Outside regular hours only limit orders marked for it work, in extended hours."""
    if market.is_regular(live.contract, now):
        return False
    may_trade_outside = live.order.outside_rth and live.order.order_type == "LMT"
    return not (may_trade_outside and market.is_trading(live.contract, now))


def is_within_limit(live: LiveOrder, price: Decimal) -> bool:
    """True when the order accepts ``price``; a market order accepts any, a limit of 0 is none."""
    limit = live.order.lmt_price
    if live.order.order_type == "MKT" or not limit:
        return True
    return price <= limit if live.is_buy else price >= limit


def is_cancel_pending(live: LiveOrder) -> bool:
    """True when a cancel was asked for that the scenario leaves pending for ever."""
    return live.status == PENDING_CANCEL and live.behaviour.cancel.answer == "pending"
