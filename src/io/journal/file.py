"""The journal's file: made whole or not at all, opened the one safe way, or refused.

Nothing is ever repaired, and nothing is created in the place of a file that is there.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final

from src.base.errors import JournalError
from src.io.files.state_dir import journal_exists
from src.io.journal.schema import check_content, check_identity, checked_events, create_schema

_BUSY_TIMEOUT_SEC: Final = 2.0
_SYNCHRONOUS_FULL: Final = 2
_OWNER_ONLY: Final = 0o600
_PRAGMAS: Final[tuple[tuple[str, str, object], ...]] = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", _SYNCHRONOUS_FULL),
    ("wal_autocheckpoint", "1", 1),
    ("recursive_triggers", "ON", 1),
    ("trusted_schema", "OFF", 0),
)
"""Name, value to set, value to read back; all but the first hold for one connection only."""


def open_file(path: Path, account_id: str, *, may_create: bool) -> sqlite3.Connection | None:
    """A checked connection to the journal, made first when there is none and it may be.

    None when there is none and it may not. ``path`` is absolute.
    Raises: JournalError when the file cannot be made, opened, locked or believed.
    """
    try:
        if not journal_exists(path):
            if not may_create:
                return None
            _create(path, account_id)
        return _open_checked(path, account_id)
    except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
        # sqlite3 itself stumbles over its own message when that quotes a damaged file.
        raise journal_error(path, error) from error


def read_file(path: Path, account_id: str) -> dict[str, list[str]]:
    """Run id to the texts of its events, in the order they were written, all of them checked.

    For a copy of a journal: opened where a run may write, even reading would disturb.
    Raises: JournalError when it cannot be read or believed.
    """
    texts: dict[str, list[str]] = {}
    try:
        _check_size(path)
        with contextlib.closing(_connect(path)) as connection:
            check_identity(connection)
            for run_id, text in checked_events(connection, account_id):
                texts.setdefault(run_id or "", []).append(text or "")
    except JournalError as error:
        raise JournalError(_remedy(path, str(error))) from error
    except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
        raise journal_error(path, error) from error
    return texts


def _create(path: Path, account_id: str) -> None:
    """Build the file under another name first: a journal is complete or absent."""
    building = path.with_name(f".{path.name}.{os.getpid()}.new")
    os.close(os.open(building, os.O_CREAT | os.O_EXCL | os.O_RDWR, _OWNER_ONLY))
    try:
        with contextlib.closing(_connect(building)) as connection:
            _set_pragmas(connection)
            create_schema(connection, account_id)
        building.rename(path)
    except BaseException:
        building.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _open_checked(path: Path, account_id: str) -> sqlite3.Connection:
    """Look before touching: a foreign file is not even switched to another journal mode."""
    connection = _connect(path)
    try:
        _check_size(path)
        check_identity(connection)
        _set_pragmas(connection)
        check_content(connection, account_id)
    except JournalError as error:
        connection.close()
        raise JournalError(_remedy(path, str(error))) from error
    except (sqlite3.Error, UnicodeDecodeError):
        connection.close()
        raise
    return connection


def _check_size(path: Path) -> None:
    if path.stat().st_size == 0:
        raise JournalError("it is empty")


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=_BUSY_TIMEOUT_SEC,
        isolation_level=None,
    )


def _set_pragmas(connection: sqlite3.Connection) -> None:
    """Set each and read it back: SQLite does not complain about what it cannot do."""
    for name, value, wanted in _PRAGMAS:
        connection.execute(f"PRAGMA {name} = {value}")
        got = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if got != wanted:
            raise JournalError(f"its {name} is {got}, need {wanted}; is it on a local disk?")


def _sync_directory(directory: Path) -> None:
    """Make the new name durable where directories can be opened (not on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def journal_error(path: Path, error: Exception) -> JournalError:
    """What went wrong with the file, and what to do, in one line."""
    if isinstance(error, sqlite3.IntegrityError):
        return JournalError(f"journal {path} refused an event: {error}")
    words = str(error)
    if "locked" in words or "busy" in words:
        return JournalError(f"journal {path} is in use by another program; end that first")
    if isinstance(error, sqlite3.OperationalError):
        return JournalError(f"journal {path} cannot be used: {words}; check disk and permissions")
    return JournalError(_remedy(path, words))


def _remedy(path: Path, what: str) -> str:
    return (
        f"journal {path} cannot be trusted: {what}. Nothing is traded. Restore it from a backup; "
        "or check in TWS that no order of this program works, then move the file (with -wal and "
        "-shm) away"
    )
