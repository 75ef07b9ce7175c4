from __future__ import annotations

import asyncio
import io
import os
from decimal import Decimal
from typing import TYPE_CHECKING

from src.base.waits import Waits
from src.core.orders.tickets import TicketProgress
from src.core.records.orders import Side
from src.terminal.progress import OrderBlock, PlainLines, order_progress, progress_line

if TYPE_CHECKING:
    import pytest


def progress(
    line: int = 1,
    filled: int = 0,
    doing: str = "Submitted",
    attempt: int = 1,
    *,
    over: bool = False,
) -> TicketProgress:
    return TicketProgress(
        line=line,
        symbol=f"T{line}",
        side=Side.SELL,
        limit_shares=Decimal(120),
        filled_shares=Decimal(filled),
        doing=doing,
        attempt=attempt,
        is_open=not over,
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Closed(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_plain_lines_when_there_is_no_terminal() -> None:
    out, waits = io.StringIO(), Waits()
    with order_progress(waits, 300, asyncio.Event(), out) as show:
        show(progress(doing="waiting", attempt=0))
        show(progress())
        show(progress())
        show(progress(filled=120, doing="Filled", over=True))
        assert waits.current == []
    assert out.getvalue().splitlines() == [
        progress_line(progress()),
        progress_line(progress(filled=120, doing="Filled")),
    ]


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out, waits = Terminal(), Waits()
    with order_progress(waits, 300, asyncio.Event(), out) as show:
        show(progress())
        assert waits.current == []
    assert out.getvalue() == f"{progress_line(progress())}\n"


def test_on_a_terminal_the_orders_are_something_that_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out, waits, stop = Terminal(), Waits(), asyncio.Event()
    with order_progress(waits, 300, stop, out) as show:
        show(progress(1, 120, "Filled", over=True))
        show(progress(2))
        (lines,) = waits.current
        first, second, count = lines(12.0)
        assert "cancel what works" in waits.hint()
        stop.set()
        assert "once more leaves at once" in waits.hint()
    assert first == progress_line(progress(1, 120, "Filled"))
    assert second.endswith("0 s of 300 s")
    assert count == "1 of 2 orders done, 12 s"
    assert waits.current == []
    assert waits.hint() == "Ctrl+C: stop"
    assert out.getvalue().splitlines() == [  # stdout is no terminal here: the end stays in sight
        progress_line(progress(1, 120, "Filled")),
        progress_line(progress(2)),
    ]


def test_each_attempt_has_its_own_time() -> None:
    moments = iter((100.0, 130.0, 131.0, 133.0))
    block = OrderBlock(300, now=lambda: next(moments))
    block(progress(attempt=0, doing="waiting"))
    block(progress(attempt=1))
    block(progress(attempt=2))
    assert block.lines(0)[0].endswith("  2 s of 300 s")


def test_more_orders_than_lines_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((80, 9)))
    block = OrderBlock(300)
    for line in range(1, 5):
        block(progress(line, 120, "Filled", over=True))
    block(progress(5))
    for line in range(6, 8):
        block(progress(line, doing="waiting", attempt=0))
    shown = block.lines(3)
    assert [text.split()[1] for text in shown[:-1]] == ["T1", "T5", "T6", "T7"]
    assert shown[-1] == "4 of 7 orders done, 3 s (3 not shown)"


def test_a_closed_stream_ends_the_display_only() -> None:
    show = PlainLines(Closed())
    show(progress())
    show(progress(filled=1))
    PlainLines(None)(progress())
    assert progress_line(progress()).startswith("SELL T1")


def test_the_brokers_words_cannot_break_the_line() -> None:
    said = progress(doing="\x1b[2Jgone\n" + "x" * 200)
    for line in (progress_line(said), progress_line(said, "12 s of 300 s")):
        assert "\x1b" not in line
        assert "\n" not in line
        assert len(line) <= 79
