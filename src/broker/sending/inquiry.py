"""Asking the broker for everything it knows about the account's orders.

Open orders first, completed orders, executions last, so that an order which ends in between is
not overlooked.
"""

from __future__ import annotations

import logging

from src.base.errors import RebalancerError
from src.broker.ports import OrderDesk
from src.core.orders.state import AnswerMissing, BrokerAnswered
from src.core.records.account import AccountSnapshot
from src.core.running.words import Answered

log = logging.getLogger(__name__)


async def ask(desk: OrderDesk, *, with_account: bool) -> Answered:
    """Orders and executions, then the account if it is wanted; what was missing is None."""
    try:
        working = await desk.fetch_working_orders()
        completed = await desk.fetch_completed_orders()
        fills = await desk.fetch_fills()
    except RebalancerError as error:
        missing = AnswerMissing(reason=f"the broker could not be asked: {error}")
        return Answered(evidence=missing)
    evidence = BrokerAnswered(working=working, completed=completed, fills=fills, said=desk.trouble)
    return Answered(evidence=evidence, account=await _account(desk) if with_account else None)


async def _account(desk: OrderDesk) -> AccountSnapshot | None:
    try:
        return await desk.fetch_snapshot(fresh=True)
    except RebalancerError as error:
        log.warning("account could not be read after a gap: %s", error)
        return None
