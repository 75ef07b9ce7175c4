"""The way to the broker breaks, is mended, is reported twice: what is sent, and what is known."""

from __future__ import annotations

from decimal import Decimal

import pytest

from src.core.journal.events import NotSent
from src.core.orders.events import LinkSeen, LinkState
from src.core.records.orders import TicketStatus
from src.core.running.machine import next_step
from src.core.running.words import DeskCame
from tests.kits.execution_kit import Stage, at, buy, run_of, sell, statuses, with_settings
from tests.kits.fakes import (
    Behaviour,
    FakeDesk,
    FakeOrder,
    drops_after,
    drops_before,
    fills,
    rejects,
    rests,
)


def desk(cash: int = 100_000) -> FakeDesk:
    return FakeDesk(cash=Decimal(cash))


# --- one loss, told twice --------------------------------------------------------------------


@pytest.mark.parametrize("drop", [drops_before, drops_after])
def test_a_loss_that_is_reported_twice_costs_one_connection(drop: Behaviour) -> None:
    """The send that broke, and the closed socket twice, tell of the same connection."""

    def drops_and_says_so_again(order: FakeOrder) -> None:
        order.desk.link(LinkState.SOCKET_LOST)
        drop(order)

    stage = Stage(tickets=(sell("AAA"), sell("BBB")), desk=desk())
    stage.behave("AAA", drops_and_says_so_again)
    stage.play()
    assert stage.desk.reconnects == 1


def test_word_of_an_earlier_connection_does_not_touch_the_new_one() -> None:
    """Late events of generation 0 about generation 1: ignored; its own are not."""
    run = run_of(Stage(tickets=(sell("AAA"),), desk=desk()))
    run, _ = next_step(run, [LinkSeen(state=LinkState.SOCKET_LOST)], at(0))
    run, _ = next_step(run, [DeskCame(generation=1)], at(1))
    seen = []
    for state, generation in (
        (LinkState.SOCKET_LOST, 0),
        (LinkState.UPSTREAM_LOST, 0),
        (LinkState.UPSTREAM_LOST, 1),
        (LinkState.UPSTREAM_BACK, 0),
    ):
        run, _ = next_step(run, [LinkSeen(state=state, generation=generation)], at(2))
        seen.append(run.link.is_usable)
    assert seen == [True, True, False, False]


# --- long outages ----------------------------------------------------------------------------


@pytest.mark.parametrize("away_sec", [33, 80, 115])
def test_a_gateway_that_restarts_for_minutes_is_waited_for(away_sec: float) -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk()).behave("AAA", drops_after)
    stage.desk.away_sec = away_sec
    result = stage.play()
    assert statuses(result) == ["Filled", "Skipped"]


def test_the_orders_time_limit_counts_while_the_connection_is_away() -> None:
    """A time limit that passed meanwhile: the cancel goes out as soon as there is a way again."""

    def loses(order: FakeOrder) -> None:
        rests(order)
        order.later(1, order.desk.break_off)

    stage = Stage(tickets=(sell("AAA"),), desk=desk()).behave("AAA", loses)
    stage.desk.away_sec = 80
    result = with_settings(stage, order_timeout_sec=Decimal(20)).play()
    assert statuses(result) == ["Cancelled"]
    cancelled_at = next(moment for moment, kind, _ in stage.desk.wire if kind == "cancel")
    assert 80 < cancelled_at < 85
    assert len(stage.desk.cancelled()) == 1


# --- what was never sent ---------------------------------------------------------------------


def test_an_order_that_met_a_lost_connection_was_not_sent() -> None:
    """The connection was gone before the message was queued: nothing to be resolved."""

    def breaks(order: FakeOrder) -> None:
        order.desk.break_off(quietly=True)

    stage = Stage(tickets=(sell("AAA"), sell("BBB"), sell("CCC")), desk=desk())
    stage.behave("AAA", breaks)
    result = stage.play()
    assert [one.status for one in result.outcomes[1:]] == [TicketStatus.SKIPPED] * 2
    assert "connection" in result.outcomes[1].error
    assert len(stage.desk.placed()) == 1
    assert [e for e in stage.journal.events if isinstance(e, NotSent)]
    assert result.alarms == ()
    assert result.was_disconnected


def test_a_first_order_that_met_a_lost_connection_leaves_nothing_sent() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk())
    stage.desk.break_off(quietly=True)
    result = stage.play()
    assert statuses(result) == ["Skipped", "Skipped"]
    assert result.orders_sent == 0
    assert result.alarms == ()


# --- a fallback whose turn comes too late ----------------------------------------------------


@pytest.mark.parametrize("late", [10, 3])
def test_a_fallback_that_has_nothing_left_to_do_is_no_order_of_0_shares(late: int) -> None:
    """The refused order fills while its fallback waits for the pace: in part, or in full."""
    whole = 10

    def refused_and_yet(order: FakeOrder) -> None:
        order.later(0.1, order.reject, 442, "bad algo")
        order.later(0.3, order.execute, late)

    stage = Stage(tickets=tuple(sell(f"S{n}") for n in range(25)), desk=desk())
    for number in range(25):
        stage.behave(f"S{number}", rejects(442, "bad algo"), fills())
    stage.behave("S0", refused_and_yet, fills())
    result = with_settings(stage, algo_preference="adaptive").play()
    assert all(request.qty_shares > 0 for request in stage.desk.placed())
    assert result.alarms == ()
    expected = "Filled" if late == whole else "PartiallyFilled"  # its end is in doubt by then
    assert statuses(result) == [expected] + ["Filled"] * 24
    assert (result.outcomes[0].error == "") == (late == whole)


def test_an_interrupt_while_a_filled_fallback_waits_says_filled() -> None:
    def refused_and_yet(order: FakeOrder) -> None:
        order.later(0.1, order.reject, 442, "bad algo")
        order.later(0.3, order.execute)
        order.later(0.301, stage.stop.set)

    stage = Stage(tickets=tuple(sell(f"S{n}") for n in range(25)), desk=desk())
    for number in range(25):
        stage.behave(f"S{number}", rejects(442, "bad algo"), fills())
    stage.behave("S0", refused_and_yet, fills())
    result = with_settings(stage, algo_preference="adaptive").play()
    assert result.outcomes[0].status is TicketStatus.FILLED
    assert not any("not sent" in note for note in result.outcomes[0].notes)
