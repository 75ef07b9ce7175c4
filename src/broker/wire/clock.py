"""Time as the execution sees it, so that a test or a simulation can bring its own.

Deadlines run on the monotonic clock, stamps are UTC. The event loop's own time serves as the
monotonic clock: a loop with virtual time makes everything virtual.

The monotonic clock of most systems stands still while the computer sleeps; the age of a plan must
not. ``Stopwatch`` looks at a clock that counts sleep as well and takes the larger.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Collection
from datetime import datetime, timezone
from decimal import Decimal
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


class Stopwatch:
    """Seconds since it was made, the computer's sleep included."""

    def __init__(self) -> None:
        self._loop_sec = asyncio.get_running_loop().time()
        self._with_sleep_sec = sec_with_sleep()

    def elapsed_sec(self) -> Decimal:
        """To the millisecond; a clock that was set back takes nothing away."""
        awake = asyncio.get_running_loop().time() - self._loop_sec
        in_all = sec_with_sleep() - self._with_sleep_sec
        return Decimal(str(round(max(awake, in_all), 3)))


if sys.platform == "linux":

    def sec_with_sleep() -> float:
        """Seconds on a clock that goes on in sleep."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:

    def sec_with_sleep() -> float:
        """The wall clock: no other goes on in sleep everywhere."""
        return time.time()
