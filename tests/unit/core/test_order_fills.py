"""Executions of one order: repeats, corrections and commissions in any order."""

from __future__ import annotations

import pytest

from src.core.journal import CommissionRecorded, FillRecorded
from src.core.order_events import FillSeen
from tests.builders import NOON_UTC, dec
from tests.orders_kit import RUN_ID, alive, commission, executed, fill, with_commission


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


def test_an_execution_and_its_commission_are_on_record_with_the_time_they_came() -> None:
    player = alive()
    player.feed(executed(4, "a.01"), commission("a.01", "0.35"))
    assert player.journal[-2:] == (
        FillRecorded(run_id=RUN_ID, at_utc=NOON_UTC, fill=fill(4, "a.01")),
        CommissionRecorded(
            run_id=RUN_ID, at_utc=NOON_UTC, exec_id="a.01", commission_usd=dec("0.35")
        ),
    )
