"""Time as the execution sees it, so that a test or a simulation can bring its own.

Deadlines run on the monotonic clock, stamps are UTC. The event loop's own time serves as the
monotonic clock: a loop with virtual time makes everything virtual.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime, timezone
from typing import Any, Protocol


class Clock(Protocol):
    """What the execution needs to know about time."""

    def now_utc(self) -> datetime:
        """The time for records."""

    def monotonic(self) -> float:
        """Seconds that never jump, for deadlines."""

    async def wait(self, tasks: Collection[asyncio.Future[Any]], timeout_sec: float | None) -> None:
        """Return once one of the tasks is done or the time is over; cancels nothing."""


class SystemClock:
    """The real clock."""

    def now_utc(self) -> datetime:
        """The time of this machine."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """The event loop's time."""
        return asyncio.get_running_loop().time()

    async def wait(self, tasks: Collection[asyncio.Future[Any]], timeout_sec: float | None) -> None:
        """Wait on the event loop."""
        if not tasks:
            await asyncio.sleep(timeout_sec or 0)
            return
        await asyncio.wait(tasks, timeout=timeout_sec, return_when=asyncio.FIRST_COMPLETED)
