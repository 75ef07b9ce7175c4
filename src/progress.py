"""Live progress while orders work: one line per order on stderr.

On a terminal the lines are updated in place, as long as they fit on the screen; otherwise each
change is a plain line of its own. A warning that is printed in between pushes the lines up, and
they are drawn anew below it. A stream that was closed ends the display, not the run.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from src.core.money import shares_text
from src.core.tickets import TicketProgress
from src.known_accounts import mask_accounts
from src.text import printable

_ERASE_LINE = "\x1b[2K"
_MARGIN_LINES = 2


class ProgressDisplay:
    """Shows tickets as they come; call it with each change."""

    def __init__(self, stream: TextIO | None, *, is_live: bool) -> None:
        self._stream = stream
        self._is_live = is_live
        self._texts: dict[int, str] = {}
        self._drawn = 0

    def __call__(self, progress: TicketProgress) -> None:
        """Show one change."""
        text = progress_line(progress)
        if self._texts.get(progress.line) == text:
            return
        self._texts[progress.line] = text
        if self._is_live:
            self._redraw()
        elif progress.doing != "waiting":
            self._write(f"{text}\n")

    def lines_were_pushed_up(self) -> None:
        """Something else was printed: the lines already drawn are out of reach."""
        self._drawn = 0

    def _redraw(self) -> None:
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        lines = [f"{_ERASE_LINE}{self._texts[line]}\n" for line in sorted(self._texts)]
        self._drawn = len(lines)
        self._write(up + "".join(lines))

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None


class _PushNotice(logging.Handler):
    """Tells the display that a record went to the screen."""

    def __init__(self, display: ProgressDisplay) -> None:
        super().__init__(logging.WARNING)
        self._display = display

    def emit(self, _record: logging.LogRecord) -> None:
        self._display.lines_were_pushed_up()


@contextmanager
def live_progress(tickets: int, stream: TextIO | None = None) -> Iterator[ProgressDisplay]:
    """A display for so many tickets, on stderr unless another stream is given."""
    stream = sys.stderr if stream is None else stream
    display = ProgressDisplay(stream, is_live=_can_redraw(stream, tickets))
    notice = _PushNotice(display)
    root = logging.getLogger()
    root.addHandler(notice)
    try:
        yield display
    finally:
        root.removeHandler(notice)


def progress_line(progress: TicketProgress) -> str:
    """``SELL SPY      40 of 120 Submitted``: at most 79 characters, nothing unprintable."""
    filled, wanted = shares_text(progress.filled_shares), shares_text(progress.limit_shares)
    amount = f"{filled} of {wanted}"
    line = f"{progress.side.value:<4} {progress.symbol:<12} {amount:>19}  {progress.doing}"
    return printable(mask_accounts(line))[:79]


def _can_redraw(stream: TextIO | None, tickets: int) -> bool:
    if stream is None or stream.closed or not stream.isatty():
        return False
    if os.environ.get("TERM") == "dumb" or not _understands_escapes():
        return False
    return tickets + _MARGIN_LINES <= shutil.get_terminal_size().lines


def _understands_escapes() -> bool:
    """Every terminal but the old Windows console, which shows the codes as they are."""
    if os.name != "nt":
        return True
    return any(name in os.environ for name in ("WT_SESSION", "ANSICON", "TERM", "ConEmuANSI"))
