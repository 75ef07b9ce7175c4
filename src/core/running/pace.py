"""How fast orders and cancels leave: a burst of 20 at once, then 20 a second.

The broker allows 50 messages a second and the library queues above 45, where a disconnect would
lose what is still queued; this stays below both, quotes and questions included.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from src.core.running.parts import Run

AT_FIRST: Final = timedelta(milliseconds=50)
"""Between two messages, once a burst is used up."""
_BURST: Final = 20
_SLOWEST: Final = timedelta(seconds=1)
_PENALTY: Final = timedelta(seconds=1)


def leaves_at(run: Run) -> timedelta:
    """When the next message may leave: ``free_at`` is when a whole burst is allowed again."""
    return run.free_at - (_BURST - 1) * run.spacing


def take_turn(run: Run) -> Run:
    """One message leaves."""
    return run._replace(free_at=max(run.free_at, run.moment.elapsed) + run.spacing)


def slow_down(run: Run) -> Run:
    """The broker complained about the rate: pause, then half as fast."""
    spacing = min(_SLOWEST, 2 * run.spacing)
    free_at = run.moment.elapsed + _PENALTY + (_BURST - 1) * spacing
    return run._replace(spacing=spacing, free_at=free_at)
