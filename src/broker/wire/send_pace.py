"""How fast orders and cancels leave: a burst of 20 at once, then 20 a second.

The broker allows 50 messages a second and the library queues above 45, where a disconnect would
lose what is still queued; this stays below both, quotes and questions included.
"""

from __future__ import annotations

from typing import Final

_BURST: Final = 20.0
_PER_SEC: Final = 20.0
_SLOWEST_PER_SEC: Final = 1.0
_PENALTY_SEC: Final = 1.0
_WHOLE: Final = 0.999  # of a permission: adding up fractions of seconds falls short of 1


class SendPace:
    """A bucket of permissions to send that refills with time (seconds, monotonic)."""

    def __init__(self, now: float) -> None:
        self._free = _BURST
        self._per_sec = _PER_SEC
        self._seen = now

    def wait_sec(self, now: float) -> float:
        """Seconds until the next message may leave; 0 means now."""
        self._refill(now)
        return 0.0 if self._free >= _WHOLE else (1 - self._free) / self._per_sec

    def take(self, now: float) -> None:
        """One message leaves."""
        self._refill(now)
        self._free -= 1

    def slow_down(self, now: float) -> None:
        """The broker complained about the rate: pause, then half as fast."""
        self._refill(now)
        self._per_sec = max(_SLOWEST_PER_SEC, self._per_sec / 2)
        self._free = 1 - _PENALTY_SEC * self._per_sec

    def _refill(self, now: float) -> None:
        self._free = min(_BURST, self._free + (now - self._seen) * self._per_sec)
        self._seen = now
