"""Journals that version 1 wrote still open, and rebuild the reports that it wrote, byte for byte.

``tests/data/version1`` holds four as SQL text, each with its report: a clean run, one that was
killed, that one after version 1 had recovered it, and one that left an order unresolved (with a
refused algo, a time limit and a refit besides).
"""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime, timezone
from pathlib import Path

import pytest

from src.core.journal.codec import event_from_text, event_to_text
from src.core.journal.events import FillRecorded, JournalEvent, PlanRecorded
from src.core.orders.state import BrokerAnswered
from src.core.records.plan import OrderOutcome, SkippedTrade
from src.core.run.broker_view import BrokerView
from src.core.run.fold import fold
from src.core.run.outcome import is_open
from src.core.run.reconcile import reconcile_run
from src.io.journal.db import open_journal
from src.io.post_report import rebuild_post_report
from tests.kits.journal_kit import outcomes_of

DATA = Path(__file__).resolve().parents[2] / "data" / "version1"
ACCOUNT = "DU1234567"
LATER = datetime(2026, 11, 27, 23, 50, tzinfo=timezone.utc)
IS_OPEN = {"clean": False, "killed": True, "recovered": False, "unresolved": True}


def events_of(name: str, directory: Path) -> tuple[JournalEvent, ...]:
    """The events of the only run with orders of a journal that version 1 wrote."""
    path = directory / f"{name}.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / f"{name}.sql").read_text(encoding="utf-8"))
    with open_journal(path, ACCOUNT) as journal:
        (run,) = journal.latest_runs(5)
        return journal.events(run.run_id)


@pytest.mark.parametrize("name", IS_OPEN)
def test_a_journal_of_version_1_opens_and_rebuilds_the_same_bytes(
    name: str, tmp_path: Path
) -> None:
    state = fold(events_of(name, tmp_path))
    assert is_open(state) == IS_OPEN[name]
    report = rebuild_post_report(state, tmp_path)
    assert report.read_bytes() == (DATA / f"{name}.csv").read_bytes()


def test_a_killed_run_of_version_1_is_recovered_to_the_same_end(tmp_path: Path) -> None:
    killed = events_of("killed", tmp_path)
    by_version_1 = events_of("recovered", tmp_path)
    fills = [one.fill for one in by_version_1 if isinstance(one, FillRecorded)]
    shown = BrokerAnswered(working=(), completed=(), fills=tuple(fills))
    view = BrokerView(account_id=ACCOUNT, rounds=(shown,), held_shares={})
    found = reconcile_run(fold(killed), view, LATER)
    assert what(outcomes_of([*killed, *found])) == what(outcomes_of(by_version_1))


def what(outcomes: tuple[OrderOutcome, ...]) -> list[tuple[str, str, str, set[str]]]:
    return [
        (one.ticket.symbol, one.status.value, one.error, {fill.exec_id for fill in one.fills})
        for one in outcomes
    ]


def test_a_skipped_trade_of_version_1_has_no_code_and_opens(tmp_path: Path) -> None:
    (recorded,) = (one for one in events_of("clean", tmp_path) if isinstance(one, PlanRecorded))
    text = event_to_text(recorded)
    skipped = '"skipped":[{"reason":"too small","symbol":"EEE"}]'
    event = event_from_text(text.replace('"skipped":[]', skipped))
    assert isinstance(event, PlanRecorded)
    assert event.plan.skipped == (SkippedTrade(symbol="EEE", reason="too small"),)
