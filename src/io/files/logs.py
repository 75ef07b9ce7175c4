"""The log file of a run and the few lines on stderr: handlers, format, run id.

The file holds every event of this program, and of the libraries what warns (with DEBUG all):
UTC, level, run id and module on every line, one line per event, tracebacks indented below theirs,
readable by its owner only. The screen gets warnings and errors of this program, one plain line
each. Account ids are masked and unprintable characters escaped in both, in the libraries' records
too.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from src.base.known_accounts import mask_accounts
from src.base.text import printable
from src.io.files.run_files import RunFiles

if TYPE_CHECKING:
    _StreamHandler = logging.StreamHandler[TextIO]
else:
    _StreamHandler = logging.StreamHandler  # takes no type in brackets before Python 3.11

_OURS: Final = ("src", "rebalance", "__main__")
_LINE_LIMIT: Final = 20_000
_TRACEBACK_INDENT: Final = "    | "


@contextmanager
def screen_log(stream: TextIO | None = None) -> Iterator[None]:
    """Show warnings and errors on stderr while the block runs."""
    handler = _Screen(stream)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_ScreenFormat())
    handler.addFilter(_is_ours)
    with _on_root_logger(handler, logging.WARNING):
        yield


@contextmanager
def run_log(files: RunFiles, level: str, *, is_simulated: bool = False) -> Iterator[RunLog]:
    """Write everything from ``level`` up to the run's log file while the block runs.

    ``files`` comes from ``claim_run_files``, which created the file. Every line of a simulated
    run says so.
    Raises: OSError when the file cannot be opened.
    """
    handler = RunLog(files.log)
    handler.setLevel(level)
    handler.setFormatter(_FileFormat(files.run_id + (" SIMULATED" if is_simulated else "")))
    if handler.level > logging.DEBUG:
        handler.addFilter(_is_ours_or_a_warning)
    try:
        with _on_root_logger(handler, handler.level):
            yield handler
    finally:
        handler.close()


class RunLog(logging.FileHandler):
    """The handler of the run's log file; ``is_damaged`` once a line could not be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, mode="a", encoding="utf-8", errors="backslashreplace")
        self.path = path
        self.is_damaged = False
        self._is_over = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; one that comes after the run's end, from a thread, is dropped."""
        if not self._is_over:
            super().emit(record)

    def close(self) -> None:
        """End the log; the base class would open the file again for a late record.

        What a full disk or a closed handle keeps from being written is lost, and said; it never
        becomes the end of the run.
        """
        self._is_over = True
        try:
            super().close()
        except (OSError, ValueError) as error:
            self._warn_once(error)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - logging's own
        """Say once on stderr that the log is incomplete; the run itself goes on."""
        self._warn_once(sys.exc_info()[1])

    def _warn_once(self, error: BaseException | None) -> None:
        if self.is_damaged:
            return
        self.is_damaged = True
        with suppress(OSError, ValueError):  # stderr may lie on the same full disk
            sys.stderr.write(
                f"warning: the log {self.path} is incomplete: {printable(str(error))}\n"
            )


class _Screen(_StreamHandler):
    """Writes where stderr leads at that moment: a picture on the terminal takes it in turns."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__(stream)
        self._is_fixed = stream is not None

    def emit(self, record: logging.LogRecord) -> None:
        if not self._is_fixed:
            self.stream = sys.stderr
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A closed pipe behind stderr takes the message with it; there is nowhere left to say."""


class _FileFormat(logging.Formatter):
    """``2025-01-31T14:30:00.123Z INFO run=… module: message``."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def format(self, record: logging.LogRecord) -> str:
        stamp = datetime.fromtimestamp(record.created, timezone.utc)
        text = (
            f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03d}Z {record.levelname}"
            f" run={self._run} {record.name}: {_one_line(record)}"
        )
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            indented = (_TRACEBACK_INDENT + _shown(line) for line in trace)
            text = "\n".join((text, *indented))
        return text


class _ScreenFormat(logging.Formatter):
    """``warning: message``, never a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        label = "warning" if record.levelno < logging.ERROR else "error"
        return f"{label}: {_one_line(record)}"


def _one_line(record: logging.LogRecord) -> str:
    return _shown(record.getMessage())


def _shown(text: str) -> str:
    """Masked first: an id must not be cut in two by the limit."""
    return printable(mask_accounts(text), _LINE_LIMIT)


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in _OURS


def _is_ours_or_a_warning(record: logging.LogRecord) -> bool:
    """Libraries report every position and order below WARNING: only a debugging user wants that."""
    return _is_ours(record) or record.levelno >= logging.WARNING


@contextmanager
def _on_root_logger(handler: logging.Handler, level: int) -> Iterator[None]:
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(min(before, level))
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
