"""What the gateway says about no request in particular: which of it is news."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

_SWITCHED: Final = 2100
_OWN_SWITCH_SEC: Final = 60.0


class Notices:
    """The messages of one connection that carry no request's id."""

    def __init__(self) -> None:
        self._unsubscribed_at: deque[float] = deque()

    def unsubscribed(self) -> None:
        """We end our account subscription ourselves: one 2100 will answer that."""
        self._unsubscribed_at.append(_now_sec())

    def is_our_own(self, code: int) -> bool:
        """Whether this only answers what we did ourselves, so that nobody need hear of it.

        A gateway may leave the answer out: it is not expected for ever, so that a later 2100, by
        which something else takes our subscription, is heard.
        """
        if code != _SWITCHED:
            return False
        while self._unsubscribed_at and _now_sec() - self._unsubscribed_at[0] > _OWN_SWITCH_SEC:
            self._unsubscribed_at.popleft()
        if not self._unsubscribed_at:
            return False
        self._unsubscribed_at.popleft()
        return True


def _now_sec() -> float:
    return asyncio.get_running_loop().time()
