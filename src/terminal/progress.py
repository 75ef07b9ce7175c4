"""Live progress while orders work: one line per order on stderr.

On a terminal the lines are part of what is waited for, as many as fit on the screen, and give way
to the summary; otherwise each change is a plain line of its own. A stream that was closed ends
the display, not the run.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TextIO

from src.base.known_accounts import mask_accounts
from src.base.money import shares_text
from src.base.text import printable
from src.base.waits import Waits, elapsed_text
from src.core.orders.tickets import TicketProgress
from src.terminal.screen import can_redraw, is_terminal

CANCEL_HINT: Final = "Ctrl+C: cancel what works and stop"
STOPPING: Final = "Interrupted: ending what works. Ctrl+C once more leaves at once"
_OTHER_LINES: Final = 5
"""Room on the screen for the count, other waits, the hint, and the cursor."""


@contextmanager
def order_progress(
    waits: Waits, limit_sec: float, stop: asyncio.Event, stream: TextIO | None = None
) -> Iterator[Callable[[TicketProgress], None]]:
    """What takes each change of an order; ``limit_sec`` is what an order has, ``stop`` Ctrl+C."""
    stream = sys.stderr if stream is None else stream
    if not can_redraw(stream):
        yield PlainLines(stream)
        return
    orders = OrderBlock(limit_sec)
    usual, waits.hint = waits.hint, lambda: STOPPING if stop.is_set() else CANCEL_HINT
    try:
        with waits.showing(orders.lines):
            yield orders
    finally:
        waits.hint = usual
    if not is_terminal(sys.stdout):  # the summary goes elsewhere: leave something here
        PlainLines(stream).write(*orders.all_lines())


class PlainLines:
    """Where nothing can be redrawn: a line for each change."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._texts: dict[int, str] = {}

    def __call__(self, progress: TicketProgress) -> None:
        """Show one change."""
        text = progress_line(progress)
        if self._texts.get(progress.line) != text:
            self._texts[progress.line] = text
            if progress.attempt or not progress.is_open:
                self.write(text)

    def write(self, *lines: str) -> None:
        """Write lines, as long as anybody reads them."""
        try:
            if self._stream is not None:
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()
        except (OSError, ValueError):
            self._stream = None


class OrderBlock:
    """All orders of a run as lines that are drawn again and again."""

    def __init__(self, limit_sec: float, now: Callable[[], float] = time.monotonic) -> None:
        self._limit_sec = limit_sec
        self._now = now
        self._orders: dict[int, TicketProgress] = {}
        self._since: dict[tuple[int, int], float] = {}

    def __call__(self, progress: TicketProgress) -> None:
        """Take one change; the time of an attempt runs from its first one."""
        self._orders[progress.line] = progress
        self._since.setdefault((progress.line, progress.attempt), self._now())

    def lines(self, elapsed_sec: float) -> Sequence[str]:
        """What fits on the screen: what works before what waits before what is over."""
        room = max(1, shutil.get_terminal_size().lines - _OTHER_LINES)
        over = sum(not one.is_open for one in self._orders.values())
        first = sorted(self._orders.values(), key=lambda one: (_rank(one), one.line))[:room]
        shown = [self._line(one) for one in sorted(first, key=lambda one: one.line)]
        hidden = len(self._orders) - len(shown)
        count = f"{over} of {len(self._orders)} orders done, {elapsed_text(elapsed_sec, None)}"
        return (*shown, count + (f" ({hidden} not shown)" if hidden else ""))

    def all_lines(self) -> list[str]:
        """Every order as it is now."""
        return [progress_line(self._orders[line]) for line in sorted(self._orders)]

    def _line(self, one: TicketProgress) -> str:
        if not (one.is_open and one.attempt):
            return progress_line(one)
        elapsed_sec = self._now() - self._since[one.line, one.attempt]
        return progress_line(one, elapsed_text(elapsed_sec, self._limit_sec))


def progress_line(progress: TicketProgress, time_text: str = "") -> str:
    """``SELL SPY      40 of 120  Submitted``: at most 79 characters, nothing unprintable."""
    filled, wanted = shares_text(progress.filled_shares), shares_text(progress.limit_shares)
    amount = f"{filled} of {wanted}"
    line = f"{progress.side.value:<4} {progress.symbol:<12} {amount:>19}  {progress.doing}"
    if time_text:
        line = f"{line:<58.58}  {time_text:>18}"
    return printable(mask_accounts(line))[:79]


def _rank(one: TicketProgress) -> int:
    if not one.is_open:
        return 2
    return 0 if one.attempt else 1
