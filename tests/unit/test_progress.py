from __future__ import annotations

import io
import logging
import os
from decimal import Decimal
from typing import TYPE_CHECKING

from src.core.records import Side
from src.core.tickets import TicketProgress
from src.progress import ProgressDisplay, live_progress, progress_line

if TYPE_CHECKING:
    import pytest


def progress(line: int = 1, filled: int = 0, doing: str = "Submitted") -> TicketProgress:
    return TicketProgress(
        line=line,
        symbol=f"T{line}",
        side=Side.SELL,
        limit_shares=Decimal(120),
        filled_shares=Decimal(filled),
        doing=doing,
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Closed(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_plain_lines_when_there_is_no_terminal() -> None:
    out = io.StringIO()
    with live_progress(1, out) as show:
        show(progress(doing="waiting"))
        show(progress())
        show(progress())
        show(progress(filled=120, doing="Filled"))
    assert out.getvalue().splitlines() == [
        progress_line(progress()),
        progress_line(progress(filled=120, doing="Filled")),
    ]
    assert "\x1b" not in out.getvalue()


def test_lines_are_updated_in_place_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with live_progress(2, out) as show:
        show(progress(1))
        show(progress(2))
        show(progress(1, 120, "Filled"))
    assert out.getvalue().endswith(
        f"\x1b[2A\x1b[2K{progress_line(progress(1, 120, 'Filled'))}\n"
        f"\x1b[2K{progress_line(progress(2))}\n"
    )


def test_a_warning_in_between_starts_a_new_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with live_progress(1, out) as show:
        show(progress())
        logging.getLogger("src.test").warning("something else on the screen")
        before = len(out.getvalue())
        show(progress(filled=1))
    assert "A\x1b" not in out.getvalue()[before:]


def test_more_orders_than_lines_on_the_screen_are_shown_plainly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((80, 24)))
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with live_progress(500, out) as show:
        show(progress())
    assert "\x1b" not in out.getvalue()


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    with live_progress(1, out) as show:
        show(progress())
    assert "\x1b" not in out.getvalue()


def test_a_closed_stream_ends_the_display_only() -> None:
    show = ProgressDisplay(Closed(), is_live=False)
    show(progress())
    show(progress(filled=1))
    silent = ProgressDisplay(None, is_live=True)
    silent(progress())
    assert progress_line(progress()).startswith("SELL T1")


def test_the_brokers_words_cannot_break_the_line() -> None:
    line = progress_line(progress(doing="\x1b[2Jgone\n" + "x" * 200))
    assert "\x1b" not in line
    assert "\n" not in line
    assert len(line) <= 79
