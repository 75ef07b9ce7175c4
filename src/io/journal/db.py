"""The order journal: one SQLite file per account, append-only, on disk before ``append`` returns.

WAL mode with ``synchronous=FULL``, set and asserted on every connection, since the latter is not
stored in the file. Each append is a transaction of its own. The write-ahead file is folded into
the main file after every commit, so that losing it later loses nothing. A file that is damaged,
locked, foreign or of another version is refused by ``src.io.journal.file``.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from src.base.errors import JournalError
from src.core.journal.codec import event_from_text, event_to_text, once_key, run_mark
from src.core.journal.events import IntentRecorded, JournalEvent
from src.core.run.fold import fold
from src.core.run.outcome import is_open, unresolved_tickets
from src.core.run.state import RunState
from src.io.journal.file import journal_error, open_file
from src.io.journal.schema import row_digest


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
        self.append_all((event,))

    def append_all(self, events: Iterable[JournalEvent]) -> None:
        """Write several events in one durable transaction: all of them, in this order, or none.

        Raises: JournalError as ``append`` does.
        """
        rows = [self._row(event) for event in events]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT INTO events (run_id, mark, once, body, digest) VALUES (?, ?, ?, ?, ?)",
                [(*row, row_digest(row)) for row in rows],
            )
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._has_failed = True
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise journal_error(self.path, error) from error

    def _row(self, event: JournalEvent) -> tuple[str, str, str | None, str]:
        once = once_key(event)
        if self._has_failed and once is not None:
            raise JournalError(f"journal {self.path}: an earlier event could not be written")
        return (event.run_id, run_mark(event), once, event_to_text(event))

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
        candidates = self._runs_with(
            "SUM(mark = 'doubt') > 0 OR SUM(mark = 'closed') = 0 "
            "AND (COUNT(once) > 0 OR SUM(mark = 'declined') = 0)"
        )
        return tuple(state for state in candidates if is_open(state))

    def unreported_runs(self) -> tuple[RunState, ...]:
        """Settled runs with orders whose end came later than their last report, oldest first.

        Raises: JournalError.
        """
        candidates = self._runs_with(
            "COUNT(once) > 0 AND MAX((mark = 'closed') * seq) > MAX((mark = 'reported') * seq)"
        )
        return tuple(one for one in candidates if one.has_orders and not is_open(one))

    def accepted_runs(self) -> tuple[RunState, ...]:
        """The runs that the user took over with tickets that are still not proven, oldest first.

        Raises: JournalError.
        """
        candidates = self._runs_with("SUM(mark = 'doubt') > 0 AND SUM(mark = 'closed') > 0")
        return tuple(
            one for one in candidates if one.accepted is not None and unresolved_tickets(one)
        )

    def latest_runs(self, count: int) -> tuple[RunState, ...]:
        """The last so many runs that announced an order, oldest first.

        Raises: JournalError.
        """
        run_ids = self._texts(
            "SELECT run_id FROM events WHERE once IS NOT NULL "
            "GROUP BY run_id ORDER BY MAX(seq) DESC LIMIT ?",
            count,
        )
        return tuple(fold(self.events(run_id)) for run_id in reversed(run_ids))

    def _runs_with(self, condition: str) -> tuple[RunState, ...]:
        """The runs whose marks fit; the condition is one of those above, never anyone's text."""
        run_ids = self._texts(
            f"SELECT run_id FROM events GROUP BY run_id HAVING {condition} "  # noqa: S608
            "ORDER BY MIN(seq)"
        )
        return tuple(fold(self.events(run_id)) for run_id in run_ids)

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

    def _texts(self, query: str, *values: str | int) -> tuple[str, ...]:
        try:
            return tuple(str(row[0]) for row in self._connection.execute(query, values))
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise journal_error(self.path, error) from error


def open_journal(path: Path, account_id: str) -> JournalDb:
    """Open the account's journal, or make it when there is none; ``path`` is absolute.

    Raises: JournalError when it cannot be made, opened, locked or believed.
    """
    connection = open_file(path, account_id, may_create=True)
    if connection is None:
        raise JournalError(f"journal {path} vanished while it was opened")
    return JournalDb(path, connection)


@contextlib.contextmanager
def peek_journal(path: Path, account_id: str) -> Iterator[JournalDb | None]:
    """Open a journal to look into it; None where there is none, and none is made.

    Raises: JournalError when there is one that cannot be believed.
    """
    connection = open_file(path, account_id, may_create=False)
    if connection is None:
        yield None
        return
    with JournalDb(path, connection) as journal:
        yield journal
