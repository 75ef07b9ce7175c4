from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.core.journal.events import (
    Acknowledged,
    CancelRequested,
    CommissionRecorded,
    FillRecorded,
    IntentRecorded,
    NotSent,
    OrderEnded,
    Sent,
)
from src.core.orders.codes import CodeKind, classify
from src.core.orders.events import CommissionSeen, FillSeen, LinkSeen, LinkState, OpenOrderSeen
from src.core.orders.moves import move
from src.core.orders.state import (
    AnswerMissing,
    Begin,
    BrokerAnswered,
    Cancel,
    CancelWanted,
    Finish,
    GaveUp,
    LinkRestored,
    Phase,
    Place,
    PlaceRefused,
    PlaceReturned,
    PlaceUncertain,
    QueryBroker,
    RaiseAlarm,
    SlowDown,
    StartTimer,
    TimerFired,
    TimerKind,
    WriteJournal,
)
from src.core.records.orders import Side, TicketStatus
from tests.kits.builders import dec
from tests.kits.orders_kit import (
    ORDER_ID,
    PERM_ID,
    REF,
    Player,
    alive,
    code,
    commission,
    ended,
    executed,
    fill,
    nothing_found,
    of_kind,
    opened,
    planned,
    sent,
    status,
    still_open,
    with_commission,
    working,
)


def look(player: Player, answer: BrokerAnswered) -> None:
    """Answer until the order has a status or waits for something else than a look."""
    for _ in range(10):
        if player.state.phase is not Phase.CLOSING:
            return
        player.feed(TimerFired(kind=TimerKind.PROOF), answer)


# --- sending ---------------------------------------------------------------------------------


def test_the_intent_is_on_record_before_the_order_is_placed() -> None:
    player = Player()
    commands = player.feed(Begin())
    kinds = [type(command) for command in commands]
    assert kinds == [WriteJournal, Place, StartTimer, StartTimer]
    assert isinstance(player.journal[0], IntentRecorded)
    assert player.is_in(Phase.SENDING)


def test_an_order_begins_once() -> None:
    player = sent()
    assert player.feed(Begin(), Begin()) == ()
    assert len(of_kind(player.commands, Place)) == 1


def test_nothing_happens_to_an_order_that_was_not_begun() -> None:
    player = Player()
    assert player.feed(status("Filled", 10), executed(10), TimerFired(kind=TimerKind.ORDER)) == ()
    assert player.state == planned()


def test_a_sent_order_is_journalled_as_sent() -> None:
    assert isinstance(sent().journal[1], Sent)


def test_an_order_the_gate_declined_was_provably_not_sent_and_stops_the_batch() -> None:
    player = Player()
    player.feed(Begin())
    commands = player.feed(PlaceRefused(reason="above max_order_usd"))
    assert player.has(TicketStatus.SKIPPED)
    assert not player.state.was_sent
    assert isinstance(player.journal[-1], NotSent)
    assert of_kind(commands, RaiseAlarm)


# --- filled ----------------------------------------------------------------------------------


def test_an_order_is_filled_by_executions_that_sum_to_its_quantity() -> None:
    player = alive()
    player.feed(executed(4, "a.01"), executed(6, "b.01"))
    assert player.has(TicketStatus.FILLED)
    assert player.state.reason == ""


def test_a_status_without_executions_fills_nothing() -> None:
    player = alive()
    commands = player.feed(status("Filled", 10))
    assert player.has(None)
    assert player.is_in(Phase.CLOSING)
    assert of_kind(commands, StartTimer)
    player.feed(executed(10))
    assert player.has(TicketStatus.FILLED)


def test_a_filled_status_whose_executions_never_come_is_unresolved() -> None:
    player = alive()
    player.feed(executed(4), status("Filled", 10))
    look(player, nothing_found())
    assert player.has(TicketStatus.UNRESOLVED)
    assert "executions sum to 4" in player.state.reason


def test_an_execution_before_any_status_counts() -> None:
    player = sent()
    player.feed(executed(10))
    assert player.has(TicketStatus.FILLED)
    assert player.state.perm_id == PERM_ID
    assert any(isinstance(event, Acknowledged) for event in player.journal)


def test_the_same_execution_twice_counts_once() -> None:
    player = alive()
    player.feed(executed(4), executed(4), executed(4))
    assert player.state.filled_shares == dec(4)
    assert len([e for e in player.journal if isinstance(e, FillRecorded)]) == 1


def test_repeated_statuses_change_nothing() -> None:
    player = alive()
    assert player.feed(status("PreSubmitted"), opened("PreSubmitted")) == ()


def test_a_correction_replaces_the_execution_whichever_comes_first() -> None:
    for first, second in (("a.01", "a.02"), ("a.02", "a.01")):
        player = alive()
        quantities = {"a.01": 10, "a.02": 9}
        player.feed(executed(quantities[first], first), executed(quantities[second], second))
        assert player.state.filled_shares == dec(9)


def test_a_filled_order_whose_execution_is_busted_is_filled_no_more() -> None:
    player = alive()
    player.feed(executed(10, "a.01"))
    commands = player.feed(executed(0, "a.02"))
    assert of_kind(commands, QueryBroker)
    look(player, nothing_found())
    assert player.has(TicketStatus.UNRESOLVED)


# --- refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number", [201, 203, 110, 200, 460, 10243, 451, 10311, 321, 387, 388, 434, 435, 442]
)
def test_a_refusal_is_believed_once_nothing_contradicts_it(number: int) -> None:
    player = sent()
    commands = player.feed(code(number, "no"))
    assert of_kind(commands, QueryBroker)
    assert player.has(None)
    player.feed(nothing_found())
    assert player.has(TicketStatus.REJECTED)
    assert player.state.reason == f"{number}: no"
    assert isinstance(player.journal[-1], OrderEnded)


def test_a_refusal_is_not_believed_while_the_order_is_listed() -> None:
    player = sent()
    player.feed(code(201, "no"), still_open())
    assert player.has(None)
    look(player, still_open())
    assert player.is_in(Phase.WORKING)
    player.feed(executed(10))
    assert player.has(TicketStatus.FILLED)


def test_a_refused_order_that_filled_in_part_is_partially_filled() -> None:
    player = alive()
    player.feed(code(201, "no"), nothing_found(fill(4)))
    assert player.has(TicketStatus.PARTIALLY_FILLED)
    assert player.state.reason == "201: no"


def test_inactive_then_201_is_a_refusal_with_its_reason() -> None:
    player = alive()
    assert not of_kind(player.feed(status("Inactive")), QueryBroker)
    player.feed(code(201, "margin"), nothing_found())
    assert player.has(TicketStatus.REJECTED)
    assert player.state.reason == "201: margin"


def test_inactive_alone_is_not_terminal_until_it_is_gone_from_the_list() -> None:
    player = alive()
    player.feed(status("Inactive"), TimerFired(kind=TimerKind.PROOF), still_open("Inactive"))
    assert player.is_in(Phase.WORKING)
    again = alive()
    again.feed(status("Inactive"))
    look(again, nothing_found())
    assert again.has(TicketStatus.REJECTED)
    assert "Inactive" in again.state.reason


def test_an_inactive_order_may_revive() -> None:
    player = alive()
    player.feed(status("Inactive"), status("Submitted"))
    assert player.is_in(Phase.WORKING)


def test_a_refused_order_that_stays_parked_is_cancelled_first() -> None:
    player = alive()
    player.feed(code(201, "no"), still_open("Inactive"))
    assert of_kind(player.commands, Cancel) == [Cancel(order_id=ORDER_ID)]
    player.feed(TimerFired(kind=TimerKind.CANCEL))
    look(player, nothing_found())
    assert player.has(TicketStatus.REJECTED)


def test_a_refused_order_that_cannot_be_ended_is_unresolved() -> None:
    player = alive()
    player.feed(code(201, "no"), still_open("Inactive"), TimerFired(kind=TimerKind.CANCEL))
    look(player, still_open("Inactive"))
    assert player.has(TicketStatus.UNRESOLVED)


def test_a_read_only_gateway_refuses_orders_and_lists_alike() -> None:
    player = sent()
    player.feed(code(321, "API read-only"))
    player.feed(BrokerAnswered(working=None, completed=None, fills=()))
    assert player.has(TicketStatus.REJECTED)


def test_a_refusal_without_any_list_is_not_proven() -> None:
    player = sent()
    player.feed(code(201, "no"))
    look(player, BrokerAnswered(working=None, completed=None, fills=()))
    assert player.has(TicketStatus.UNRESOLVED)


# --- cancelled -------------------------------------------------------------------------------


def test_a_cancel_is_on_record_before_it_is_sent_and_sent_once() -> None:
    player = alive()
    commands = player.feed(CancelWanted(reason="Ctrl+C"), CancelWanted(reason="Ctrl+C"))
    assert of_kind(commands, Cancel) == [Cancel(order_id=ORDER_ID)]
    record, cancel = of_kind(commands, WriteJournal)[0], of_kind(commands, Cancel)[0]
    assert commands.index(record) < commands.index(cancel)
    assert isinstance(player.journal[-1], CancelRequested)


def test_a_cancelled_order_is_cancelled_once_the_lists_agree() -> None:
    player = alive()
    player.feed(CancelWanted(reason="Ctrl+C"), status("PendingCancel"), status("Cancelled"))
    player.feed(code(202, "Order Canceled - reason:"))
    assert player.has(None)
    player.feed(nothing_found())
    assert player.has(TicketStatus.CANCELLED)
    assert player.state.reason == "Ctrl+C"


def test_a_cancel_by_the_broker_keeps_its_reason() -> None:
    player = alive()
    player.feed(status("Cancelled"), code(202, "by the exchange"), nothing_found())
    assert player.has(TicketStatus.CANCELLED)
    assert player.state.reason == "202: by the exchange"


def test_a_fill_after_the_cancel_counts() -> None:
    player = alive()
    player.feed(CancelWanted(reason="x"), status("Cancelled"), nothing_found())
    assert player.has(TicketStatus.CANCELLED)
    commands = player.feed(executed(4))
    assert player.has(TicketStatus.PARTIALLY_FILLED)
    assert of_kind(commands, Finish)
    player.feed(executed(6, "b.01"))
    assert player.has(TicketStatus.FILLED)


@pytest.mark.parametrize("number", [161, 10147, 10148])
def test_a_cancel_that_came_too_late_is_settled_by_asking(number: int) -> None:
    player = alive()
    player.feed(CancelWanted(reason="x"))
    assert of_kind(player.feed(code(number)), QueryBroker)
    player.feed(ended("Filled", 10, fill(10)))
    assert player.has(TicketStatus.FILLED)


def test_cancelled_with_missing_executions_waits_for_them() -> None:
    player = alive()
    player.feed(status("Cancelled", 4), nothing_found())
    assert player.has(None)
    player.feed(executed(4), TimerFired(kind=TimerKind.PROOF), nothing_found())
    assert player.has(TicketStatus.PARTIALLY_FILLED)


def test_pending_cancel_forever_is_unresolved() -> None:
    player = alive()
    player.feed(CancelWanted(reason="x"), status("PendingCancel"))
    player.feed(TimerFired(kind=TimerKind.CANCEL))
    look(player, still_open("PendingCancel"))
    assert player.has(TicketStatus.UNRESOLVED)
    assert "PendingCancel" in player.state.reason


def test_the_time_limit_cancels_what_is_left() -> None:
    player = alive()
    player.feed(executed(4))
    assert of_kind(player.feed(TimerFired(kind=TimerKind.ORDER)), Cancel)
    player.feed(status("Cancelled", 4), ended("Cancelled", 4, fill(4)))
    assert player.has(TicketStatus.PARTIALLY_FILLED)
    assert "order_timeout_sec" in player.state.reason


# --- codes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [10349, 399, 404, 2161, 2109, 2137, 10167])
def test_notices_leave_the_order_alive(number: int) -> None:
    player = sent()
    assert not of_kind(player.feed(code(number, "by the way")), QueryBroker)
    assert player.is_in(Phase.WORKING)
    player.feed(TimerFired(kind=TimerKind.ANSWER))
    assert player.is_in(Phase.WORKING)
    player.feed(executed(10))
    assert player.has(TicketStatus.FILLED)


@pytest.mark.parametrize("number", [103, 99999])
def test_an_ambiguous_or_unknown_code_is_settled_by_asking(number: int) -> None:
    player = alive()
    assert of_kind(player.feed(code(number)), QueryBroker)
    player.feed(still_open())
    assert player.is_in(Phase.WORKING)
    assert player.state.reason == ""


def test_a_duplicate_id_with_no_trace_is_unresolved_and_never_sent_again() -> None:
    player = sent()
    player.feed(code(103, "Duplicate order id"))
    look(player, nothing_found())
    assert player.has(TicketStatus.UNRESOLVED)
    assert len(of_kind(player.commands, Place)) == 1
    assert "103" in player.state.reason


def test_a_rate_complaint_slows_down() -> None:
    assert of_kind(sent().feed(code(100, "Max rate")), SlowDown)


def test_the_table_of_codes() -> None:
    assert classify(1100) is CodeKind.SESSION_DOWN
    assert classify(1101) is CodeKind.SESSION_BACK_WITH_LOSS
    assert classify(1102) is CodeKind.SESSION_BACK
    assert classify(202) is CodeKind.CANCELLED
    assert classify(2150) is CodeKind.WARNING
    assert classify(424242) is CodeKind.AMBIGUOUS


# --- silence and gaps ------------------------------------------------------------------------


def test_silence_after_sending_is_asked_about_then_unresolved() -> None:
    player = sent()
    assert of_kind(player.feed(TimerFired(kind=TimerKind.ANSWER)), QueryBroker)
    look(player, nothing_found())
    assert player.has(TicketStatus.UNRESOLVED)
    assert "no trace" in player.state.reason


def test_an_unresolved_order_that_speaks_up_is_followed_again() -> None:
    player = sent()
    player.feed(TimerFired(kind=TimerKind.ANSWER))
    look(player, nothing_found())
    player.feed(status("Submitted"))
    assert player.is_in(Phase.CLOSING)
    player.feed(still_open())
    assert player.is_in(Phase.WORKING)
    player.feed(executed(10))
    assert player.has(TicketStatus.FILLED)


def test_an_order_lost_with_the_socket_is_found_by_its_reference() -> None:
    player = Player()
    player.feed(Begin(), PlaceUncertain(reason="socket closed"))
    assert player.is_in(Phase.CLOSING)
    commands = player.feed(LinkRestored())
    assert of_kind(commands, QueryBroker)
    player.feed(ended("Filled", 10, fill(10)))
    assert player.has(TicketStatus.FILLED)


def test_an_order_lost_with_the_socket_and_not_found_is_unresolved() -> None:
    player = Player()
    player.feed(Begin(), PlaceUncertain(reason="socket closed"), LinkRestored())
    look(player, nothing_found())
    assert player.has(TicketStatus.UNRESOLVED)


def test_a_cancel_asked_before_a_gap_is_asked_again_after_it() -> None:
    player = alive()
    player.feed(CancelWanted(reason="x"))
    assert of_kind(player.feed(LinkRestored()), Cancel)


def test_link_events_alone_change_no_order() -> None:
    player = alive()
    assert player.feed(LinkSeen(state=LinkState.UPSTREAM_LOST, code=1100)) == ()


def test_a_gap_says_nothing_about_a_settled_order() -> None:
    player = alive()
    player.feed(executed(10))
    assert player.feed(LinkRestored()) == ()


def test_questions_that_get_no_answer_end_unresolved() -> None:
    player = alive()
    player.feed(status("Cancelled"))
    for _ in range(3):
        player.feed(AnswerMissing(reason="no answer from the broker"))
    assert player.has(TicketStatus.UNRESOLVED)


def test_giving_up_leaves_an_open_order_unresolved_and_a_settled_one_alone() -> None:
    player = alive()
    player.feed(GaveUp(reason="connection lost"))
    assert player.has(TicketStatus.UNRESOLVED)
    filled = alive()
    filled.feed(executed(10))
    assert filled.feed(GaveUp(reason="connection lost")) == ()


# --- contradictions --------------------------------------------------------------------------


def test_an_over_fill_stops_everything() -> None:
    player = alive()
    commands = player.feed(executed(11))
    assert of_kind(commands, RaiseAlarm)
    assert player.has(TicketStatus.UNRESOLVED)
    assert "over-fill" in player.state.reason


@pytest.mark.parametrize(
    "change",
    [{"account_id": "DU9999999"}, {"side": Side.BUY}, {"con_id": 5}, {"qty_shares": dec(-1)}],
)
def test_an_execution_that_contradicts_the_order_is_not_booked(change: dict[str, object]) -> None:
    player = alive()
    wrong = replace(fill(10), **change)  # type: ignore[arg-type]
    commands = player.feed(FillSeen(fill=wrong))
    assert of_kind(commands, RaiseAlarm)
    assert player.state.filled_shares == Decimal(0)
    assert player.has(TicketStatus.UNRESOLVED)
    player.feed(executed(10))
    assert player.has(TicketStatus.UNRESOLVED)


@pytest.mark.parametrize(
    "change",
    [{"order_ref": ""}, {"account_id": "DU9999999"}, {"side": "BUY"}, {"qty_shares": dec(11)}],
)
def test_an_altered_echo_is_a_fault(change: dict[str, object]) -> None:
    player = sent()
    wrong = replace(working(), **change)  # type: ignore[arg-type]
    assert of_kind(player.feed(OpenOrderSeen(order=wrong)), RaiseAlarm)
    assert player.has(TicketStatus.UNRESOLVED)


def test_the_table_forbids_going_back() -> None:
    with pytest.raises(ValueError, match=REF):
        move(alive().state, Phase.PLANNED)


# --- commissions -----------------------------------------------------------------------------


def test_a_commission_is_attached_once() -> None:
    player = alive()
    player.feed(executed(10), commission("0001.01", "1.25"), commission("0001.01", "1.25"))
    assert player.state.fills[0].commission_usd == dec("1.25")
    assert len([e for e in player.journal if isinstance(e, CommissionRecorded)]) == 1


def test_a_commission_without_amount_or_execution_changes_nothing() -> None:
    player = alive()
    assert player.feed(commission("0001.01", 1)) == ()
    player.feed(executed(10))
    assert player.feed(CommissionSeen(exec_id="0001.01", commission_usd=None)) == ()


def test_a_commission_survives_the_execution_being_sent_again_or_corrected() -> None:
    player = alive()
    player.feed(executed(10), commission("0001.01", 1), executed(10))
    player.feed(executed(9, "0001.02"))
    assert player.state.fills[0].commission_usd == dec(1)


def test_a_repeated_execution_may_bring_the_commission() -> None:
    player = alive()
    player.feed(executed(10), FillSeen(fill=with_commission(fill(10), "0.7")))
    assert player.state.fills[0].commission_usd == dec("0.7")


def test_a_place_that_returns_after_the_fill_is_still_recorded() -> None:
    player = Player()
    player.feed(Begin(), executed(10), PlaceReturned())
    assert isinstance(player.journal[-1], Sent)
    assert player.has(TicketStatus.FILLED)
