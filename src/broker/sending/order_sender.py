"""Sending one order or one cancel, once, and telling how that went."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from src.base.errors import BrokerLost, NeverSent, Refused
from src.broker.ports import OrderDesk
from src.broker.wire.clock import Clock
from src.core.orders.state import PlaceRefused, PlaceReturned, PlaceUncertain
from src.core.records.orders import OrderRequest

_SEND_LIMIT_SEC: Final = 30.0

log = logging.getLogger(__name__)


async def send_order(
    desk: OrderDesk, clock: Clock, request: OrderRequest
) -> PlaceReturned | PlaceRefused | PlaceUncertain:
    """Send one order whose intent is on disk. Never repeated: its fate is settled by asking."""
    log.info(
        "order on record, sending it ref=%s side=%s symbol=%s qty_shares=%s style=%s",
        request.order_ref,
        request.side.value,
        request.symbol,
        request.qty_shares,
        request.style.value,
    )
    try:
        await _within_limit(desk.place(request), clock)
    except Refused as error:
        return PlaceRefused(reason=str(error))
    except NeverSent as error:
        return PlaceRefused(reason=str(error), lost_connection=True)
    except BrokerLost as error:
        return PlaceUncertain(reason=f"the connection broke while sending: {error}")
    return PlaceReturned()


async def ask_for_end(desk: OrderDesk, clock: Clock, order_id: int) -> str:
    """Ask for one order's end; why the connection is of no use any more, else empty."""
    log.info("cancel sent order_id=%s", order_id)
    try:
        await _within_limit(desk.cancel(order_id), clock)
    except Refused as error:
        log.warning("cancel declined order_id=%s reason=%s", order_id, error)
    except BrokerLost as error:
        return str(error)
    return ""


async def _within_limit(sending: Coroutine[Any, Any, None], clock: Clock) -> None:
    """Raises: BrokerLost when the message is still on its way after half a minute."""
    task = asyncio.ensure_future(sending)
    await clock.wait((task,), _SEND_LIMIT_SEC)
    if not task.done():
        task.cancel()
        raise BrokerLost(f"the gateway took nothing for {_SEND_LIMIT_SEC:.0f} s")
    task.result()
