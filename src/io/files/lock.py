"""One trading run per account at a time: an operating system lock on a file of the account.

The kernel frees the lock when its process ends, however it ends; a leftover file means nothing,
so it is never deleted. The file's text names the holder for the second process. On Windows the
locked byte lies far beyond the text, so that the text stays readable there too.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final

from src.base.errors import LockHeld, Refused

_OWNER_ONLY: Final = 0o600
_LOCKED_BYTE: Final = 1 << 30
_MAX_TEXT: Final = 2000
_TRIES: Final = 10
_WAIT_SEC: Final = 0.05


@dataclass(slots=True)
class AccountLock:
    """A held lock; ``release`` it or let the process end. Also a context manager."""

    path: Path
    _descriptor: int

    def release(self) -> None:
        """Give the account free; releasing twice does nothing."""
        if self._descriptor < 0:
            return
        descriptor, self._descriptor = self._descriptor, -1
        os.ftruncate(descriptor, 0)
        _unlock(descriptor)
        os.close(descriptor)

    def __enter__(self) -> AccountLock:  # noqa: PYI034 - Self is not in 3.10
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def acquire_lock(path: Path, started_utc: datetime) -> AccountLock:
    """Hold the account for this process; does not wait for another run's end.

    Raises: LockHeld naming the holder, Refused when the file cannot be opened or locked.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _OWNER_ONLY)
    except OSError as error:
        raise Refused(
            f"cannot open the lock file {path}: {error}; check its permissions"
        ) from error
    try:
        is_ours = _try_lock_patiently(descriptor)
        if is_ours:
            _write_holder(descriptor, started_utc)
    except OSError as error:
        os.close(descriptor)
        raise Refused(f"cannot lock {path}: {error}; is it on a local disk?") from error
    if not is_ours:
        os.close(descriptor)
        raise LockHeld(f"another run holds this account ({read_holder(path)}); wait for its end")
    return AccountLock(path, descriptor)


def current_holder(path: Path) -> str:
    """Who holds the lock now, in words; empty when it is free. For a dry run's warning."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return ""
    try:
        is_free = _try_lock(descriptor)
    except OSError:
        return ""
    finally:
        os.close(descriptor)  # frees what was just taken
    return "" if is_free else f"another run holds this account ({read_holder(path)})"


def read_holder(path: Path) -> str:
    """``pid 4711 on host since 2025-01-31T14:30:00Z``, as far as the file tells.

    The holder writes its name just after locking, so an empty file is read again for a moment.
    """
    for _ in range(_TRIES):
        text = _read_text(path)
        if text:
            return text
        time.sleep(_WAIT_SEC)
    return "its name is not readable"


def _try_lock_patiently(descriptor: int) -> bool:
    """Half a second of patience: a dry run's look at the lock holds it for an instant."""
    for _ in range(_TRIES):
        if _try_lock(descriptor):
            return True
        time.sleep(_WAIT_SEC)
    return _try_lock(descriptor)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            fields = json.loads(file.read(_MAX_TEXT).decode("ascii"))
        return f"pid {int(fields['pid'])} on {fields['host']} since {fields['started_utc']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _write_holder(descriptor: int, started_utc: datetime) -> None:
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "started_utc": started_utc.isoformat(timespec="seconds"),
    }
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, json.dumps(holder).encode("ascii"))


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
