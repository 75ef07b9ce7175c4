"""The terminal a run stands in front of: whether it can redraw, and what typed keys do there.

Keys are not echoed while nothing is asked, so that they disturb no picture; whatever was changed
is put back at the end, also by a run that leaves at once. On Windows nothing is echoed before it
is read, and nothing has to be done.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TextIO

_SHOW_CURSOR: Final = "\x1b[?25h"


def is_terminal(stream: TextIO | None) -> bool:
    """True for a terminal, false for a file, a pipe, and a stream that is closed or missing."""
    return stream is not None and not stream.closed and stream.isatty()


def can_redraw(stream: TextIO | None) -> bool:
    """True for a terminal that takes more than plain lines and has this run in front."""
    return is_terminal(stream) and os.environ.get("TERM") != "dumb" and not _is_behind(stream)


@contextmanager
def echo(stream: TextIO | None, *, is_on: bool) -> Iterator[None]:
    """Let the stream's terminal show what is typed, or not, while the block runs."""
    put_back = as_it_is(stream)
    _set_echo(stream, is_on=is_on)
    try:
        yield
    finally:
        put_back()


def show_cursor(stream: TextIO | None) -> None:
    """A picture that was left in the middle had hidden it."""
    if stream is not None and can_redraw(stream):
        with suppress(OSError, ValueError):
            stream.write(_SHOW_CURSOR)


def _is_behind(stream: TextIO | None) -> bool:
    """True for a run in the background of its terminal: another one's screen is not touched."""
    if sys.platform == "win32" or stream is None:
        return False
    else:  # noqa: RET505 - so that mypy knows what there is on Windows
        try:
            return os.tcgetpgrp(stream.fileno()) != os.getpgrp()
        except (OSError, ValueError):  # no terminal of this session: nobody else is in front
            return False


if sys.platform == "win32":

    def as_it_is(stream: TextIO | None) -> Callable[[], None]:  # noqa: ARG001 - nothing to do
        """What puts the stream's terminal back to how it is now."""
        return lambda: None

    def _set_echo(stream: TextIO | None, *, is_on: bool) -> None:
        """Nothing is echoed before it is read."""

else:
    import termios

    def as_it_is(stream: TextIO | None) -> Callable[[], None]:
        """What puts the stream's terminal back to how it is now."""
        number = _descriptor(stream)
        if number is None:
            return lambda: None
        before = termios.tcgetattr(number)

        def put_back() -> None:
            with suppress(termios.error):
                termios.tcsetattr(number, termios.TCSANOW, before)

        return put_back

    def _set_echo(stream: TextIO | None, *, is_on: bool) -> None:
        number = _descriptor(stream)
        if number is None:
            return
        modes = termios.tcgetattr(number)
        modes[3] = modes[3] | termios.ECHO if is_on else modes[3] & ~termios.ECHO
        with suppress(termios.error):
            termios.tcsetattr(number, termios.TCSANOW, modes)

    def _descriptor(stream: TextIO | None) -> int | None:
        """The descriptor of a terminal whose modes this run may change."""
        if stream is None or not is_terminal(stream) or _is_behind(stream):
            return None
        with suppress(OSError, ValueError, termios.error):
            termios.tcgetattr(stream.fileno())
            return stream.fileno()
        return None
