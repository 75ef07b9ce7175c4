"""Ctrl+C as a normal path, on every platform.

The first interrupt cancels the main task, which stops sending, cancels what works and writes its
records. The second one leaves at once with exit code 4: the journal is intact at any moment, and
the next start settles what is open. ``loop.add_signal_handler`` does not exist on Windows, so the
plain ``signal`` module is used.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from types import FrameType
from typing import TypeVar

from src.errors import ExitCode

T = TypeVar("T")


def run_interruptible(main: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end; an interrupt cancels it and raises ``KeyboardInterrupt``.

    A coroutine that handles its cancellation and returns a value has the last word.
    """

    async def guarded() -> T:
        loop = asyncio.get_running_loop()
        task = loop.create_task(main)
        seen = 0

        def handle(_number: int, _frame: FrameType | None) -> None:
            nonlocal seen
            seen += 1
            if seen > 1:
                _leave_at_once()
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


def _leave_at_once() -> None:
    sys.stderr.write(
        "\ninterrupted twice: left at once; orders may still be working."
        " Run `python rebalance.py --recover` before trading again.\n"
    )
    sys.stderr.flush()
    os._exit(ExitCode.UNFILLED)
