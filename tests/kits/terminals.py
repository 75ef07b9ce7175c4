"""Pseudo terminals, for tests of what is typed and of what a person sees; none on Windows."""

from __future__ import annotations

import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import pyte

ROOT: Final = Path(__file__).resolve().parents[2]
Frame = tuple[str, ...]
"""The lines of a screen, without what is empty at its end."""

_LIMIT_SEC: Final = 60
_REDRAW: Final = b"\r\x1b[2K"
_IN_ITS_TERMINAL: Final = """
import fcntl, runpy, sys, termios
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
del sys.argv[0]
sys.path.insert(0, sys.argv.pop(0))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """A pseudo terminal: the keyboard's end and the program's end, closed at the end."""
    if sys.platform == "win32":
        raise NotImplementedError("Windows has no pseudo terminals: skip the test there")
    else:
        keyboard, program = os.openpty()
        try:
            yield keyboard, program
        finally:
            os.close(keyboard)
            os.close(program)


class Watched:
    """A run of ``rebalance.py`` in a terminal of its own: what is seen there, and typed."""

    def __init__(
        self, process: subprocess.Popen[bytes], keyboard: int, size: tuple[int, int]
    ) -> None:
        self.process = process
        self.frames: list[Frame] = [()]
        self.raw = b""
        self._keyboard = keyboard
        self._screen = pyte.HistoryScreen(*size, history=2000)
        self._stream = pyte.ByteStream(self._screen)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._keyboard, text.encode())

    def close_window(self) -> int:
        """The terminal goes away; the exit code of the program."""
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, self._keyboard)
        os.close(nothing)
        return self.process.wait(_LIMIT_SEC)

    def until(self, is_seen: Callable[[Frame], bool]) -> Frame:
        """The next frame that is as it is wanted, or the present one; fails when none is."""
        seen = len(self.frames) - 1
        while True:
            for frame in self.frames[seen:]:
                if is_seen(frame):
                    return frame
            seen = len(self.frames)
            assert self._look(), self.everything()

    def until_text(self, text: str) -> Frame:
        """Look on until a text stands on the screen, also where it is wrapped."""
        return self.until(lambda frame: text in " ".join(frame))

    def end(self) -> int:
        """Look on until the program has ended; its exit code."""
        while self._look():
            pass
        return self.process.wait(_LIMIT_SEC)

    def everything(self) -> str:
        """All that is left to be read, what has been scrolled away included."""
        width = range(self._screen.columns)
        gone = ["".join(line[x].data for x in width) for line in self._screen.history.top]
        return "\n".join(line.rstrip() for line in (*gone, *self._screen.display)).rstrip()

    def modes(self) -> list[object]:
        """The terminal's modes, as far as a test compares them."""
        if sys.platform != "win32":
            import termios

            return list(termios.tcgetattr(self._keyboard))
        raise NotImplementedError

    @property
    def shows_keys(self) -> bool:
        """Whether what is typed is echoed."""
        if sys.platform != "win32":
            import termios

            return bool(termios.tcgetattr(self._keyboard)[3] & termios.ECHO)
        raise NotImplementedError

    @property
    def shows_cursor(self) -> bool:
        """Whether the cursor is to be seen."""
        return not self._screen.cursor.hidden

    def _look(self) -> bool:
        """Take what has been written since; False when nothing more comes."""
        deadline = time.monotonic() + _LIMIT_SEC
        while time.monotonic() < deadline:
            if not select.select([self._keyboard], [], [], 0.1)[0]:
                if self.process.poll() is not None:
                    return False
                continue
            try:
                written = os.read(self._keyboard, 1 << 16)
            except OSError:  # how a terminal ends whose program is gone
                return False
            self.raw += written
            first, *others = written.split(_REDRAW)
            self._show(first)
            for one in others:  # what is read at once may have been several pictures
                self._show(_REDRAW + one)
            return bool(written)
        raise AssertionError(f"nothing happened for {_LIMIT_SEC} s:\n{self.everything()}")

    def _show(self, written: bytes) -> None:
        self._stream.feed(written)
        lines = tuple(line.rstrip() for line in self._screen.display)
        while lines and not lines[-1]:
            lines = lines[:-1]
        if lines != self.frames[-1]:
            self.frames.append(lines)


@contextmanager
def watched(
    arguments: Sequence[str],
    cwd: Path,
    *,
    size: tuple[int, int] = (80, 24),
    env: Mapping[str, str] | None = None,
    stdout: IO[bytes] | None = None,
) -> Iterator[Watched]:
    """``rebalance.py`` in a terminal of so many columns and lines; stdout may lead elsewhere."""
    script = str(ROOT / "rebalance.py")
    own = {"COLUMNS", "LINES"}  # of the terminal that the tests run in
    inherited = {name: value for name, value in os.environ.items() if name not in own}
    with terminal() as (keyboard, program):
        _set_size(program, size)
        process = subprocess.Popen(
            [sys.executable, "-c", _IN_ITS_TERMINAL, str(ROOT), script, *arguments],
            cwd=cwd,
            env={**inherited, "TERM": "xterm", **(env or {})},
            stdin=program,
            stdout=stdout or program,
            stderr=program,
            start_new_session=True,
        )
        try:
            yield Watched(process, keyboard, size)
        finally:
            process.kill()
            process.wait(_LIMIT_SEC)


def _set_size(program: int, size: tuple[int, int]) -> None:
    if sys.platform != "win32":
        import fcntl
        import termios

        columns, lines = size
        fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
