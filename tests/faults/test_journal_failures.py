"""The journal cannot be written, from some commit on or just once: no order leaves unrecorded."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from src.base.errors import JournalError
from src.core.journal.events import JournalEvent
from src.io.journal.db import JournalDb
from tests.faults.market import market
from tests.faults.stage import Stage


def fail_commits(monkeypatch: pytest.MonkeyPatch, what: str, number: int, times: int) -> None:
    """Commits that hold such an event fail from the n-th on, so many times."""
    append_all, count = JournalDb.append_all, 0

    def failing(self: JournalDb, events: Iterable[JournalEvent]) -> None:
        nonlocal count
        events = tuple(events)
        if what == "any" or what in {type(event).__name__ for event in events}:
            count += 1
            if number <= count < number + times:
                raise JournalError("journal: database or disk is full")
        append_all(self, events)

    monkeypatch.setattr(JournalDb, "append_all", failing)


@pytest.mark.parametrize("what", ["PlanRecorded", "Approved", "IntentRecorded"])
def test_a_journal_that_fails_before_the_first_order_refuses_the_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    fail_commits(monkeypatch, what, 1, 10**6)
    ending = stage.open(market()).confirm()
    assert (ending.code, ending.orders) == (5, [])
    assert "disk is full" in ending.err


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_journal_that_fails_later_stops_the_sending(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    fail_commits(monkeypatch, "IntentRecorded", number, 10**6)
    ending = stage.open(market()).confirm()
    assert ending.code == 4
    assert len(ending.orders) == number - 1
    statuses = list(ending.statuses.values())
    assert statuses[: number - 1] == ["Filled"] * (number - 1)
    assert set(statuses[number - 1 :]) == {"Skipped"}
    assert "the journal is incomplete" in ending.out


@pytest.mark.parametrize("what", ["Sent", "FillRecorded", "TicketEnded", "RunClosed"])
def test_records_that_fail_once_are_written_later_or_recovered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with monkeypatch.context() as broken:
        fail_commits(broken, what, 1, 1)
        ending = stage.open(market()).confirm()
    assert ending.code == 4
    assert stage.recover().code == 0
    assert stage.open_runs() == ()


@pytest.mark.sweep
@pytest.mark.parametrize("times", [1, 2, 10**6])
def test_every_commit_fails(stage: Stage, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    for number in range(1, 25):
        with monkeypatch.context() as broken:
            fail_commits(broken, "any", number, times)
            ending = stage.open(market()).confirm()
        assert ending.code in ((0, 4) if ending.orders else (0, 5))
        stage.recover()
        assert stage.open_runs() == ()
