"""What the exchange still has to do, and when: the only place where time makes things happen."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TypeAlias

from src.simulator.outbox.delivery import Delivery

Action: TypeAlias = Callable[[datetime], list[Delivery]]


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    due: datetime
    number: int
    action: Action = field(compare=False)


class Agenda:
    """Actions by due time; those due at the same instant run in the order they were added."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._numbers = count()

    def add(self, now: datetime, after_sec: float, action: Action) -> None:
        """Have ``action`` called with its due time, ``after_sec`` after ``now``."""
        due = now + timedelta(seconds=after_sec)
        heapq.heappush(self._entries, _Entry(due, next(self._numbers), action))

    def next_due(self) -> datetime | None:
        """When the next action is due, or ``None`` when there is nothing to do."""
        return self._entries[0].due if self._entries else None

    def run_until(self, now: datetime) -> Iterator[list[Delivery]]:
        """Run what is due by ``now``, also what these actions add; yields what each one says."""
        while self._entries and self._entries[0].due <= now:
            entry = heapq.heappop(self._entries)
            yield entry.action(entry.due)
