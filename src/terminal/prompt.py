"""Ask the user before anything is sent.

The line is read in a daemon thread, so that the connection keeps breathing while the user thinks
and an interrupted program never waits for the keyboard. What counts as a yes is decided in
``src.core.permission.permit``.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import suppress
from typing import TextIO

from src.base.known_accounts import mask_accounts
from src.terminal.screen import echo, is_terminal


async def ask(question: str) -> str | None:
    """Show a question on stderr and return the line typed or piped; None at the end of input."""
    _discard_typed_ahead(sys.stdin)
    line = ""
    with echo(sys.stdin, is_on=True):
        _say(question)
        try:
            line = await _read_line(sys.stdin)
        finally:
            if not line or not is_terminal(sys.stdin):
                _say("\n")  # nobody pressed Enter: end the line of the question
    return line or None


def _say(text: str) -> None:
    with suppress(OSError, ValueError):  # a closed stderr: the answer decides all the same
        if sys.stderr is not None:
            sys.stderr.write(mask_accounts(text))
            sys.stderr.flush()


async def _read_line(stream: TextIO | None) -> str:
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def deliver(text: str) -> None:
        if not line.done():
            line.set_result(text)

    def read() -> None:
        try:
            text = stream.readline() if stream else ""
        except (OSError, ValueError):  # a closed or undecodable standard input is no answer
            text = ""
        try:
            loop.call_soon_threadsafe(deliver, text)
        except RuntimeError:  # the loop ended first: nobody is waiting any more
            return

    threading.Thread(target=read, name="prompt", daemon=True).start()
    return await line


def _discard_typed_ahead(stream: TextIO | None) -> None:
    """Drop what was typed before the question was shown; a pipe keeps its lines."""
    if stream is None or not is_terminal(stream):
        return
    if sys.platform == "win32":
        import msvcrt

        while msvcrt.kbhit():
            msvcrt.getwch()
    else:
        import termios

        termios.tcflush(stream.fileno(), termios.TCIFLUSH)
