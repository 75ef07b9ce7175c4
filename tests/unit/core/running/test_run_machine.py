"""The run machine, step by step: every stage has its rule, and nothing waits for ever."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from src.core.orders.events import LinkSeen, LinkState
from src.core.orders.state import BrokerAnswered, CancelWanted, Place, PlaceRefused, PlaceReturned
from src.core.running.machine import LAST_RESORT, STAGES, next_step, wake_at
from src.core.running.parts import Run, Stage
from src.core.running.words import (
    Answered,
    Call,
    Claimed,
    ClaimOrderId,
    Commit,
    DeskCame,
    Placed,
    RunCommand,
    RunEvent,
    Written,
)
from tests.kits import execution_kit as kit
from tests.kits.execution_kit import at, buy, run_of, sell
from tests.kits.fakes import FakeDesk

Steps = tuple[Run, tuple[RunCommand, ...]]


def begun(*events: RunEvent) -> Steps:
    """A run of one sell and one buy that has heard this before anything else."""
    desk = FakeDesk(cash=Decimal(10_000))
    stage = kit.Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk)
    return next_step(run_of(stage), events, at(0))


def sent() -> Run:
    """The sell has left and is on record."""
    run, _ = next_step(begun()[0], [Claimed(order_id=7)], at(0))
    how = Placed(order_ref=run.orders[0].request.order_ref, how=PlaceReturned())
    return next_step(run, [Written(records=len(run.unwritten)), how], at(0))[0]


def kinds(commands: tuple[RunCommand, ...]) -> list[type[RunCommand]]:
    return [type(one) for one in commands]


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_but_the_last_has_a_rule(stage: Stage) -> None:
    assert (stage in STAGES) is (stage is not Stage.OVER)


def test_an_order_waits_for_its_id_and_leaves_after_its_record() -> None:
    run, commands = begun()
    assert ClaimOrderId in kinds(commands)
    run, commands = next_step(run, [Claimed(order_id=7)], at(0))
    left = [one for one in kinds(commands) if one in (Commit, Place)]
    assert left == [Commit, Place]
    assert run.orders[0].request.order_id == 7


def test_what_halts_the_run_while_an_id_is_claimed_stops_the_order() -> None:
    run, _ = begun()
    run, commands = next_step(run, [CancelWanted(reason="Ctrl+C"), Claimed(order_id=7)], at(0))
    assert not run.orders
    assert Place not in kinds(commands)


def test_an_order_that_is_not_on_record_was_never_meant() -> None:
    run, _ = next_step(begun()[0], [Claimed(order_id=7)], at(0))
    ref = run.orders[0].request.order_ref
    how = PlaceRefused(reason="journal not written: disk full")
    refused = Placed(order_ref=ref, how=how, is_on_record=False)
    run, commands = next_step(run, [Written(error="disk full"), refused], at(0))
    assert Place not in kinds(commands)
    assert not any("IntentRecorded" in repr(one) or "NotSent" in repr(one) for one in run.unwritten)
    assert run.halt_reason == "the journal cannot be written (disk full)"


def test_a_commit_that_failed_is_not_tried_again_at_once() -> None:
    run, commands = begun(CancelWanted(reason="Ctrl+C"))
    assert Commit in kinds(commands)
    run, commands = next_step(run, [Written(error="disk full")], at(0))
    assert Commit not in kinds(commands)
    run, commands = next_step(run, [], at(1))
    assert Commit in kinds(commands)


def test_an_order_without_any_deadline_does_not_keep_the_run_for_ever() -> None:
    """Nothing in the rules leaves an order so; a fault in them must not become an endless wait."""
    run = sent()._replace(timers={})
    assert wake_at(run) == LAST_RESORT
    run, _ = next_step(run, [], at(LAST_RESORT.total_seconds() - 1))
    assert run.open_orders
    run, _ = next_step(run, [], at(LAST_RESORT.total_seconds()))
    assert not run.open_orders


def test_a_lost_socket_is_mended_once_and_then_asked_about() -> None:
    lost = LinkSeen(state=LinkState.SOCKET_LOST)
    run, commands = next_step(sent(), [lost, lost], at(1))
    assert [one for one in commands if one is Call.RECONNECT] == [Call.RECONNECT]
    run, commands = next_step(run, [DeskCame(generation=1)], at(2))
    assert Call.ASK in commands
    assert run.halt_reason == "the connection to the gateway was lost"


def test_a_line_that_stays_away_is_given_up_in_time() -> None:
    run, _ = next_step(sent(), [LinkSeen(state=LinkState.UPSTREAM_LOST)], at(1))
    run = run._replace(timers={})
    assert wake_at(run) == timedelta(seconds=121)
    run, _ = next_step(run, [], at(121))
    assert not run.open_orders


def test_an_answer_from_before_a_gap_does_not_close_it() -> None:
    """It came in one go with the word that the line was lost and is back again."""
    lost, back = LinkSeen(state=LinkState.UPSTREAM_LOST), LinkSeen(state=LinkState.UPSTREAM_BACK)
    run, commands = begun(lost, back)
    assert Call.ASK_WITH_ACCOUNT in commands
    evidence = BrokerAnswered(working=(), completed=(), fills=())
    early = Answered(evidence=evidence, account=run.terms.before)
    run, commands = next_step(run, [lost, back, early], at(1))
    assert run.gap.is_open
    assert ClaimOrderId not in kinds(commands)
    assert Call.ASK_WITH_ACCOUNT in commands
    run, commands = next_step(run, [early], at(2))
    assert ClaimOrderId in kinds(commands)


def test_a_line_that_keeps_breaking_keeps_nothing_waiting_for_ever() -> None:
    """Each time it is back the account is to be read; it never stays long enough for that."""
    lost, back = LinkSeen(state=LinkState.UPSTREAM_LOST), LinkSeen(state=LinkState.UPSTREAM_BACK)
    run, _ = begun()
    for number in range(30):
        run, _ = next_step(run, [lost], at(10 * number))
        run, _ = next_step(run, [back], at(10 * number + 5))
    assert run.stage is Stage.OVER
    assert "kept breaking" in run.halt_reason
    assert not run.orders
