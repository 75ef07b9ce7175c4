"""What the broker's lists prove about an order in doubt, and what goes on record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from src.core.journal.events import (
    Acknowledged,
    CancelRequested,
    FillRecorded,
    OrderEnded,
    OrderNoticed,
    SeenIn,
)
from src.core.orders.state import (
    AnswerMissing,
    BrokerAnswered,
    Cancel,
    CancelWanted,
    LinkRestored,
    OrderEvent,
    Patience,
    Phase,
    QueryBroker,
    RaiseAlarm,
    StartTimer,
    TimerFired,
    TimerKind,
    WriteJournal,
)
from src.core.records.orders import TicketStatus
from tests.kits.builders import NOON_UTC, dec
from tests.kits.orders_kit import (
    ORDER_ID,
    PERM_ID,
    REF,
    RUN_ID,
    Player,
    alive,
    code,
    completed,
    ended,
    executed,
    fill,
    nothing_found,
    of_kind,
    opened,
    sent,
    status,
    still_open,
    working,
)

CANCELLED, REJECTED = TicketStatus.CANCELLED, TicketStatus.REJECTED
PARTIAL = TicketStatus.PARTIALLY_FILLED
GAP, CTRL_C, LOOK = LinkRestored(), CancelWanted(reason="Ctrl+C"), TimerFired(kind=TimerKind.PROOF)
BLIND = BrokerAnswered(working=None, completed=None, fills=())
ROUNDS = Patience().rounds


def told(*events: OrderEvent) -> Player:
    """An acknowledged order and what was said about it since."""
    player = alive()
    player.feed(*events)
    return player


def look(player: Player, answer: BrokerAnswered) -> int:
    """Look while the order asks for it; the number of looks."""
    for looks in range(10):
        if player.state.phase is not Phase.CLOSING:
            return looks
        player.feed(LOOK, answer)
    raise AssertionError("it looks for ever")


# --- proven ends ------------------------------------------------------------------------------


def end(word: str, evidence: str, *, filled: int = 0, error: str = "") -> OrderEnded:
    return OrderEnded(
        run_id=RUN_ID,
        at_utc=NOON_UTC,
        order_ref=REF,
        broker_status=word,
        filled_shares=dec(filled),
        evidence=evidence,
        error=error,
    )


@pytest.mark.parametrize(
    ("events", "answer", "expected", "recorded"),
    [
        (
            [code(201, "no")],
            nothing_found(),
            REJECTED,
            end("PreSubmitted", "rejected; not among the open orders", error="201: no"),
        ),
        (
            [status("Cancelled")],
            nothing_found(),
            CANCELLED,
            end("Cancelled", "cancelled; not among the open orders"),
        ),
        (
            [GAP],
            ended("Cancelled", 4, fill(4)),
            PARTIAL,
            end("Cancelled", "listed as completed", filled=4),
        ),
        (
            [GAP],
            ended("Cancelled", 0, text="Rejected: margin"),
            REJECTED,
            end("Cancelled", "listed as completed", error="Rejected: margin"),
        ),
        (
            [GAP],
            ended("Cancelled", 0, text="Cancelled by Trader"),
            CANCELLED,
            end("Cancelled", "listed as completed"),
        ),
        (
            [GAP],
            ended("Inactive", 0),
            REJECTED,
            end("Inactive", "listed as completed", error="Inactive, no reason given"),
        ),
        ([GAP], ended("", 0), CANCELLED, end("PreSubmitted", "listed as completed")),
        (
            [code(99999, "odd")],
            ended("Cancelled", 0, text="Rejected: margin"),
            REJECTED,
            end("Cancelled", "listed as completed", error="99999: odd"),
        ),
        (
            [code(201, "no")],
            ended("Cancelled", 0),
            REJECTED,
            end("Cancelled", "listed as completed", error="201: no"),
        ),
        ([GAP], still_open("Cancelled"), CANCELLED, end("Cancelled", "listed as Cancelled")),
        (
            [GAP],
            still_open("ApiCancelled"),
            CANCELLED,
            end("ApiCancelled", "listed as ApiCancelled"),
        ),
        (
            [code(201, "no")],
            still_open("Cancelled"),
            REJECTED,
            end("Cancelled", "listed as Cancelled", error="201: no"),
        ),
    ],
)
def test_an_end_is_recorded_with_the_brokers_word_and_what_proves_it(
    events: list[OrderEvent],
    answer: BrokerAnswered,
    expected: TicketStatus,
    recorded: OrderEnded,
) -> None:
    player = told(*events)
    assert look(player, answer) == 1
    assert player.journal[-1] == recorded
    assert player.has(expected)
    assert player.state.reason == recorded.error
    assert {(one.run_id, one.at_utc) for one in player.journal} == {(RUN_ID, NOON_UTC)}


def test_an_inactive_order_is_believed_refused_at_the_last_look_only() -> None:
    player = told(status("Inactive"))
    assert look(player, nothing_found()) == ROUNDS
    assert player.has(REJECTED)
    assert player.journal[-1] == end(
        "Inactive", "inactive; not among the open orders", error="Inactive, no reason given"
    )


def test_executions_that_a_look_brings_are_booked_and_settle_the_order() -> None:
    player = told(GAP, nothing_found(fill(10)))
    assert player.has(TicketStatus.FILLED)
    assert player.journal[-2:] == (
        FillRecorded(run_id=RUN_ID, at_utc=NOON_UTC, fill=fill(10)),
        end("PreSubmitted", "executions sum to the quantity", filled=10),
    )


# --- doubts that stay -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "answer", "why"),
    [
        (
            [executed(4), opened("Filled")],
            nothing_found(),
            "reported filled, executions sum to 4 shares only",
        ),
        (
            [executed(4), GAP],
            still_open("Filled"),
            "reported filled, executions sum to 4 shares only",
        ),
        (
            [executed(4), GAP],
            ended("Filled", 10),
            "reported filled, executions sum to 4 shares only",
        ),
        (
            [executed(4), GAP],
            ended("Filled", 4),
            "reported filled, executions sum to 4 shares only",
        ),
        ([GAP], ended("Cancelled", 4), "4 shares reported filled, executions sum to 0"),
        (
            [executed(4), status("Cancelled", 6)],
            ended("Cancelled", 4),
            "6 shares reported filled, executions sum to 4",
        ),
        (
            [executed(4), status("Cancelled", 4)],
            ended("Cancelled", 6),
            "6 shares reported filled, executions sum to 4",
        ),
        ([GAP], BLIND, "the gateway does not list orders"),
        ([GAP], nothing_found(), "no trace among open orders, completed orders and executions"),
        (
            [code(99999, "odd")],
            nothing_found(),
            (
                "no trace among open orders, completed orders and executions"
                " (the broker said 99999: odd)"
            ),
        ),
        (
            [CTRL_C, TimerFired(kind=TimerKind.CANCEL)],
            still_open("PendingCancel"),
            "cancel requested, still listed as PendingCancel",
        ),
    ],
)
def test_what_three_looks_do_not_prove_is_unresolved_and_says_why(
    events: list[OrderEvent], answer: BrokerAnswered, why: str
) -> None:
    player = told(*events)
    assert look(player, answer) == ROUNDS
    assert player.has(TicketStatus.UNRESOLVED)
    assert player.state.reason == why
    assert not [one for one in player.journal if isinstance(one, OrderEnded)]


@pytest.mark.parametrize("doubt", [GAP, status("Filled", 10), status("Inactive")])
def test_the_looks_begin_anew_with_every_new_doubt(doubt: OrderEvent) -> None:
    player = told(GAP, nothing_found(), LOOK, nothing_found(), doubt)
    assert look(player, nothing_found()) == ROUNDS


def test_an_unresolved_order_told_filled_without_executions_says_so() -> None:
    player = told(GAP)
    look(player, nothing_found())
    player.feed(status("Filled", 10))
    look(player, nothing_found())
    assert player.state.reason == "reported filled, executions sum to 0 shares only"


def test_a_status_that_is_told_before_its_executions_is_looked_into_a_moment_later() -> None:
    soon = StartTimer(kind=TimerKind.PROOF, seconds=Patience().proof_sec)
    player = alive()
    assert soon in player.feed(status("Filled", 10))
    assert player.feed(LOOK) == (QueryBroker(),)
    assert player.feed(nothing_found()) == (soon,)


def test_a_missing_answer_counts_as_a_look() -> None:
    player = told(GAP)
    for _ in range(ROUNDS - 1):
        player.feed(AnswerMissing(reason="no answer"))
        assert player.is_in(Phase.CLOSING)
    player.feed(AnswerMissing(reason="no answer"))
    assert player.state.reason == "no answer"


# --- listed as open ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "looks", "notices"),
    [
        ([code(201, "no")], ROUNDS, ("201: no",)),
        ([status("Cancelled", 4), status("PreSubmitted")], ROUNDS, ()),
        ([code(99999, "odd")], 1, ("99999: odd",)),
        ([GAP], 1, ()),
    ],
)
def test_an_order_that_stays_listed_works_on_as_if_nothing_had_been_said(
    events: list[OrderEvent], looks: int, notices: tuple[str, ...]
) -> None:
    player = told(*events)
    assert look(player, still_open("PreSubmitted")) == looks
    assert player.state == replace(alive().state, notices=notices)


def test_what_the_list_shows_of_an_order_is_acknowledged() -> None:
    player = sent()
    player.feed(GAP, still_open("Submitted"))
    assert player.is_in(Phase.WORKING)
    assert player.journal[-1] == Acknowledged(
        run_id=RUN_ID,
        at_utc=NOON_UTC,
        order_ref=REF,
        perm_id=PERM_ID,
        status="Submitted",
        seen_in=SeenIn.OPEN_ORDERS,
    )


def test_an_altered_order_in_the_list_is_an_alarm() -> None:
    player = told(GAP)
    wrong = replace(working(), account_id="DU9999999")
    commands = player.feed(BrokerAnswered(working=(wrong,), completed=(), fills=()))
    text = f"order {REF} is shown in another account"
    assert of_kind(commands, RaiseAlarm) == [RaiseAlarm(text=f"SPY: {text}")]
    assert player.journal[-1] == OrderNoticed(
        run_id=RUN_ID, at_utc=NOON_UTC, order_ref=REF, code=0, text=text
    )
    assert player.has(TicketStatus.UNRESOLVED)


def test_the_cancel_of_a_refused_order_that_is_still_parked_is_on_record() -> None:
    player = told(code(201, "no"), still_open("Inactive"))
    assert player.journal[-1] == CancelRequested(
        run_id=RUN_ID,
        at_utc=NOON_UTC,
        order_ref=REF,
        reason="refused (201: no) but still listed",
    )
    assert of_kind(player.commands, Cancel) == [Cancel(order_id=ORDER_ID)]


def test_the_cancel_the_user_wants_is_on_record() -> None:
    assert told(CTRL_C).journal[-1] == CancelRequested(
        run_id=RUN_ID, at_utc=NOON_UTC, order_ref=REF, reason="Ctrl+C"
    )


# --- which order is meant ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order_ref", "perm_id", "is_ours"),
    [(REF, PERM_ID, True), (REF, 5, True), ("", PERM_ID, True), ("theirs", 5, False)],
)
def test_a_completed_order_is_ours_by_its_ref_or_the_lasting_number(
    order_ref: str, perm_id: int, is_ours: bool
) -> None:
    over = replace(completed("Cancelled", 0), order_ref=order_ref, perm_id=perm_id)
    player = told(GAP, BrokerAnswered(working=(), completed=(over,), fills=()))
    assert player.has(CANCELLED if is_ours else None)


def test_an_order_whose_number_is_not_known_is_not_the_one_without_a_number() -> None:
    over = replace(completed("Cancelled", 0), order_ref="", perm_id=0)
    player = sent()
    player.feed(GAP, BrokerAnswered(working=(), completed=(over,), fills=()))
    assert player.is_in(Phase.CLOSING)


def test_what_the_lists_say_about_other_orders_proves_nothing_about_ours() -> None:
    answer = BrokerAnswered(
        working=(replace(working("Inactive"), order_ref="theirs", perm_id=5),),
        completed=(replace(completed("Filled", 10), order_ref="theirs", perm_id=5),),
        fills=(replace(fill(10), order_ref="theirs"),),
    )
    player = told(status("Cancelled"), answer)
    assert player.has(CANCELLED)
    assert player.state.filled_shares == dec(0)


@pytest.mark.parametrize(
    ("perm_id", "word", "expected"),
    [
        (PERM_ID, "PreSubmitted", None),
        (0, "PreSubmitted", None),
        (5, "PreSubmitted", (5, "PreSubmitted")),
        (1, "PreSubmitted", (1, "PreSubmitted")),
        (PERM_ID, "Submitted", (PERM_ID, "Submitted")),
        (0, "Submitted", (PERM_ID, "Submitted")),
    ],
)
def test_a_new_number_or_word_of_the_broker_is_recorded_and_an_old_one_is_not(
    perm_id: int, word: str, expected: tuple[int, str] | None
) -> None:
    player = alive()
    before = player.state
    commands = player.feed(replace(status(word), perm_id=perm_id))
    if expected is None:
        assert (player.state, commands) == (before, ())
        return
    assert (player.state.perm_id, player.state.broker_status) == expected
    (only,) = commands
    assert only == WriteJournal(
        event=Acknowledged(
            run_id=RUN_ID, at_utc=NOON_UTC, order_ref=REF, perm_id=expected[0], status=expected[1]
        )
    )
