"""Cancels what a permit names, and nothing else; no order can be placed through it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from src.base.errors import BrokerLost, Refused

if TYPE_CHECKING:
    from src.broker.reading.connection import BrokerConnection
    from src.core.permission.cancel_permit import CancelPermit
    from src.core.records.orders import WorkingOrder

log = logging.getLogger(__name__)


class CancelDesk:
    """Opened with a permit by ``IbkrSession.open_cancel_desk``."""

    def __init__(self, connection: BrokerConnection, permit: CancelPermit) -> None:
        self._connection = connection
        self._permit = permit
        connection.open_cancels(permit.order_ids)

    async def cancel(self, order: WorkingOrder) -> None:
        """Ask for the end of one order of the permit.

        Raises: Refused for any other order; BrokerLost when the request may not have left.
        """
        if order not in self._permit.orders:
            raise Refused(f"order {order.order_ref} is not among those to be cancelled")
        await send_cancel(self._connection, order.order_id)


async def send_cancel(connection: BrokerConnection, order_id: int) -> None:
    """Send one cancel and return once its bytes left our queue.

    Raises: BrokerLost when they may not have left; Refused by the allow-list at the socket.
    """
    link = connection.link
    try:
        link.client.cancelOrder(order_id)
        await link.client.left()
    except ConnectionError as error:
        raise BrokerLost(f"{link.lost()} while order {order_id} was cancelled") from error
    log.info("cancel sent order_id=%d", order_id)
