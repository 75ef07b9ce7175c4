"""Journal events as text, order refs, and what a run's events fold into."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from src.base.errors import ExitCode, JournalError
from src.core.journal.codec import event_from_text, event_to_text, once_key, run_mark
from src.core.journal.events import (
    CancelRequested,
    Declined,
    JournalEvent,
    NotSent,
    ReportWritten,
    RunAccepted,
    TicketRefitted,
)
from src.core.orders.ref import (
    has_prefix,
    is_run_id,
    make_order_ref,
    make_run_id,
    order_prefix,
    parse_order_ref,
)
from src.core.records.orders import TicketStatus
from src.core.run.fold import fold
from src.core.run.outcome import is_open, run_exit_code
from tests.kits.builders import NOON_UTC
from tests.kits.journal_kit import (
    PLAN,
    RUN_ID,
    approved,
    booked,
    charged,
    closed,
    fill,
    filled_line,
    intent,
    known,
    later,
    noticed,
    opening,
    order_ended,
    outcomes_of,
    recorded,
    ref,
    sent,
    ticket_ended,
    whole_run,
)

EXTRA: list[JournalEvent] = [
    Declined(run_id=RUN_ID, at_utc=NOON_UTC, reason="answered no"),
    TicketRefitted(run_id=RUN_ID, at_utc=NOON_UTC, line=3, qty_shares=Decimal("1.50"), reason="x"),
    NotSent(run_id=RUN_ID, at_utc=NOON_UTC, order_ref=ref(1), reason="gate \u2028\x00"),
    CancelRequested(run_id=RUN_ID, at_utc=NOON_UTC, order_ref=ref(1), reason="time"),
    ReportWritten(run_id=RUN_ID, at_utc=NOON_UTC, file_name="rebalance_post_x.csv"),
    RunAccepted(run_id=RUN_ID, at_utc=NOON_UTC),
    noticed(1, 201, "rejected: \u00e9 \U0001f600 \udc80"),
]


@pytest.mark.parametrize("event", [*whole_run(), *EXTRA], ids=lambda one: type(one).__name__)
def test_every_event_survives_its_text(event: JournalEvent) -> None:
    text = event_to_text(event)
    again = event_from_text(text)
    assert again == event
    assert event_to_text(again) == text
    assert text.isascii()
    assert "\n" not in text


def test_decimals_keep_their_digits_and_times_their_zone() -> None:
    event = event_from_text(event_to_text(EXTRA[1]))
    assert isinstance(event, TicketRefitted)
    assert str(event.qty_shares) == "1.50"
    assert event.at_utc.utcoffset() == NOON_UTC.utcoffset()


def test_the_text_of_an_event_is_short_plain_and_always_the_same() -> None:
    assert event_to_text(sent(1)) == (
        '{"event":{"at_utc":"2025-01-31T17:00:02+00:00",'
        '"order_ref":"IBR-20250131T170000Z-1-1","run_id":"20250131T170000Z"},'
        '"kind":"Sent","schema":1}'
    )


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"schema":1', '"schema":2', r"^journal event has schema 2, need 1$"),
        ('"run_id"', '"runid"', r"cannot be read: .*fields of Sent differ: \['run_id', 'runid'\]"),
        ('"20250131T170000Z"', "7", r"cannot be read: .*expected str, got 7"),
        ('"Sent"', '"Gone"', r"cannot be read: KeyError\('Gone'\)"),
    ],
)
def test_a_line_that_cannot_be_read_says_what_is_wrong_with_it(
    old: str, new: str, why: str
) -> None:
    with pytest.raises(JournalError, match=why):
        event_from_text(event_to_text(sent(1)).replace(old, new))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"kind":"Sent"}',
        '{"kind":"Sent","schema":1,"event":{}}',
        '{"kind":"Sent","schema":1,"event":{"run_id":1,"at_utc":"x","order_ref":"y"}}',
        '{"kind":"Nonsense","schema":1,"event":{}}',
        '{"kind":"__import__","schema":1,"event":{}}',
        event_to_text(sent(1)).replace('"schema":1', '"schema":2'),
        event_to_text(sent(1)).replace('"run_id"', '"runid"'),
        event_to_text(sent(1))[:-1],
    ],
)
def test_text_that_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(JournalError):
        event_from_text(text)


def test_an_unknown_status_is_refused() -> None:
    body = json.loads(event_to_text(ticket_ended(1)))
    body["event"]["status"] = "Probably"
    with pytest.raises(JournalError):
        event_from_text(json.dumps(body))


def test_only_an_intent_may_occur_once_and_only_its_ref_is_the_key() -> None:
    keys = {once_key(event) for event in whole_run()}
    assert keys == {None, *(ref(line) for line in range(1, len(PLAN.tickets) + 1))}


def test_marks_name_the_end_and_the_doubt() -> None:
    assert run_mark(closed()) == "closed"
    assert run_mark(ticket_ended(1, TicketStatus.UNRESOLVED)) == "doubt"
    assert run_mark(ticket_ended(1)) == ""
    marks = {type(one).__name__: run_mark(one) for one in EXTRA if run_mark(one) != ""}
    assert marks == {"Declined": "declined", "ReportWritten": "reported", "RunAccepted": "closed"}
    assert {run_mark(one) for one in whole_run()[:-1]} == {""}


# --- refs -----------------------------------------------------------------------------------


def test_an_order_ref_names_prefix_run_line_and_attempt() -> None:
    text = make_order_ref("IBR", RUN_ID, 3, 2)
    assert text == "IBR-20250131T170000Z-3-2"
    parts = parse_order_ref(text)
    assert parts is not None
    assert (parts.prefix, parts.run_id, parts.line, parts.attempt) == ("IBR", RUN_ID, 3, 2)


def test_the_longest_ref_fits_forty_characters() -> None:
    run_id = make_run_id(NOON_UTC, "abcdefg8")
    assert len(make_order_ref(order_prefix(is_simulated=True), run_id, 9999, 99)) <= 40


@pytest.mark.parametrize(
    "text", ["", "IBR", "IBR-x-1-1", "IBR-20250131T170000Z-0-1", "ABC-20250131T170000Z-1-1", "IBR-"]
)
def test_other_text_is_no_ref_of_ours(text: str) -> None:
    assert parse_order_ref(text) is None


def test_simulated_and_real_refs_do_not_share_a_prefix() -> None:
    assert order_prefix(is_simulated=False) == "IBR"
    assert order_prefix(is_simulated=True) == "IBRSIM"
    assert not has_prefix("IBRSIM-20250131T170000Z-1-1", "IBR")
    assert has_prefix("IBR-altered", "IBR")


@pytest.mark.parametrize("suffix", ["A", "-", "123456789", "\u0663"])
def test_a_run_id_takes_only_a_short_plain_suffix(suffix: str) -> None:
    with pytest.raises(ValueError, match="suffix"):
        make_run_id(NOON_UTC, suffix)


def test_a_run_id_is_the_utc_second() -> None:
    assert make_run_id(NOON_UTC) == RUN_ID
    new_york = NOON_UTC.astimezone(timezone(timedelta(hours=-5)))
    assert make_run_id(new_york) == RUN_ID
    assert is_run_id(RUN_ID + "r2")
    with pytest.raises(ValueError, match="aware"):
        make_run_id(datetime(2025, 1, 31))  # noqa: DTZ001 - the mistake under test


@pytest.mark.parametrize("bad", [("ABC", 1, 1), ("IBR", 0, 1), ("IBR", 1, 100)])
def test_a_ref_with_a_part_that_does_not_fit_is_refused(bad: tuple[str, int, int]) -> None:
    prefix, line, attempt = bad
    with pytest.raises(ValueError, match="order ref"):
        make_order_ref(prefix, RUN_ID, line, attempt)


# --- fold -----------------------------------------------------------------------------------


def test_a_whole_run_folds_into_filled_tickets() -> None:
    outcomes = outcomes_of(whole_run())
    assert [one.status for one in outcomes] == [TicketStatus.FILLED] * len(PLAN.tickets)
    assert [one.ticket for one in outcomes] == list(PLAN.tickets)
    first = outcomes[0]
    assert sum(one.qty_shares for one in first.fills) == PLAN.tickets[0].qty_shares
    assert [one.commission_usd for one in first.fills] == [Decimal("0.35"), Decimal("0.36")]
    assert first.notes == ("algo adaptive",)
    state = fold(whole_run())
    assert not is_open(state)
    assert run_exit_code(state) is ExitCode.OK


def test_a_run_cut_after_an_intent_is_in_doubt() -> None:
    events = opening(intent(1))
    state = fold(events)
    assert state.has_orders
    assert is_open(state)
    statuses = [one.status for one in outcomes_of(events)]
    assert statuses == [TicketStatus.UNRESOLVED, *[TicketStatus.SKIPPED] * (len(PLAN.tickets) - 1)]
    assert run_exit_code(state) is ExitCode.UNFILLED


def test_a_run_without_orders_is_open_until_declined_or_closed() -> None:
    assert is_open(fold([recorded()]))
    assert is_open(fold([recorded(), approved()]))
    assert not is_open(fold([recorded(), EXTRA[0]]))
    assert not is_open(fold([recorded(), approved(), closed()]))
    assert run_exit_code(fold([recorded(), approved()])) is ExitCode.OK


def test_only_not_sent_proves_that_nothing_left() -> None:
    events = opening(
        intent(1), NotSent(run_id=RUN_ID, at_utc=later(2), order_ref=ref(1), reason="g")
    )
    state = fold(events)
    assert not state.has_orders
    outcome = outcomes_of(events)[0]
    assert (outcome.status, outcome.error) == (TicketStatus.SKIPPED, "g")


def test_a_closed_run_with_a_ticket_in_doubt_stays_open_until_accepted() -> None:
    events = opening(intent(1), sent(1), ticket_ended(1, TicketStatus.UNRESOLVED, "?"), closed(4))
    assert is_open(fold(events))
    assert not is_open(fold([*events, EXTRA[5]]))


def test_a_late_ticket_end_replaces_the_doubt() -> None:
    whole = PLAN.tickets[0].qty_shares
    events = opening(
        intent(1),
        ticket_ended(1, TicketStatus.UNRESOLVED, "?"),
        booked(fill(1)),
        order_ended(1, filled=whole),
        ticket_ended(1),
        closed(4),
    )
    assert not is_open(fold(events))
    assert outcomes_of(events)[0].status is TicketStatus.FILLED


def test_executions_overrule_a_ticket_end_they_contradict() -> None:
    events = opening(
        intent(1),
        booked(fill(1, 1)),
        order_ended(1, "Cancelled", filled=1),
        ticket_ended(1, TicketStatus.CANCELLED),
    )
    assert outcomes_of(events)[0].status is TicketStatus.PARTIALLY_FILLED
    claimed = opening(intent(1), booked(fill(1, 1)), ticket_ended(1))
    assert outcomes_of(claimed)[0].status is TicketStatus.UNRESOLVED


def test_more_than_ordered_is_never_called_filled() -> None:
    whole = PLAN.tickets[0].qty_shares
    events = opening(intent(1), booked(fill(1, whole + 1)), order_ended(1), ticket_ended(1))
    outcome = outcomes_of(events)[0]
    assert outcome.status is TicketStatus.UNRESOLVED
    assert "were to be traded" in outcome.error


def test_a_correction_replaces_and_a_repeat_counts_once() -> None:
    first = fill(1, 10, exec_id="a.b.01", commission="1")
    fixed = fill(1, 8, exec_id="a.b.02")
    state = fold(opening(intent(1), booked(first), booked(first), booked(fixed), booked(first)))
    (only,) = state.orders[0].fills
    assert (only.exec_id, only.qty_shares) == ("a.b.02", Decimal(8))


def test_a_commission_belongs_to_the_execution_and_none_changes_nothing() -> None:
    state = fold(
        opening(
            intent(1),
            booked(fill(1, 1, exec_id="a.01")),
            charged("a.01", "0.5"),
            charged("a.01", None),
            charged("unknown.01", "9"),
        )
    )
    assert [one.commission_usd for one in state.orders[0].fills] == [Decimal("0.5")]


def test_a_fill_without_our_ref_is_matched_by_the_lasting_number_or_a_stranger() -> None:
    nameless = replace(fill(1), order_ref="")
    assert fold(opening(intent(1), known(1), booked(nameless))).orders[0].fills == (nameless,)
    assert fold(opening(intent(1), booked(nameless))).strangers == (nameless,)


def test_a_refit_lowers_what_is_filled_in_full() -> None:
    third = PLAN.tickets[2].qty_shares
    cut = TicketRefitted(
        run_id=RUN_ID, at_utc=later(1), line=3, qty_shares=third - 5, reason="cash"
    )
    events = opening(
        cut,
        intent(3, qty=third - 5),
        booked(fill(3, third - 5)),
        order_ended(3, filled=third - 5),
    )
    outcome = outcomes_of(events)[2]
    assert outcome.status is TicketStatus.FILLED
    assert outcome.notes == (f"refitted from {third}", "algo adaptive")
    none = replace(cut, qty_shares=Decimal(0))
    skipped = outcomes_of(opening(none))[2]
    assert (skipped.status, skipped.error) == (TicketStatus.SKIPPED, "cash")


def test_refused_and_cancelled_orders_are_told_apart() -> None:
    refused = outcomes_of(
        opening(intent(1), noticed(1, 201, "margin"), order_ended(1, "Inactive"))
    )[0]
    assert (refused.status, refused.error) == (TicketStatus.REJECTED, "201 margin")
    cancelled = outcomes_of(opening(intent(1), order_ended(1, "Cancelled")))[0]
    assert cancelled.status is TicketStatus.CANCELLED


def test_a_plan_made_anew_before_the_first_order_replaces_the_old_one() -> None:
    fresh = replace(PLAN, plan_hash="ff" * 32)
    state = fold([recorded(), approved(), recorded(fresh)])
    assert state.approved is None
    assert state.plan.plan.plan_hash == "ff" * 32


@pytest.mark.parametrize(
    "events",
    [
        [],
        [approved()],
        [recorded(), intent(1)],
        [recorded(), replace(approved(), plan_hash="00")],
        opening(sent(1)),
        opening(intent(1), intent(1)),
        opening(replace(intent(1), line=2)),
        opening(replace(intent(1), attempt=2)),
        opening(intent(1), recorded()),
        opening(replace(ticket_ended(1), line=99)),
        opening(replace(sent(1), run_id="20250131T170001Z")),
        opening(TicketRefitted(run_id=RUN_ID, at_utc=later(1), line=1, qty_shares=Decimal(10**6))),
    ],
    ids=range(12),
)
def test_what_no_run_could_have_written_is_refused(events: list[JournalEvent]) -> None:
    with pytest.raises(JournalError):
        fold(events)


@pytest.mark.parametrize("length", range(1, len(whole_run()) + 1))
def test_every_prefix_of_a_run_can_be_read(length: int) -> None:
    events = whole_run()[:length]
    state = fold(events)
    outcomes = outcomes_of(events)
    assert len(outcomes) == len(PLAN.tickets)
    announced = {one.request.order_ref for one in state.orders}
    proven = {one.request.order_ref for one in state.orders if one.status is not None}
    assert is_open(state) == (length < len(whole_run()))
    doubted = [one for one in outcomes if one.status is TicketStatus.UNRESOLVED]
    assert len(doubted) == len(announced - proven)


def test_filled_line_is_the_kit_s_own_promise() -> None:
    assert fold(opening(*filled_line(1))).tickets[0].filled_shares == PLAN.tickets[0].qty_shares


def test_an_intent_of_an_older_journal_has_no_quote_and_a_new_one_keeps_it() -> None:
    quoted = replace(intent(1), quote_usd=Decimal("101.25"))
    assert event_from_text(event_to_text(quoted)) == quoted
    older = event_to_text(intent(1)).replace('"quote_usd":null,', "")
    assert "quote_usd" not in older
    assert event_from_text(older) == intent(1)
