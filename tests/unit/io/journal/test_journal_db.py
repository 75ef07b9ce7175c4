"""The journal file: durable, append-only, refused when anything about it is wrong."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.base.errors import ExitCode, JournalError
from src.core.journal.events import Declined, ReportWritten, RunAccepted
from src.core.records.orders import TicketStatus
from src.core.run.fold import fold
from src.io.journal.db import JournalDb, open_journal, peek_journal
from tests.kits.builders import ACCOUNT
from tests.kits.journal_kit import (
    PLAN,
    RUN_ID,
    approved,
    closed,
    intent,
    later,
    opening,
    recorded,
    ref,
    sent,
    ticket_ended,
    whole_run,
)


@pytest.fixture(name="path")
def journal_path(tmp_path: Path) -> Path:
    return tmp_path / f"{ACCOUNT}.sqlite3"


@pytest.fixture(name="journal")
def opened(path: Path) -> Iterator[JournalDb]:
    with open_journal(path, ACCOUNT) as journal:
        yield journal


class DiskFull:
    """A connection whose disk filled up, as sqlite3 reports it."""

    def execute(self, _query: str, _values: object = ()) -> object:
        raise sqlite3.OperationalError("database or disk is full")

    def close(self) -> None:
        """Nothing to close."""


def test_what_was_appended_is_read_back_in_order(journal: JournalDb) -> None:
    for event in whole_run():
        journal.append(event)
    assert journal.events(RUN_ID) == tuple(whole_run())
    assert journal.run_ids() == (RUN_ID,)
    assert journal.events("20990101T000000Z") == ()
    assert journal.open_runs() == ()


def test_several_runs_share_a_file(journal: JournalDb) -> None:
    other = "20250131T170001Z"
    journal.append(recorded(run_id=other))
    journal.append(recorded())
    journal.append(approved(run_id=other))
    assert journal.run_ids() == (other, RUN_ID)
    assert journal.events(other) == (recorded(run_id=other), approved(run_id=other))
    assert [run.run_id for run in journal.open_runs()] == [other, RUN_ID]


def test_a_closed_run_lacks_its_report_until_that_is_written(journal: JournalDb) -> None:
    written = ReportWritten(run_id=RUN_ID, at_utc=later(10), file_name="post.csv")
    journal.append_all(whole_run()[:-1])
    assert journal.unreported_runs() == ()
    journal.append(closed())
    assert [run.run_id for run in journal.unreported_runs()] == [RUN_ID]
    journal.append(written)
    assert journal.unreported_runs() == ()
    journal.append(RunAccepted(run_id=RUN_ID, at_utc=later(11), reason="taken over"))
    assert [run.run_id for run in journal.unreported_runs()] == [RUN_ID]


def test_a_declined_run_is_over_unless_a_later_plan_of_it_was_traded(journal: JournalDb) -> None:
    declined = Declined(run_id=RUN_ID, at_utc=later(1), reason="answered no")
    journal.append_all((recorded(), declined))
    assert journal.open_runs() == journal.unreported_runs() == ()
    journal.append_all((recorded(), approved(), intent(1)))
    assert [run.run_id for run in journal.open_runs()] == [RUN_ID]


def test_a_run_that_sent_nothing_needs_no_report(journal: JournalDb) -> None:
    journal.append_all((recorded(), closed()))
    assert journal.unreported_runs() == ()


def test_another_connection_sees_an_event_as_soon_as_append_returns(
    journal: JournalDb, path: Path
) -> None:
    with open_journal(path, ACCOUNT) as second:
        journal.append(recorded())
        assert second.events(RUN_ID) == (recorded(),)


def test_every_connection_writes_through_to_the_disk(journal: JournalDb) -> None:
    connection = journal._connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_append_wrote_is_in_the_main_file_even_without_the_write_ahead_file(
    journal: JournalDb, path: Path
) -> None:
    for event in opening(intent(1)):
        journal.append(event)
    copy = path.with_name("copy.sqlite3")
    copy.write_bytes(path.read_bytes())
    with open_journal(copy, ACCOUNT) as restored:
        assert restored.events(RUN_ID) == tuple(opening(intent(1)))


def test_an_order_ref_is_announced_once_in_a_journal_s_life(journal: JournalDb) -> None:
    for event in opening(intent(1)):
        journal.append(event)
    with pytest.raises(JournalError, match="refused an event"):
        journal.append(intent(1))
    assert journal.events(RUN_ID) == tuple(opening(intent(1)))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET body = '{}'",
        "DELETE FROM events",
        "UPDATE facts SET value = 'DU1'",
        "DELETE FROM facts",
        "INSERT OR REPLACE INTO events VALUES (1, 'x', '', NULL, '{}', '')",
        "REPLACE INTO facts VALUES ('account_id', 'DU1')",
    ],
)
def test_nothing_is_ever_changed_or_deleted(journal: JournalDb, statement: str) -> None:
    journal.append(recorded())
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        journal._connection.execute(statement)
    assert journal.events(RUN_ID) == (recorded(),)


def test_a_run_in_doubt_is_open_even_when_closed(journal: JournalDb) -> None:
    for event in opening(intent(1), sent(1), ticket_ended(1, TicketStatus.UNRESOLVED), closed(4)):
        journal.append(event)
    (run,) = journal.open_runs()
    assert run == fold(journal.events(RUN_ID))
    assert [one.request.order_ref for one in journal.intents()] == [ref(1)]
    assert journal.order_refs() == {ref(1)}


def test_a_full_disk_stops_the_run_and_every_later_intent(path: Path, journal: JournalDb) -> None:
    healthy, journal._connection = journal._connection, DiskFull()  # type: ignore[assignment]
    with pytest.raises(JournalError, match="disk") as caught:
        journal.append(recorded())
    assert caught.value.exit_code is ExitCode.REFUSED
    journal._connection = healthy
    journal.append(recorded())
    with pytest.raises(JournalError, match="earlier event"):
        journal.append(intent(1))
    assert journal.events(RUN_ID) == (recorded(),)


def test_a_really_full_file_refuses_and_keeps_what_it_had(journal: JournalDb) -> None:
    journal.append(recorded())
    (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalError, match="full"):
        fill_up(journal)
    assert journal.events(RUN_ID)[0] == recorded()


def fill_up(journal: JournalDb) -> None:
    for _ in range(1000):
        journal.append(sent(1))


def test_reading_a_closed_journal_is_an_error_not_an_empty_answer(path: Path) -> None:
    journal = open_journal(path, ACCOUNT)
    journal.close()
    journal.close()
    with pytest.raises(JournalError):
        journal.events(RUN_ID)


# --- opening ----------------------------------------------------------------------------------


def test_peeking_makes_no_file(path: Path) -> None:
    with peek_journal(path, ACCOUNT) as journal:
        assert journal is None
    assert list(path.parent.glob("*.sqlite3*")) == []


def test_peeking_sees_what_another_process_is_writing(journal: JournalDb, path: Path) -> None:
    for event in opening(intent(1)):
        journal.append(event)
    with peek_journal(path, ACCOUNT) as peeked:
        assert peeked is not None
        assert [run.run_id for run in peeked.open_runs()] == [RUN_ID]
        assert peeked.order_refs() == {ref(1)}


def test_a_new_journal_leaves_nothing_beside_it(path: Path) -> None:
    open_journal(path, ACCOUNT).close()
    assert [one.name for one in path.parent.iterdir() if one.is_file()] == [path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_the_owner_may_read_it(path: Path, journal: JournalDb) -> None:
    journal.append(recorded())
    for file in path.parent.glob(f"{path.name}*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _garbage(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 400)


def _foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()


def _altered(statement: str, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER events_DELETE")
    connection.execute("DROP TRIGGER events_UPDATE")
    connection.execute(statement)
    triggers = (
        f"CREATE TRIGGER events_{verb} BEFORE {verb} ON events "
        "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    )
    for trigger in triggers:
        connection.execute(trigger)
    connection.commit()
    connection.close()


def _pragma(statement: str, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


BREAKAGES = {
    "empty": (_empty, "it is empty"),
    "garbage": (_garbage, "not a database"),
    "foreign": (_foreign, "not a journal of this program"),
    "version": (lambda path: _pragma("PRAGMA user_version = 2", path), "version 2"),
    "trigger": (lambda path: _pragma("DROP TRIGGER events_DELETE", path), "protection"),
    "row gone": (lambda path: _altered("DELETE FROM events WHERE seq = 2", path), "missing"),
    "row changed": (
        lambda path: _altered("UPDATE events SET body = replace(body, '\"qty', '\"qtx')", path),
        "not as it was written",
    ),
    "mark changed": (
        lambda path: _altered("UPDATE events SET mark = 'closed'", path),
        "not as it was written",
    ),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_file_with_anything_wrong_is_refused_with_a_remedy(name: str, path: Path) -> None:
    with open_journal(path, ACCOUNT) as journal:
        for event in opening(intent(1)):
            journal.append(event)
    breakage, words = BREAKAGES[name]
    breakage(path)
    before = path.read_bytes()
    for action in (open_journal, peek_journal):
        with pytest.raises(JournalError, match=words) as caught, action(path, ACCOUNT):
            pytest.fail("a broken journal was opened")
        assert "backup" in str(caught.value)
        assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_the_journal_of_another_account_is_refused(path: Path) -> None:
    open_journal(path, ACCOUNT).close()
    with pytest.raises(JournalError, match="another account"):
        open_journal(path, "DU7654321")


def test_a_lost_main_file_is_not_taken_for_a_fresh_start(path: Path) -> None:
    path.with_name(f"{path.name}-wal").write_bytes(b"left behind")
    with pytest.raises(JournalError, match="-wal"):
        open_journal(path, ACCOUNT)
    assert not path.exists()


def test_a_directory_in_its_place_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(JournalError):
        open_journal(path, ACCOUNT)


def test_a_journal_locked_by_another_program_is_refused(path: Path, journal: JournalDb) -> None:
    journal._connection.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(JournalError, match="another program"):
            journal.append(recorded())
    finally:
        other.close()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs real permissions")
def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "closed"
    directory.mkdir(mode=0o500)
    with pytest.raises(JournalError):
        open_journal(directory / f"{ACCOUNT}.sqlite3", ACCOUNT)


def test_a_failed_creation_leaves_no_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(JournalError, match="No space"):
        open_journal(path, ACCOUNT)
    assert [one for one in path.parent.iterdir() if one.is_file()] == []


def test_a_big_run_reads_back(journal: JournalDb) -> None:
    for event in whole_run():
        journal.append(event)
    assert len(journal.intents()) == len(PLAN.tickets)
