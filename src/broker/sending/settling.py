"""After the last order: read the account until it agrees with what was executed, or time is up.

The orders are listened to all the while, so an execution that comes late still counts. Where the
account shows more than the executions explain, the broker is asked for the day's executions again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from src.base.errors import RebalancerError
from src.broker.sending.order_follower import OrderFollower
from src.broker.sending.order_reactor import OrderReactor
from src.broker.wire.clock import Clock
from src.core.orders.state import Claim
from src.core.records.account import AccountSnapshot
from src.core.run.settlement import cash_difference, position_differences

_CASH_LIMIT_SEC: Final = 3.0
_INTERRUPTED_LIMIT_SEC: Final = 5.0
_FIRST_PAUSE_SEC: Final = 0.25
_LONGEST_PAUSE_SEC: Final = 3.0

log = logging.getLogger(__name__)


class Settling:
    """The last look at the account of one run."""

    def __init__(
        self,
        reactor: OrderReactor,
        follower: OrderFollower,
        before: AccountSnapshot,
        clock: Clock,
    ) -> None:
        self._reactor = reactor
        self._follower = follower
        self._before = before
        self._clock = clock

    async def await_late_fills(self, seconds: float) -> None:
        """A cancelled order may have been executed at the last moment: listen a little longer."""
        if any(order.claim is Claim.CANCELLED for order in self._reactor.books.orders()):
            await self._follower.listen(seconds)

    async def read_account(self, seconds: float) -> AccountSnapshot | None:
        """The account once its positions are those before plus the fills; at last as it is.

        All readings together take no longer than these seconds. Cash that lags is waited for only
        briefly. None when the account could not be read.
        """
        started, pause = self._clock.monotonic(), _FIRST_PAUSE_SEC
        seen: AccountSnapshot | None = None
        while self._reactor.link.is_open:
            spent = self._clock.monotonic() - started
            read = await self._read(self._limit_sec(seconds) - spent)
            seen = read or seen
            spent = self._clock.monotonic() - started
            if read is not None and self._agrees(read, spent):
                return read
            if spent + pause > self._limit_sec(seconds):
                break
            self._reactor.inquiry.ask_in_any_case()
            await self._follower.listen(pause)
            pause = min(_LONGEST_PAUSE_SEC, pause * 2)
        return seen

    def _limit_sec(self, seconds: float) -> float:
        """Whoever pressed Ctrl+C is not kept waiting for an account that lags."""
        return min(seconds, _INTERRUPTED_LIMIT_SEC) if self._follower.was_interrupted else seconds

    async def _read(self, limit_sec: float) -> AccountSnapshot | None:
        reading = asyncio.ensure_future(self._reactor.link.desk.fetch_snapshot(fresh=True))
        await self._follower.follow_while(reading, limit_sec)
        if not reading.done():
            reading.cancel()
            log.warning("account could not be read within %.0f s after the run", limit_sec)
            return None
        try:
            return reading.result()
        except RebalancerError as error:
            log.warning("account could not be read after the run: %s", error)
            return None

    def _agrees(self, seen: AccountSnapshot, spent_sec: float) -> bool:
        fills = [fill for one in self._reactor.books.tickets.values() for fill in one.fills]
        if position_differences(self._before, seen, fills):
            return False
        return spent_sec >= _CASH_LIMIT_SEC or not cash_difference(self._before, seen, fills)
