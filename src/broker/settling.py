"""Read the account after the last order until it agrees with what was executed, or time is up."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from src.broker.clock import Clock
from src.broker.ports import MarketView
from src.core.records import AccountSnapshot, Fill
from src.core.settlement import cash_difference, position_differences
from src.errors import RebalancerError

_LIMIT_SEC: Final = 30.0
_CASH_LIMIT_SEC: Final = 3.0
_FIRST_PAUSE_SEC: Final = 0.25
_LONGEST_PAUSE_SEC: Final = 3.0

log = logging.getLogger(__name__)


async def read_account_after(
    view: MarketView, before: AccountSnapshot, fills: Iterable[Fill], clock: Clock
) -> AccountSnapshot | None:
    """The account once its positions are those before plus ``fills``; after 30 s as it is.

    Cash that lags is waited for only briefly. None when the account could not be read at all.
    """
    fills = tuple(fills)
    started, pause = clock.monotonic(), _FIRST_PAUSE_SEC
    seen: AccountSnapshot | None = None
    while True:
        try:
            seen = await view.fetch_snapshot(fresh=True)
        except RebalancerError as error:
            log.warning("account could not be read after the run: %s", error)
        spent = clock.monotonic() - started
        if seen is not None and _is_settled(before, seen, fills, spent):
            return seen
        if spent + pause > _LIMIT_SEC:
            return seen
        await clock.wait((), pause)
        pause = min(_LONGEST_PAUSE_SEC, pause * 2)


def _is_settled(
    before: AccountSnapshot, seen: AccountSnapshot, fills: tuple[Fill, ...], spent_sec: float
) -> bool:
    if position_differences(before, seen, fills):
        return False
    return spent_sec >= _CASH_LIMIT_SEC or not cash_difference(before, seen, fills)
