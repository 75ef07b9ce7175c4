"""Write to stdout and stderr so that a closed pipe or a narrow encoding never breaks a run.

Text for stdout goes through ``emit``, errors through ``complain``, both with known account ids
masked; a document for a program goes through ``emit_document``. Once a stream is closed at the
other end it is pointed at nothing, and the run goes on to its true exit code.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Final, TextIO

from src.base.errors import ExitCode
from src.base.known_accounts import mask_accounts
from src.base.text import printable

_CLOSED_BY_READER: Final = (errno.EPIPE, errno.EINVAL)  # EINVAL: what Windows says
_LINE_LIMIT: Final = 4000
_RECOVER: Final = "python rebalance.py --recover"
_rehearsal_flags: list[str] = []
"""What the command needs besides where it is to settle a run at the practice gateway."""


def name_gateway(flags: tuple[str, ...]) -> None:
    """From now on every advice to recover names the gateway that knows the orders by these flags.

    Without them it would lead from a rehearsal to the user's real account.
    """
    _rehearsal_flags[:] = flags


def emit(text: str) -> bool:
    """Print a result; False when it was lost (the reader went away, the disk is full)."""
    return _write(sys.stdout, as_shown(text))


def emit_document(text: str) -> bool:
    """Print what a program reads, account ids in full; False when it was lost."""
    return _write(sys.stdout, text)


def complain(message: str) -> None:
    """Print an error on stderr: each line prefixed, escaped, and with account ids masked."""
    for line in message.split("\n"):
        _write(sys.stderr, f"error: {_line(line)}")


def warn(message: str) -> None:
    """Print a warning on stderr, on one line."""
    _write(sys.stderr, f"warning: {_line(message)}")


def remark(message: str) -> None:
    """Print a line under an error on stderr: where things stand now."""
    _write(sys.stderr, _line(message))


def make_console_safe() -> None:
    """Let no character stop the output: what the console cannot show is escaped.

    On Windows a redirected stream would use the old code page; it gets UTF-8 instead.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if os.name == "nt" and not stream.isatty():
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")
            else:
                stream.reconfigure(errors="backslashreplace")


def finish_output(code: int) -> int:
    """Flush what is buffered; output that could not be written makes a success a failure.

    A reader that closed the pipe (``| head``) wanted no more: the code stands.
    """
    try:
        _flush(sys.stdout)
    except ValueError:  # closed by ourselves: nothing is left to write
        return code
    except OSError as error:
        _point_at_nothing(sys.stdout)
        if not _is_closed_by_reader(error):
            complain(f"the output could not be written: {error.strerror}")
        return code if _is_closed_by_reader(error) else code or ExitCode.BUG
    return code


def _line(message: str) -> str:
    """Masked first: an id must not be cut in two by the limit."""
    return printable(as_shown(message), _LINE_LIMIT)


def as_shown(text: str) -> str:
    """A text as a person may see it: known account ids masked, advice true in a rehearsal too."""
    return mask_accounts(text).replace(_RECOVER, " ".join((_RECOVER, *_rehearsal_flags)))


def _write(stream: TextIO | None, text: str) -> bool:
    if stream is None:
        return False
    try:
        stream.write(text + "\n")
        stream.flush()
    except ValueError:
        return False
    except OSError as error:
        _point_at_nothing(stream)
        if stream is not sys.stderr and not _is_closed_by_reader(error):
            complain(f"the output could not be written: {error.strerror}")
        return False
    return True


def _is_closed_by_reader(error: OSError) -> bool:
    return error.errno in _CLOSED_BY_READER


def _flush(stream: TextIO | None) -> None:
    if stream is not None and not stream.closed:
        stream.flush()


def _point_at_nothing(stream: TextIO | None) -> None:
    """Send what is still buffered to the null device, so that nothing complains at exit."""
    if stream is None:
        return
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
