"""The order journal: one SQLite file per account, append-only, on disk before ``append`` returns.

WAL mode with ``synchronous=FULL``, set and asserted on every connection, since the latter is not
stored in the file. Each append is a transaction of its own. The write-ahead file is folded into
the main file after every commit, so that losing it later loses nothing. A file that is damaged,
locked, foreign or of another version is refused; nothing is ever repaired or created in its place.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from src.core.journal import IntentRecorded, JournalEvent
from src.core.journal_codec import event_from_text, event_to_text, once_key, run_mark
from src.core.journal_fold import fold
from src.core.run_outcome import is_open
from src.core.run_state import RunState
from src.errors import JournalError
from src.io.journal_schema import check_file, create_schema, row_digest

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


class JournalDb:
    """An open journal. Use ``open_journal``; close it or use it as a context manager."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._has_failed = False

    def append(self, event: JournalEvent) -> None:
        """Write one event durably; it is on disk when this returns.

        Raises: JournalError when it is not (disk full, I/O error, an order ref used before).
        Nothing may then be sent: after a failure no further intent is taken.
        """
        once = once_key(event)
        if self._has_failed and once is not None:
            raise JournalError(f"journal {self.path}: an earlier event could not be written")
        row = (event.run_id, run_mark(event), once, event_to_text(event))
        try:
            self._connection.execute(
                "INSERT INTO events (run_id, mark, once, body, digest) VALUES (?, ?, ?, ?, ?)",
                (*row, row_digest(row)),
            )
        except sqlite3.Error as error:
            self._has_failed = True
            raise _journal_error(self.path, error) from error

    def events(self, run_id: str) -> tuple[JournalEvent, ...]:
        """A run's events in the order they were written; empty for an unknown run.

        Raises: JournalError.
        """
        return self._read("SELECT body FROM events WHERE run_id = ? ORDER BY seq", run_id)

    def run_ids(self) -> tuple[str, ...]:
        """All runs, oldest first.

        Raises: JournalError.
        """
        return self._texts("SELECT run_id FROM events GROUP BY run_id ORDER BY MIN(seq)")

    def intents(self) -> tuple[IntentRecorded, ...]:
        """Every order ever announced, of all runs: their refs and order ids are used up.

        Raises: JournalError.
        """
        found = self._read("SELECT body FROM events WHERE once IS NOT NULL ORDER BY seq")
        return tuple(event for event in found if isinstance(event, IntentRecorded))

    def order_refs(self) -> frozenset[str]:
        """The refs of every order ever announced.

        Raises: JournalError.
        """
        return frozenset(self._texts("SELECT once FROM events WHERE once IS NOT NULL"))

    def open_runs(self) -> tuple[RunState, ...]:
        """The runs that still have to be settled, oldest first.

        Raises: JournalError.
        """
        candidates = self._texts(
            "SELECT run_id FROM events GROUP BY run_id "
            "HAVING SUM(mark = 'closed') = 0 OR SUM(mark = 'doubt') > 0 ORDER BY MIN(seq)"
        )
        states = (fold(self.events(run_id)) for run_id in candidates)
        return tuple(state for state in states if is_open(state))

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def __enter__(self) -> JournalDb:  # noqa: PYI034 - Self is not in 3.10
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, query: str, *values: str) -> tuple[JournalEvent, ...]:
        return tuple(event_from_text(text) for text in self._texts(query, *values))

    def _texts(self, query: str, *values: str) -> tuple[str, ...]:
        try:
            return tuple(str(row[0]) for row in self._connection.execute(query, values))
        except sqlite3.Error as error:
            raise _journal_error(self.path, error) from error


def open_journal(path: Path, account_id: str) -> JournalDb:
    """Open the account's journal, or make it when there is none; ``path`` is absolute.

    Raises: JournalError when it cannot be made, opened, locked or believed.
    """
    try:
        if not _exists(path):
            _create(path, account_id)
        return _open_existing(path, account_id)
    except (OSError, sqlite3.Error) as error:
        raise _journal_error(path, error) from error


def peek_open_runs(path: Path, account_id: str) -> tuple[RunState, ...]:
    """The runs whose orders have to be settled, without making a journal where there is none.

    Raises: JournalError when there is one that cannot be believed.
    """
    with _peek(path, account_id) as journal:
        runs = () if journal is None else journal.open_runs()
    return tuple(run for run in runs if run.has_orders)


def peek_order_refs(path: Path, account_id: str) -> frozenset[str]:
    """The refs of every order ever announced, likewise.

    Raises: JournalError.
    """
    with _peek(path, account_id) as journal:
        return frozenset() if journal is None else journal.order_refs()


@contextlib.contextmanager
def _peek(path: Path, account_id: str) -> Iterator[JournalDb | None]:
    try:
        is_there = _exists(path)
    except OSError as error:
        raise _journal_error(path, error) from error
    if not is_there:
        yield None
        return
    with open_journal(path, account_id) as journal:
        yield journal


def _exists(path: Path) -> bool:
    """True for a journal file, however broken; the write-ahead file alone counts as one."""
    if path.with_name(f"{path.name}-wal").exists() and not path.exists():
        raise JournalError(
            f"journal {path} is missing but its -wal file is there: restore it from a backup, "
            "or move the -wal file away if no order of this account is open"
        )
    return path.exists()


def _create(path: Path, account_id: str) -> None:
    """Build the file under another name first: a journal is complete or absent."""
    building = path.with_name(f".{path.name}.{os.getpid()}.new")
    os.close(os.open(building, os.O_CREAT | os.O_EXCL | os.O_RDWR, _OWNER_ONLY))
    try:
        with contextlib.closing(_connect(building)) as connection:
            create_schema(connection, account_id)
        building.rename(path)
    except BaseException:
        building.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _open_existing(path: Path, account_id: str) -> JournalDb:
    if path.stat().st_size == 0:
        raise JournalError(_remedy(path, "it is empty"))
    connection = _connect(path)
    try:
        check_file(connection, account_id)
    except JournalError as error:
        connection.close()
        raise JournalError(_remedy(path, str(error))) from error
    except sqlite3.Error:
        connection.close()
        raise
    return JournalDb(path, connection)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=_BUSY_TIMEOUT_SEC,
        isolation_level=None,
    )
    try:
        for name, value, wanted in _PRAGMAS:
            _set_pragma(connection, name, value, wanted)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_pragma(connection: sqlite3.Connection, name: str, value: str, wanted: object) -> None:
    """Set it and read it back: SQLite does not complain about what it cannot do."""
    connection.execute(f"PRAGMA {name} = {value}")
    got = connection.execute(f"PRAGMA {name}").fetchone()[0]
    if got != wanted:
        raise JournalError(f"the journal's {name} is {got}, need {wanted}; is it on a local disk?")


def _sync_directory(directory: Path) -> None:
    """Make the new name durable where directories can be opened (not on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _journal_error(path: Path, error: Exception) -> JournalError:
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
