"""Asking the broker for everything it knows, one question at a time, for the orders in doubt.

Open orders first, completed orders, executions last, so that an order which ends in between is
not overlooked. An order that comes to be doubted while a question is under way waits for the next
one: the lists it is judged by were always asked for after the doubt arose.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from src.base.errors import RebalancerError
from src.broker.ports import OrderDesk
from src.core.orders.state import AnswerMissing, BrokerAnswered
from src.core.records.account import AccountSnapshot

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the broker said, and the orders it is for.

    ``includes_account``: the account was to be read too; ``account`` is None when it could not be.
    """

    order_refs: tuple[str, ...] = ()
    evidence: BrokerAnswered | AnswerMissing
    includes_account: bool = False
    account: AccountSnapshot | None = None


class Inquiry:
    """At most one question to the broker at any time."""

    def __init__(self) -> None:
        self._doubted: dict[str, None] = {}
        self._asked: dict[str, None] = {}
        self._is_wanted = False
        self._wants_account = False
        self.task: asyncio.Task[Answer] | None = None

    def doubt(self, order_ref: str) -> None:
        """Ask about this order, with a question that starts after now."""
        self._doubted[order_ref] = None
        self._asked.pop(order_ref, None)

    def ask_in_any_case(self) -> None:
        """Ask once more although no order is in doubt: executions may have been missed."""
        self._is_wanted = True

    def ask_about_account(self) -> None:
        """Ask for everything, positions and cash last."""
        self._is_wanted = self._wants_account = True

    def start(self, desk: OrderDesk) -> None:
        """Ask now, unless a question is under way or there is no reason to."""
        if self.task is None and (self._doubted or self._is_wanted):
            self._asked, self._doubted = self._doubted, {}
            with_account = self._wants_account
            self._is_wanted = self._wants_account = False
            self.task = asyncio.ensure_future(_ask(desk, with_account=with_account))

    def take(self) -> Answer | None:
        """The answer, once it is there, and the orders it is for."""
        if self.task is None or not self.task.done():
            return None
        answer = replace(self.task.result(), order_refs=tuple(self._asked))
        self.task, self._asked = None, {}
        return answer

    def drop(self) -> None:
        """Forget the question under way: the connection it went out on is gone."""
        if self.task is not None:
            self.task.cancel()
        self.task = None
        self._doubted = {**self._asked, **self._doubted}
        self._asked = {}


async def _ask(desk: OrderDesk, *, with_account: bool) -> Answer:
    evidence = await _ask_about_orders(desk)
    account = None
    if with_account and isinstance(evidence, BrokerAnswered):
        account = await _read_account(desk)
    return Answer(evidence=evidence, includes_account=with_account, account=account)


async def _ask_about_orders(desk: OrderDesk) -> BrokerAnswered | AnswerMissing:
    try:
        working = await desk.fetch_working_orders()
        completed = await desk.fetch_completed_orders()
        fills = await desk.fetch_fills()
    except RebalancerError as error:
        return AnswerMissing(reason=f"the broker could not be asked: {error}")
    return BrokerAnswered(working=working, completed=completed, fills=fills, said=desk.trouble)


async def _read_account(desk: OrderDesk) -> AccountSnapshot | None:
    try:
        return await desk.fetch_snapshot(fresh=True)
    except RebalancerError as error:
        log.warning("account could not be read after a gap: %s", error)
        return None
