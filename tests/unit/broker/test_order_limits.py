"""No order outlives its time limit or an interrupt, whatever was believed of it meanwhile."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from src.core.running.parts import Run
from tests.kits.execution_kit import Stage, sell, statuses, with_settings
from tests.kits.fakes import Behaviour, falsely_called_dead, fills_on, found_again, parked, rests

LIMIT_SEC = 100


def two_sells(first: Behaviour) -> Stage:
    """A second order rests until its limit, which keeps the run going."""
    stage = Stage(tickets=(sell("AAA"), sell("BBB"))).behave("AAA", first).behave("BBB", rests)
    return with_settings(stage, order_timeout_sec=Decimal(LIMIT_SEC))


def cancels_of(stage: Stage, symbol: str) -> list[float]:
    """When the order in this symbol was asked to end."""
    ids = {one.order_id for one in stage.desk.placed() if one.symbol == symbol}
    wire = stage.desk.wire
    return [round(moment, 6) for moment, kind, what in wire if kind == "cancel" and what in ids]


@pytest.mark.parametrize("after", [50, LIMIT_SEC + 5], ids=["before its limit", "after its limit"])
def test_an_order_found_again_after_unresolved_keeps_its_limit(after: float) -> None:
    stage = two_sells(found_again(after))
    stage.desk.answers_cancel = after < LIMIT_SEC
    stage.play()
    if after < LIMIT_SEC:
        assert cancels_of(stage, "AAA") == [LIMIT_SEC]
        assert {order.status for order in stage.desk.orders} == {"Cancelled"}
    else:  # believed lost at its limit: its end is asked for then, and again when it shows life
        assert cancels_of(stage, "AAA") == [LIMIT_SEC, after]


@pytest.mark.parametrize("word", ["Cancelled", "Filled"])
def test_a_limit_that_passes_while_a_word_is_checked_still_ends_the_order(word: str) -> None:
    stage = two_sells(falsely_called_dead(LIMIT_SEC - 1, word))
    result = stage.play()
    assert len(cancels_of(stage, "AAA")) == 1
    assert statuses(result) == ["Cancelled", "Cancelled"]


def test_an_order_called_dead_before_the_interrupt_is_cancelled_when_it_lives() -> None:
    stage = two_sells(falsely_called_dead(0.5))
    result = interrupted(stage, 1)
    assert len(cancels_of(stage, "AAA")) == 1
    assert statuses(result) == ["Cancelled", "Cancelled"]


def test_an_order_that_was_believed_lost_is_cancelled_by_the_interrupt() -> None:
    stage = two_sells(found_again(60))
    result = interrupted(stage, 50)
    assert cancels_of(stage, "AAA")[0] == 50
    assert result.was_interrupted


@pytest.mark.parametrize("again", [parked, fills_on])
def test_a_refused_order_that_works_again_is_cancelled_at_its_limit(again: object) -> None:
    stage = two_sells(again(20))  # type: ignore[operator]
    result = stage.play()
    assert cancels_of(stage, "AAA") == [LIMIT_SEC]
    assert statuses(result)[0] == ("Cancelled" if again is parked else "PartiallyFilled")


def test_a_refused_order_that_works_again_after_the_interrupt_is_cancelled_at_once() -> None:
    stage = two_sells(parked(20))
    stage.desk.answers_cancel = False  # the other order keeps the run going
    interrupted(stage, 10)
    assert cancels_of(stage, "AAA")[0] == 20


def test_an_order_that_works_again_after_the_last_one_is_followed_to_its_end() -> None:
    stage = Stage(tickets=(sell("AAA"),)).behave("AAA", parked(8))
    result = late_reader(with_settings(stage, order_timeout_sec=Decimal(LIMIT_SEC)))
    assert cancels_of(stage, "AAA") == [LIMIT_SEC]
    assert statuses(result) == ["Cancelled"]


def late_reader(stage: Stage) -> Run:
    """Somebody else trades, so the account is read for half a minute after the last order."""

    async def meanwhile(stage: Stage) -> None:
        await asyncio.sleep(0.05)
        stage.desk.holdings["AAA"] = 12

    return stage.play(meanwhile)


def interrupted(stage: Stage, after: float) -> Run:
    async def meanwhile(stage: Stage) -> None:
        await asyncio.sleep(after)
        stage.stop.set()

    return stage.play(meanwhile)
