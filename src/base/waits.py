"""What a run waits for just now: whoever waits says so here, and a terminal shows it.

Nothing is decided by it, and without anybody who watches nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

Lines = Callable[[float], Sequence[str]]
"""What there is to show of a wait after so many seconds, at least one line."""

STOP_HINT: Final = "Ctrl+C: stop"


class Waits:
    """The waits of one session; ``changed`` is called when one begins or ends."""

    def __init__(self) -> None:
        self.current: list[Lines] = []
        self.hint: Callable[[], str] = lambda: STOP_HINT
        self.changed: Callable[[], None] = lambda: None

    @contextmanager
    def on(self, what: Callable[[], str] | str, limit_sec: float | None = None) -> Iterator[None]:
        """Wait for something inside the block, at most so long; ``what`` may change meanwhile."""

        def lines(elapsed_sec: float) -> Sequence[str]:
            text = what if isinstance(what, str) else what()
            return (f"Waiting for {text}, {elapsed_text(elapsed_sec, limit_sec)}",)

        with self.showing(lines):
            yield

    @contextmanager
    def showing(self, lines: Lines) -> Iterator[None]:
        """As ``on``, with lines of one's own."""
        self.current.append(lines)
        self.changed()
        try:
            yield
        finally:
            self.current.remove(lines)
            self.changed()


def elapsed_text(elapsed_sec: float, limit_sec: float | None) -> str:
    """``12 s``, with a limit ``12 s of 300 s``."""
    return f"{elapsed_sec:.0f} s" + (f" of {limit_sec:g} s" if limit_sec else "")
