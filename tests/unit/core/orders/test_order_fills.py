"""Executions of one order: repeats, corrections and commissions in any order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from src.core.journal.events import (
    Acknowledged,
    CommissionRecorded,
    FillRecorded,
    OrderEnded,
    OrderNoticed,
)
from src.core.orders.events import CommissionSeen, FillSeen
from src.core.orders.state import RaiseAlarm, WriteJournal
from src.core.records.orders import Fill, Side, TicketStatus
from tests.kits.builders import NOON_UTC, con_id, dec
from tests.kits.orders_kit import (
    PERM_ID,
    REF,
    RUN_ID,
    alive,
    commission,
    executed,
    fill,
    nothing_found,
    sent,
    status,
    with_commission,
)


@pytest.mark.parametrize(
    ("first", "second", "filled"),
    [
        ("a.b.01", "a.b.02", 5),
        ("a.b.02", "a.b.01", 3),
        ("a.b.01", "a.b.01", 3),
        ("a.b.09", "a.b.10", 5),
        ("a", "a.1", 5),
        ("a.1", "a", 3),
        ("a.x", "a.x", 3),
        ("a.01", "b.01", 8),
    ],
)
def test_an_execution_counts_in_its_newest_version(first: str, second: str, filled: int) -> None:
    player = alive()
    player.feed(executed(3, first), executed(5, second))
    assert player.state.filled_shares == dec(filled)


def test_a_correction_that_brings_its_commission_corrects_the_shares_too() -> None:
    player = alive()
    corrected = with_commission(fill(5, "a.02"), "0.7")
    player.feed(executed(3, "a.01"), FillSeen(fill=corrected))
    assert player.state.fills == (corrected,)


def test_an_older_version_with_another_commission_changes_nothing() -> None:
    player = alive()
    newest = with_commission(fill(5, "a.02"), "0.7")
    player.feed(FillSeen(fill=newest))
    assert player.feed(FillSeen(fill=with_commission(fill(3, "a.01"), "0.2"))) == ()
    assert player.state.fills == (newest,)


def acknowledged(word: str) -> WriteJournal:
    event = Acknowledged(
        run_id=RUN_ID, at_utc=NOON_UTC, order_ref=REF, perm_id=PERM_ID, status=word
    )
    return WriteJournal(event=event)


def on_record(one: Fill) -> WriteJournal:
    return WriteJournal(event=FillRecorded(run_id=RUN_ID, at_utc=NOON_UTC, fill=one))


def test_an_execution_and_its_commission_are_on_record_with_the_time_they_came() -> None:
    player = alive()
    assert player.feed(executed(4, "a.01")) == (on_record(fill(4, "a.01")),)
    charged = CommissionRecorded(
        run_id=RUN_ID, at_utc=NOON_UTC, exec_id="a.01", commission_usd=dec("0.35")
    )
    assert player.feed(commission("a.01", "0.35")) == (WriteJournal(event=charged),)


@pytest.mark.parametrize("told", [commission("a.01", "0.35"), None], ids=["alone", "with the fill"])
def test_a_commission_is_on_record_however_it_comes(told: CommissionSeen | None) -> None:
    player = alive()
    player.feed(executed(4, "a.01"))
    player.feed(told or FillSeen(fill=with_commission(fill(4, "a.01"), "0.35")))
    assert player.journal[-1] == CommissionRecorded(
        run_id=RUN_ID, at_utc=NOON_UTC, exec_id="a.01", commission_usd=dec("0.35")
    )


def test_an_execution_that_names_the_lasting_number_first_has_it_recorded_first() -> None:
    player = sent()
    assert player.feed(executed(4)) == (acknowledged(""), on_record(fill(4)))
    numberless = sent()
    numberless.feed(replace(status("PreSubmitted"), perm_id=0))
    assert numberless.feed(executed(4)) == (acknowledged("PreSubmitted"), on_record(fill(4)))
    nothing_new = sent()
    assert nothing_new.feed(FillSeen(fill=replace(fill(4), perm_id=0)))[1:] == ()


def test_executions_after_the_end_are_a_new_end_on_record() -> None:
    player = alive()
    player.feed(status("Cancelled"), nothing_found(), executed(4))
    assert player.has(TicketStatus.PARTIALLY_FILLED)
    assert player.journal[-1] == OrderEnded(
        run_id=RUN_ID,
        at_utc=NOON_UTC,
        order_ref=REF,
        broker_status="Cancelled",
        filled_shares=dec(4),
        evidence="executions after the end",
        error="",
    )


def test_missing_executions_that_come_at_last_settle_a_cancelled_order() -> None:
    player = alive()
    player.feed(status("Cancelled", 4))
    for _ in range(3):
        player.feed(nothing_found())
    assert player.has(TicketStatus.UNRESOLVED)
    player.feed(executed(1, "a.01"), executed(3, "b.01"), nothing_found())
    assert player.has(TicketStatus.PARTIALLY_FILLED)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"side": Side.BUY}, "execution 0001.01 has side BUY, ordered was SELL"),
        ({"con_id": 5}, f"execution 0001.01 has contract 5, ordered was {con_id('SPY')}"),
        (
            {"account_id": "DU9"},
            "execution 0001.01 was booked to another account than ordered",
        ),
        ({"qty_shares": dec(-1)}, "execution 0001.01 has the quantity -1"),
        ({"qty_shares": dec(11)}, f"over-fill: 11 shares executed, 10 ordered ({REF})"),
    ],
)
def test_an_execution_that_cannot_be_is_named_on_record_and_to_the_user(
    told: dict[str, object], why: str
) -> None:
    player = alive()
    wrong = replace(fill(10), **told)  # type: ignore[arg-type]
    commands = player.feed(FillSeen(fill=wrong))
    assert commands[-1] == RaiseAlarm(text=f"SPY: {why}")
    assert player.journal[-1] == OrderNoticed(
        run_id=RUN_ID, at_utc=NOON_UTC, order_ref=REF, code=0, text=why
    )
    assert player.state.reason == why


def test_nothing_is_wrong_with_an_execution_that_was_taken_back_to_no_shares() -> None:
    player = alive()
    player.feed(executed(4, "a.01"), executed(0, "a.02"))
    assert player.state.filled_shares == dec(0)
    assert player.state.faults == ()
