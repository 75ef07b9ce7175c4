"""Show on a terminal what is waited for, from half a second on, and take it away afterwards.

``rich`` draws, is loaded at the first picture, and is asked for nothing else; what is written to
stderr meanwhile appears above the picture. A terminal that cannot redraw gets one plain line per
wait. Nothing here can end or change a run: a terminal that is gone is no longer drawn on.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from src.base.known_accounts import mask_accounts
from src.base.text import printable
from src.base.waits import Lines, Waits
from src.terminal.screen import can_redraw, echo, is_terminal

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

_PATIENCE_SEC: Final = 0.5
_PERIOD_SEC: Final = 0.25


@contextmanager
def waits_shown(waits: Waits, stream: TextIO | None = None) -> Iterator[None]:
    """Show these waits on stderr (or another stream), if that is a terminal, inside the block."""
    stream = sys.stderr if stream is None else stream
    if stream is None or not is_terminal(stream):
        yield
        return
    picture = _Picture(waits, _Unbreakable(stream), is_live=can_redraw(stream))
    waits.changed = picture.look
    with echo(stream, is_on=False):
        try:
            yield
        finally:
            waits.changed = lambda: None
            picture.hide()


class _Picture:
    """What is on the screen just now, and when it is drawn next."""

    def __init__(self, waits: Waits, stream: _Unbreakable, *, is_live: bool) -> None:
        self._waits = waits
        self._stream = stream
        self._is_live = is_live
        self._began: dict[Lines, float] = {}
        self._told: set[Lines] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._live: Live | None = None

    def look(self) -> None:
        """A wait began or ended; the picture goes with the last one."""
        now = asyncio.get_running_loop().time()
        self._began = {one: self._began.get(one, now) for one in self._waits.current}
        if not self._began:
            self.hide()
        elif self._timer is None:
            self._draw_after(_PATIENCE_SEC)

    def hide(self) -> None:
        """Take the picture away."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw_after(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._draw)

    def _draw(self) -> None:
        self._draw_after(_PERIOD_SEC)
        if not self._is_live:
            self._tell()
        elif self._live is None:
            self._live = self._begin()
            self._live.start(refresh=True)
        else:
            self._live.refresh()

    def _tell(self) -> None:
        """On a terminal that cannot redraw: each wait once."""
        for one in self._waits.current:
            if one not in self._told:
                self._told.add(one)
                self._stream.write("\n".join(self._lines_of(one)) + "\n")

    def _begin(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream, force_terminal=True, highlight=False)
        return Live(
            console=console,
            get_renderable=self._text,
            auto_refresh=False,
            transient=True,
            redirect_stdout=is_terminal(sys.stdout),
            vertical_overflow="crop",
        )

    def _text(self) -> Text:
        from rich.text import Text

        lines = [line for one in self._waits.current for line in self._lines_of(one)]
        shown = dict.fromkeys((*lines, self._waits.hint()))
        return Text("\n".join(shown), no_wrap=True, overflow="crop")

    def _lines_of(self, one: Lines) -> list[str]:
        elapsed_sec = asyncio.get_running_loop().time() - self._began[one]
        return [printable(mask_accounts(line)) for line in one(elapsed_sec)]


class _Unbreakable(io.StringIO):
    """The terminal; once it is closed or gone, what is written is lost and nothing fails."""

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self._encoding = stream.encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """What the terminal can show."""
        return self._encoding or "utf-8"

    def write(self, text: str) -> int:
        """Write and pass on at once, as far as anybody is there."""
        try:
            if self._stream is not None:
                self._stream.write(text)
                self._stream.flush()
        except (OSError, ValueError):
            self._stream = None
        return len(text)
