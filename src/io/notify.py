"""Run the user's [notify] command: a text on its standard input, 30 seconds, no shell.

Its output goes to the log. Whatever goes wrong with it is a warning, never the end of anything. The
warning names the program alone: the words behind it may hold a password.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import PurePath
from typing import IO, Final

from src.base.text import printable

log = logging.getLogger(__name__)

LIMIT_SEC: Final = 30.0
_KEPT_BYTES: Final = 4000
_CHUNK_BYTES: Final = 65536
_LAST_WORDS_SEC: Final = 1.0


def notify(command: Sequence[str], text: str, limit_sec: float = LIMIT_SEC) -> None:
    """Let the command have the text; returns when it has ended, or was ended at the limit."""
    name = PurePath(command[0]).name
    try:
        with tempfile.TemporaryFile() as told:
            told.write(text.encode("utf-8"))
            told.seek(0)
            ended = _run(command, told, limit_sec)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        log.warning("[notify] %s could not be run: %s; check [notify] command", name, why)
    else:
        if ended:
            log.warning("[notify] %s %s", name, ended)


def _run(command: Sequence[str], told: IO[bytes], limit_sec: float) -> str:
    """Run it to its end; what was wrong with that, or nothing. Raises: OSError, ValueError."""
    process = subprocess.Popen(  # noqa: S603 - the user's own command, given in the settings
        list(command),
        stdin=told,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    said = _Said(process)
    try:
        code = process.wait(limit_sec)
        ended = f"ended with code {code}" if code else ""
    except subprocess.TimeoutExpired:
        _end(process)
        ended = f"was ended after {limit_sec:g} s"
    except KeyboardInterrupt:  # the run's own end stands: it is over and written down
        _end(process)
        ended = "was interrupted"
    words = said.words()
    log.info("[notify] command ended code=%s output=%s", process.returncode, words or "none")
    return f"{ended}: {words}" if ended and words else ended


class _Said:
    """Reads what a process says, keeping the beginning; a child of it may hold the pipe open."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._kept = b""
        self._reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        self._reader.start()

    def words(self) -> str:
        """What was said, on one line."""
        self._reader.join(_LAST_WORDS_SEC)
        return printable(" ".join(self._kept.decode("utf-8", "replace").split()))

    def _read(self, pipe: IO[bytes] | None) -> None:
        if pipe is None:
            return
        with pipe:
            while part := os.read(pipe.fileno(), _CHUNK_BYTES):
                self._kept = (self._kept + part)[:_KEPT_BYTES]


if sys.platform == "win32":

    def _end(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()

else:

    def _end(process: subprocess.Popen[bytes]) -> None:
        """With everything that it started."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
