"""Ctrl+C as a normal path, on every platform.

The first interrupt cancels the main task, which stops sending, cancels what works and writes its
records. The second one leaves at once and says what is true then: with exit code 4 once an order
may have been sent (the journal is intact at any moment, and the next start settles what is open),
else with 130. ``loop.add_signal_handler`` does not exist on Windows, so the plain ``signal``
module is used.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from types import FrameType
from typing import TypeVar

from src.base.errors import ExitCode
from src.terminal.console import as_shown
from src.terminal.screen import as_it_is, show_cursor

T = TypeVar("T")


class Sending:
    """Whether orders of this process may have left: what the second interrupt has to say."""

    def __init__(self) -> None:
        self.has_begun = False

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of leaving at once."""
        return ExitCode.UNFILLED if self.has_begun else ExitCode.INTERRUPTED

    @property
    def last_words(self) -> str:
        """What is true of the orders, and what to do next."""
        if not self.has_begun:
            return "interrupted twice: left at once; this run sent nothing."
        return (
            "interrupted twice: left at once; orders may still be working."
            " Run `python rebalance.py --recover` before trading again."
        )


def run_interruptible(main: Coroutine[object, object, T], sending: Sending | None = None) -> T:
    """Run a coroutine to its end; an interrupt cancels it and raises ``KeyboardInterrupt``.

    A coroutine that handles its cancellation and returns a value has the last word. ``sending``
    is kept up to date by a coroutine that may send orders; without it nothing is ever sent.
    """
    state = sending or Sending()
    put_back = as_it_is(sys.__stderr__)

    async def guarded() -> T:
        loop = asyncio.get_running_loop()
        task = loop.create_task(main)
        seen = 0

        def handle(_number: int, _frame: FrameType | None) -> None:
            nonlocal seen
            seen += 1
            if seen > 1:
                put_back()
                _leave_at_once(state)
            loop.call_soon_threadsafe(task.cancel)

        previous = {number: signal.signal(number, handle) for number in _signals()}
        try:
            return await task
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    return asyncio.run(guarded())


def _signals() -> tuple[signal.Signals, ...]:
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


def _leave_at_once(sending: Sending) -> None:
    stream = sys.__stderr__  # not through a picture that may stand on the screen just now
    with suppress(OSError, ValueError):
        if stream is not None:
            show_cursor(stream)
            stream.write(f"\n{as_shown(sending.last_words)}\n")
            stream.flush()
    os._exit(sending.exit_code)
