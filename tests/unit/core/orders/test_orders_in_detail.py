"""Orders word by word: what goes on record, what is asked, what is waited for, what is ignored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from src.core.journal.events import CancelRequested, IntentRecorded, NotSent, OrderNoticed, Sent
from src.core.orders.state import (
    AnswerMissing,
    Begin,
    BrokerAnswered,
    Cancel,
    CancelWanted,
    Claim,
    Finish,
    GaveUp,
    LinkRestored,
    OrderCommand,
    OrderEvent,
    Patience,
    Phase,
    Place,
    PlaceRefused,
    PlaceReturned,
    PlaceUncertain,
    QueryBroker,
    RaiseAlarm,
    StartTimer,
    TimerFired,
    TimerKind,
    WriteJournal,
)
from src.core.records.orders import TicketStatus
from tests.kits.builders import NOON_UTC
from tests.kits.orders_kit import (
    ORDER_ID,
    REF,
    RUN_ID,
    Player,
    alive,
    code,
    ended,
    executed,
    nothing_found,
    of_kind,
    opened,
    planned,
    sent,
    status,
    still_open,
)

TIME_LIMIT = "time limit of the order (order_timeout_sec) reached"
GAP, CTRL_C = LinkRestored(), CancelWanted(reason="Ctrl+C")
LAST_TIMER = StartTimer(kind=TimerKind.LAST, seconds=Patience().last_sec)
CANCEL_TIMER = StartTimer(kind=TimerKind.CANCEL, seconds=Patience().cancel_sec)


def told(*events: OrderEvent) -> Player:
    """An acknowledged order and what was said about it since."""
    player = alive()
    player.feed(*events)
    return player


def look(player: Player, answer: BrokerAnswered) -> None:
    """Answer every look until none is wanted."""
    for _ in range(Patience().rounds):
        player.feed(TimerFired(kind=TimerKind.PROOF), answer)


def unresolved() -> Player:
    player = told(GAP)
    look(player, nothing_found())
    assert player.has(TicketStatus.UNRESOLVED)
    return player


def on_record(number: int, text: str) -> WriteJournal:
    event = OrderNoticed(run_id=RUN_ID, at_utc=NOON_UTC, order_ref=REF, code=number, text=text)
    return WriteJournal(event=event)


def test_an_order_begins_with_its_record_its_bytes_and_two_deadlines() -> None:
    intent = IntentRecorded(
        run_id=RUN_ID, at_utc=NOON_UTC, line=1, attempt=1, request=planned().request
    )
    player = Player()
    assert player.feed(Begin()) == (
        WriteJournal(event=intent),
        Place(request=planned().request),
        StartTimer(kind=TimerKind.ANSWER, seconds=Patience().answer_sec),
        StartTimer(kind=TimerKind.ORDER, seconds=Patience().order_sec),
    )
    left = Sent(run_id=RUN_ID, at_utc=NOON_UTC, order_ref=REF)
    assert player.feed(PlaceReturned()) == (WriteJournal(event=left),)


def test_an_order_the_gate_declined_says_why_on_record_and_to_the_user() -> None:
    player = Player()
    player.feed(Begin())
    reason = "above max_order_usd"
    unsent = NotSent(run_id=RUN_ID, at_utc=NOON_UTC, order_ref=REF, reason=reason)
    assert player.feed(PlaceRefused(reason=reason)) == (
        WriteJournal(event=unsent),
        Finish(status=TicketStatus.SKIPPED, error=reason, notes=()),
        RaiseAlarm(text=f"SPY: not sent: {reason}"),
    )
    assert player.state.reason == reason


def test_an_order_whose_sending_failed_keeps_the_reason_whatever_is_found() -> None:
    uncertain = (Begin(), PlaceUncertain(reason="socket closed"))
    found = Player()
    found.feed(*uncertain, GAP, still_open())
    assert found.is_in(Phase.WORKING)
    assert found.state.notices == ("socket closed",)
    over = Player()
    over.feed(*uncertain, GAP, ended("Cancelled", 0))
    assert (over.state.status, over.state.reason) == (TicketStatus.CANCELLED, "socket closed")


def test_a_sign_of_life_ends_the_doubt_about_a_silent_order() -> None:
    player = Player()
    player.feed(Begin(), PlaceUncertain(reason="socket closed"), status("Submitted"))
    assert player.is_in(Phase.WORKING)
    assert player.state.claim is Claim.NONE


def test_an_altered_order_that_the_broker_shows_is_on_record_before_the_user_is_told() -> None:
    shown = opened()
    wrong = replace(shown, order=replace(shown.order, side="BUY"))
    text = f"order {REF} is shown as BUY SPY"
    commands = alive().feed(wrong)
    assert (commands[0], commands[-1]) == (on_record(0, text), RaiseAlarm(text=f"SPY: {text}"))


def test_the_first_status_is_the_answer_that_was_waited_for() -> None:
    player = sent()
    player.feed(status("PreSubmitted"))
    assert player.feed(TimerFired(kind=TimerKind.ANSWER)) == ()


@pytest.mark.parametrize("events", [[code(201, "no")], [GAP], [status("Cancelled")]])
def test_a_sign_of_life_does_not_settle_what_is_being_looked_into(
    events: list[OrderEvent],
) -> None:
    player = told(*events)
    player.feed(status("Submitted"), code(399, "held"))
    assert player.is_in(Phase.CLOSING)


@pytest.mark.parametrize(
    "settled",
    [
        (executed(10),),
        (status("Cancelled"), nothing_found()),
        (code(201, "no"), nothing_found()),
    ],
)
def test_words_of_the_end_do_not_reopen_a_settled_order(settled: tuple[OrderEvent, ...]) -> None:
    player = told(*settled)
    before = player.state.status
    commands = player.feed(status("Filled", 10), code(201, "late"), code(103), GAP)
    assert all(isinstance(one, WriteJournal) for one in commands)
    assert player.has(before)
    assert player.state.reason in {"", "201: no"}


@pytest.mark.parametrize("end", [status("Cancelled"), code(201, "no"), status("Inactive")])
@pytest.mark.parametrize("life", [status("Submitted"), opened("PreSubmitted")])
def test_a_settled_order_that_is_said_to_work_is_looked_for_again(
    end: OrderEvent, life: OrderEvent
) -> None:
    player = told(end)
    look(player, nothing_found())
    before, error = player.state.status, player.state.reason
    assert before is not None
    assert QueryBroker() in player.feed(life)
    look(player, nothing_found())
    if (life, end) == (status("Submitted"), code(201, "no")):
        # A refusal that is followed by a new word of life is not proven by silence (F95).
        assert player.has(TicketStatus.UNRESOLVED)
    else:
        assert (player.state.status, player.state.reason) == (before, error)
    player.feed(life)
    look(player, still_open("Submitted"))
    assert player.is_in(Phase.WORKING)


def test_a_filled_order_is_not_looked_for_again() -> None:
    assert QueryBroker() not in told(executed(10)).feed(status("Submitted"), opened())


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (status("Cancelled"), TicketStatus.CANCELLED),
        (code(201, "no"), TicketStatus.REJECTED),
        (code(202, "by the exchange"), TicketStatus.CANCELLED),
    ],
)
def test_an_unresolved_order_is_settled_when_the_broker_tells_its_end_at_last(
    event: OrderEvent, expected: TicketStatus
) -> None:
    player = unresolved()
    assert of_kind(player.feed(event), QueryBroker)
    player.feed(nothing_found())
    assert player.has(expected)


def test_an_unresolved_order_is_asked_about_again_after_a_gap() -> None:
    player = unresolved()
    assert player.feed(GAP) == (QueryBroker(),)


def test_inactive_told_twice_does_not_put_off_the_look() -> None:
    player = told(status("Inactive"))
    assert player.feed(status("Inactive")) == ()


# --- codes -----------------------------------------------------------------------------------


def test_what_the_broker_says_is_on_record_and_shown_once() -> None:
    player = alive()
    commands = player.feed(code(399, "held"), code(10349, "tif"), code(399, "held"))
    assert commands == (on_record(399, "held"), on_record(10349, "tif"), on_record(399, "held"))
    assert player.state.notices == ("399: held",)


@pytest.mark.parametrize("number", [1100, 1101, 1102, 2110])
def test_a_code_about_the_session_asks_nothing_about_the_order(number: int) -> None:
    assert alive().feed(code(number, "link")) == (on_record(number, "link"),)


@pytest.mark.parametrize(
    ("events", "expected", "error"),
    [
        ([code(202, "by the exchange")], "Cancelled", "202: by the exchange"),
        ([CTRL_C, code(202, "confirmed")], "Cancelled", "Ctrl+C"),
        ([status("Cancelled"), code(201, "margin")], "Rejected", "201: margin"),
        ([status("Cancelled"), code(202, "by the exchange")], "Cancelled", "202: by the exchange"),
        ([code(201, "first"), code(201, "second")], "Rejected", "201: first"),
        ([code(201, "margin"), code(202, "gone")], "Rejected", "201: margin"),
        ([code(201, "margin"), code(10147, "not found")], "Rejected", "201: margin"),
    ],
)
def test_the_first_reason_for_an_end_stays_and_a_refusal_outweighs_a_cancel(
    events: list[OrderEvent], expected: str, error: str
) -> None:
    player = told(*events, nothing_found())
    assert player.state.status is not None
    assert (player.state.status.value, player.state.reason) == (expected, error)


def test_a_refusal_of_an_order_reported_filled_does_not_make_it_rejected() -> None:
    player = told(status("Filled", 10), code(201, "no"))
    look(player, nothing_found())
    assert player.has(TicketStatus.UNRESOLVED)
    assert player.state.reason == (
        "reported filled, executions sum to 0 shares only (the broker said 201: no)"
    )


def test_a_question_already_asked_is_not_asked_again_for_an_ambiguous_code() -> None:
    player = told(status("Cancelled"))
    assert player.feed(code(10147, "not found")) == (on_record(10147, "not found"),)


def test_a_cancel_not_confirmed_stays_in_doubt_when_the_broker_answers_it_oddly() -> None:
    player = told(CTRL_C, TimerFired(kind=TimerKind.CANCEL), code(10148, "too late"))
    look(player, still_open("PendingCancel"))
    assert player.state.reason == (
        "cancel requested, still listed as PendingCancel (the broker said 10148: too late)"
    )


# --- deadlines and gaps ----------------------------------------------------------------------


def test_a_cancel_says_its_reason_on_record() -> None:
    for event, reason in ((TimerFired(kind=TimerKind.ORDER), TIME_LIMIT), (CTRL_C, "Ctrl+C")):
        asked = CancelRequested(run_id=RUN_ID, at_utc=NOON_UTC, order_ref=REF, reason=reason)
        commands = alive().feed(event)
        sending = (WriteJournal(event=asked), Cancel(order_id=ORDER_ID), CANCEL_TIMER)
        assert commands == (LAST_TIMER, *sending)


@pytest.mark.parametrize(
    ("player", "kind", "expected"),
    [
        (sent, TimerKind.ANSWER, (QueryBroker(),)),
        (alive, TimerKind.ANSWER, ()),
        (alive, TimerKind.PROOF, ()),
        (lambda: told(GAP), TimerKind.ANSWER, ()),
        (lambda: told(GAP), TimerKind.PROOF, (QueryBroker(),)),
        (lambda: told(executed(10)), TimerKind.ORDER, (LAST_TIMER,)),
        (unresolved, TimerKind.PROOF, ()),
    ],
)
def test_a_deadline_matters_in_its_own_phase_only(
    player: Callable[[], Player], kind: TimerKind, expected: tuple[OrderCommand, ...]
) -> None:
    assert player().feed(TimerFired(kind=kind)) == expected


def test_giving_up_is_final_at_once_and_says_why() -> None:
    for player in (alive(), told(GAP), sent()):
        player.feed(GaveUp(reason="connection lost"))
        assert player.has(TicketStatus.UNRESOLVED)
        assert player.state.reason == "connection lost"


def test_an_answer_that_is_missing_after_the_doubt_is_over_changes_nothing() -> None:
    player = alive()
    assert player.feed(AnswerMissing(reason="no answer")) == ()
    assert player.state == alive().state


def test_after_a_gap_only_a_cancel_that_was_asked_for_is_sent_again() -> None:
    assert alive().feed(GAP) == (QueryBroker(),)
    again = told(CTRL_C).feed(GAP)
    assert [type(one) for one in again] == [QueryBroker, WriteJournal, Cancel, StartTimer]
    faulty = told(CTRL_C, executed(11))
    assert faulty.feed(GAP) == ()


def test_what_the_broker_said_before_a_gap_still_holds_after_it() -> None:
    player = told(status("Cancelled"), GAP, nothing_found())
    assert player.has(TicketStatus.CANCELLED)
    refused = told(code(201, "no"), GAP, nothing_found())
    assert refused.has(TicketStatus.REJECTED)
