"""Whether the gateway itself is connected to IBKR, as far as its messages tell."""

from __future__ import annotations

import asyncio


class Upstream:
    """Counts outages; ``wait_back`` returns at once while there is none.

    ``losses`` counts the outages after which the broker had dropped every subscription.
    """

    def __init__(self) -> None:
        self.outages = 0
        self.losses = 0
        self._is_there = asyncio.Event()
        self._is_there.set()

    @property
    def is_lost(self) -> bool:
        """True between "connectivity lost" and "restored"."""
        return not self._is_there.is_set()

    def lose(self) -> None:
        """The gateway says its line to IBKR is down."""
        if not self.is_lost:
            self.outages += 1
        self._is_there.clear()

    def restore(self, *, with_loss: bool = False) -> None:
        """The line is back, or the socket closed and nothing is to be waited for."""
        self.losses += with_loss
        self._is_there.set()

    async def wait_back(self, timeout_sec: float) -> bool:
        """Wait for the line to come back; False when it did not within the time."""
        try:
            await asyncio.wait_for(self._is_there.wait(), timeout_sec)
        except asyncio.TimeoutError:
            return False
        return True
