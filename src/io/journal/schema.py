"""The journal file's tables, and the checks a file must pass before a word of it is believed.

One table of events, one of facts about the file. Rows are only ever added: triggers abort every
change and every deletion. Each event carries a digest over its content, and sequence numbers
leave no gap, so that a changed or missing row is noticed and never read as "nothing happened".
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final

from src.base.errors import JournalError
from src.core.journal.version import SCHEMA_VERSION

APPLICATION_ID: Final = 0x49425231
"""``IBR1``: marks the file as ours."""

_TABLES: Final = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    (
        "CREATE TABLE events (seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL, mark TEXT NOT NULL, "
        "once TEXT UNIQUE, body TEXT NOT NULL, digest TEXT NOT NULL)"
    ),
    "CREATE INDEX events_by_run ON events (run_id, seq)",
)
_TRIGGERS: Final = tuple(
    f"CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
    for table in ("facts", "events")
    for verb in ("UPDATE", "DELETE")
)


def create_schema(connection: sqlite3.Connection, account_id: str) -> None:
    """Lay the tables out in a new, empty file.

    Raises: sqlite3.Error.
    """
    connection.execute("BEGIN IMMEDIATE")
    for statement in (*_TABLES, *_TRIGGERS):
        connection.execute(statement)
    connection.execute("INSERT INTO facts VALUES ('account_id', ?)", (account_id,))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def check_identity(connection: sqlite3.Connection) -> None:
    """Believe that the file is ours and of this version.

    Raises: JournalError, sqlite3.Error.
    """
    if _value(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise JournalError("it is not a journal of this program")
    version = _value(connection, "PRAGMA user_version")
    if version != SCHEMA_VERSION:
        raise JournalError(f"it has version {version}, this program writes {SCHEMA_VERSION}")


def check_content(connection: sqlite3.Connection, account_id: str) -> None:
    """Believe that every row is there, as written, protected, and of this account.

    Raises: JournalError naming the first thing wrong, sqlite3.Error.
    """
    for _ in checked_events(connection, account_id):
        pass


def checked_events(
    connection: sqlite3.Connection, account_id: str
) -> Iterator[tuple[str | None, str | None]]:
    """Run id and text of each event in the order they were written, once it is believed.

    Raises: as ``check_content``; what was given before is not to be used then.
    """
    # quick_check would leave out the indexes, and a run can be lost to a damaged one.
    verdict = _value(connection, "PRAGMA integrity_check(1)")
    if verdict != "ok":
        raise JournalError(f"it is damaged: {verdict}")
    found = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql != ''")}
    if found != {*_TABLES, *_TRIGGERS}:
        raise JournalError("its tables or their protection were changed")
    owner = _value(connection, "SELECT value FROM facts WHERE name = 'account_id'")
    if owner != account_id:
        raise JournalError("it belongs to another account")
    if _value(connection, "SELECT COALESCE(MAX(seq), 0) - COUNT(*) FROM events") != 0:
        raise JournalError("it is damaged: events are missing")
    rows = connection.execute("SELECT run_id, mark, once, body, digest FROM events ORDER BY seq")
    for row in rows:
        if not _is_as_written(row):
            raise JournalError("it is damaged: an event is not as it was written")
        yield row[0], row[3]


def _is_as_written(row: tuple[str | None, ...]) -> bool:
    """True when a row's columns are text (or absent) and agree with its digest."""
    try:
        return row_digest(row[:-1]) == row[-1]
    except TypeError:  # a column that is no text
        return False


def row_digest(parts: Iterable[str | None]) -> str:
    """Digest over an event's columns; a missing one differs from an empty one."""
    text = "\x1f".join(["\x1e" if part is None else part for part in parts])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _value(connection: sqlite3.Connection, query: str) -> object:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
