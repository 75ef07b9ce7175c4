"""What the broker's lists prove about a run that was cut short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from src.core.journal.events import (
    Acknowledged,
    CommissionRecorded,
    FillRecorded,
    JournalEvent,
    NotSent,
    OrderEnded,
    SeenIn,
    TicketEnded,
)
from src.core.orders.state import BrokerAnswered, Patience
from src.core.records.orders import CompletedOrder, Fill, Side, TicketStatus, WorkingOrder
from src.core.records.plan import OrderOutcome
from src.core.run.broker_view import BrokerView, find_strangers
from src.core.run.fold import fold
from src.core.run.reconcile import reconcile_run
from tests.kits.builders import ACCOUNT
from tests.kits.journal_kit import (
    PLAN,
    RUN_ID,
    approved,
    booked,
    charged,
    completed,
    fill,
    filled_line,
    intent,
    known,
    later,
    noticed,
    opening,
    order_ended,
    outcomes_of,
    perm_id,
    recorded,
    ref,
    sent,
    ticket_ended,
    whole_run,
    working,
)

WHOLE = PLAN.tickets[0].qty_shares
SENT = opening(intent(1), sent(1))
NOTHING = BrokerAnswered(working=(), completed=(), fills=())


def answer(
    *,
    open_orders: Sequence[WorkingOrder] | None = (),
    ended: Sequence[CompletedOrder] | None = (),
    fills: Sequence[Fill] = (),
) -> BrokerAnswered:
    return BrokerAnswered(
        working=None if open_orders is None else tuple(open_orders),
        completed=None if ended is None else tuple(ended),
        fills=tuple(fills),
    )


def view(*rounds: BrokerAnswered, held: Mapping[int, Decimal] | None = None) -> BrokerView:
    return BrokerView(account_id=ACCOUNT, rounds=rounds, held_shares=held or {})


def as_often_as_asked(rounds: Sequence[BrokerAnswered]) -> list[BrokerAnswered]:
    """The last answer is repeated until a start asks no more."""
    return [*rounds, *[rounds[-1]] * (Patience().rounds - len(rounds))]


def settle(
    events: list[JournalEvent], *rounds: BrokerAnswered
) -> tuple[list[JournalEvent], OrderOutcome]:
    """The findings, and what they make of the first ticket."""
    shown = view(*as_often_as_asked(rounds or (NOTHING,)))
    found = list(reconcile_run(fold(events), shown, later(60)))
    assert reconcile_run(fold(events + found), shown, later(90)) == (), "must add nothing again"
    assert {(one.run_id, one.at_utc) for one in found} <= {(RUN_ID, later(60))}
    return found, outcomes_of(events + found)[0]


def kinds(found: Sequence[JournalEvent], line: int = 1) -> list[type]:
    """The kinds of findings, leaving out the ends of the other tickets."""
    return [type(one) for one in found if not (isinstance(one, TicketEnded) and one.line != line)]


def test_executions_that_sum_to_the_quantity_prove_filled() -> None:
    fills = [fill(1, 20, exec_id="a.01"), fill(1, WHOLE - 20, exec_id="b.01", commission="1")]
    found, outcome = settle(SENT, NOTHING, answer(fills=fills))
    assert kinds(found) == [Acknowledged, FillRecorded, FillRecorded, OrderEnded, TicketEnded]
    assert outcome.status is TicketStatus.FILLED
    assert outcome.fills == tuple(fills)
    assert outcome.notes == ("algo adaptive", "settled by a later start")


def test_an_execution_seen_in_either_round_counts_once() -> None:
    fills = [fill(1)]
    found, outcome = settle(SENT, answer(fills=fills), answer(fills=fills))
    assert kinds(found).count(FillRecorded) == 1
    assert outcome.status is TicketStatus.FILLED


def test_what_the_journal_holds_is_not_recorded_again() -> None:
    events = opening(intent(1), booked(fill(1, exec_id="a.01")))
    found, outcome = settle(events, NOTHING, answer(fills=[fill(1, exec_id="a.01")]))
    assert kinds(found) == [TicketEnded]
    assert outcome.status is TicketStatus.FILLED


def test_a_commission_that_was_missing_is_added() -> None:
    events = opening(intent(1), booked(fill(1, exec_id="a.01")))
    late = fill(1, exec_id="a.01", commission="0.35")
    found, outcome = settle(events, NOTHING, answer(fills=[late]))
    assert CommissionRecorded in kinds(found)
    assert outcome.fills[0].commission_usd == Decimal("0.35")


def test_a_known_commission_is_not_lost_to_a_repeat_without_one() -> None:
    one = fill(1, exec_id="a.01")
    events = opening(intent(1), booked(one), charged("a.01", "0.35"))
    _, outcome = settle(events, NOTHING, answer(fills=[one]))
    assert outcome.fills[0].commission_usd == Decimal("0.35")


def test_a_correction_replaces_what_was_recorded_and_an_older_version_does_not() -> None:
    events = opening(intent(1), booked(fill(1, WHOLE - 1, exec_id="a.02")))
    found, outcome = settle(events, NOTHING, answer(fills=[fill(1, WHOLE, exec_id="a.03")]))
    assert outcome.status is TicketStatus.FILLED
    assert kinds(found)[0] is FillRecorded
    found, outcome = settle(events, NOTHING, answer(fills=[fill(1, WHOLE, exec_id="a.01")]))
    assert outcome.status is TicketStatus.UNRESOLVED
    assert FillRecorded not in kinds(found)


@pytest.mark.parametrize("status", ["Cancelled", "ApiCancelled"])
def test_a_completed_order_whose_total_agrees_proves_the_end(status: str) -> None:
    found, outcome = settle(SENT, NOTHING, answer(ended=[completed(1, status)]))
    assert kinds(found) == [Acknowledged, OrderEnded, TicketEnded]
    assert outcome.status is TicketStatus.CANCELLED
    some = fill(1, 20)
    found, outcome = settle(SENT, NOTHING, answer(ended=[completed(1, status, 20)], fills=[some]))
    assert outcome.status is TicketStatus.PARTIALLY_FILLED


def test_a_completed_order_in_the_first_round_is_enough() -> None:
    _, outcome = settle(SENT, answer(ended=[completed(1)]), answer(ended=None))
    assert outcome.status is TicketStatus.CANCELLED


@pytest.mark.parametrize(
    "ended",
    [completed(1, "Filled", WHOLE), completed(1, "Cancelled", 20), completed(1, "Filled", 0)],
    ids=["filled without executions", "part without executions", "filled nothing"],
)
def test_a_total_that_executions_do_not_confirm_proves_nothing(ended: CompletedOrder) -> None:
    found, outcome = settle(SENT, NOTHING, answer(ended=[ended]))
    assert outcome.status is TicketStatus.UNRESOLVED
    assert "executions sum to 0" in outcome.error
    assert OrderEnded not in kinds(found)


def test_a_rejection_shown_as_cancelled_is_told_by_its_words() -> None:
    ended = completed(1, "Cancelled", word="Rejected: no trading permission")
    _, outcome = settle(SENT, NOTHING, answer(ended=[ended]))
    assert outcome.status is TicketStatus.REJECTED
    assert outcome.error == "Rejected: no trading permission"


def test_a_rejection_on_record_tells_why_a_completed_order_was_cancelled() -> None:
    events = opening(intent(1), noticed(1, 201, "margin"))
    _, outcome = settle(events, NOTHING, answer(ended=[completed(1)]))
    assert (outcome.status, outcome.error) == (TicketStatus.REJECTED, "201: margin")


def test_a_refusal_on_record_holds_when_nothing_contradicts_it() -> None:
    events = opening(intent(1), noticed(1, 201, "margin"))
    _, outcome = settle(events)
    assert (outcome.status, outcome.error) == (TicketStatus.REJECTED, "201: margin")
    _, alive = settle(events, NOTHING, answer(open_orders=[working(1)]))
    assert alive.status is TicketStatus.UNRESOLVED
    _, blind = settle(events, answer(open_orders=None))
    assert blind.status is TicketStatus.UNRESOLVED


def test_a_notice_is_no_refusal() -> None:
    _, outcome = settle(opening(intent(1), noticed(1, 399, "held"), noticed(1, 10349, "tif")))
    assert outcome.status is TicketStatus.UNRESOLVED


def test_an_order_still_open_is_unresolved_and_says_so() -> None:
    found, outcome = settle(SENT, NOTHING, answer(open_orders=[working(1)]))
    assert kinds(found) == [Acknowledged, TicketEnded]
    assert outcome.status is TicketStatus.UNRESOLVED
    assert f"{ref(1)} still works as Submitted" in outcome.error


def test_an_order_listed_open_as_cancelled_has_ended() -> None:
    _, outcome = settle(SENT, NOTHING, answer(open_orders=[working(1, "Cancelled")]))
    assert outcome.status is TicketStatus.CANCELLED


def test_an_order_gone_from_the_second_round_is_not_called_open() -> None:
    _, outcome = settle(SENT, answer(open_orders=[working(1)]), NOTHING)
    assert outcome.status is TicketStatus.UNRESOLVED
    assert "the fate of its order is not proven" in outcome.error


@pytest.mark.parametrize("events", [opening(intent(1)), SENT, opening(intent(1), known(1))])
def test_silence_is_never_proof(events: list[JournalEvent]) -> None:
    found, outcome = settle(events)
    assert kinds(found) == [TicketEnded]
    assert outcome.status is TicketStatus.UNRESOLVED


def test_the_next_day_the_position_is_only_a_hint() -> None:
    shares = {PLAN.tickets[0].con_id: Decimal(50)}
    found = reconcile_run(fold(SENT), view(NOTHING, NOTHING, held=shares), later(86_400))
    outcome = outcomes_of([*SENT, *found])[0]
    assert outcome.status is TicketStatus.UNRESOLVED
    assert "AAA held before the run 100, now 50 (a hint, no proof)" in outcome.error


def test_a_read_only_gateway_proves_what_executions_prove() -> None:
    blind = answer(open_orders=None, ended=None)
    _, outcome = settle(SENT, blind, blind)
    assert outcome.status is TicketStatus.UNRESOLVED
    assert "the gateway does not list orders" in outcome.error
    _, outcome = settle(SENT, blind, answer(open_orders=None, ended=None, fills=[fill(1)]))
    assert outcome.status is TicketStatus.FILLED


def test_an_order_without_our_ref_is_found_by_the_lasting_number() -> None:
    events = opening(intent(1), known(1))
    nameless = replace(completed(1), order_ref="")
    _, outcome = settle(events, NOTHING, answer(ended=[nameless]))
    assert outcome.status is TicketStatus.CANCELLED
    _, unknown = settle(SENT, NOTHING, answer(ended=[nameless]))
    assert unknown.status is TicketStatus.UNRESOLVED


def test_a_fill_without_our_ref_is_found_by_the_lasting_number() -> None:
    nameless = replace(fill(1), order_ref="")
    _, outcome = settle(opening(intent(1), known(1)), NOTHING, answer(fills=[nameless]))
    assert outcome.status is TicketStatus.FILLED


def test_another_contract_under_our_ref_is_not_our_order() -> None:
    ended = replace(completed(1), con_id=5)
    _, outcome = settle(SENT, NOTHING, answer(ended=[ended]))
    assert outcome.status is TicketStatus.UNRESOLVED


@pytest.mark.parametrize("wrong", [{"con_id": 5}, {"side": Side.BUY}])
def test_an_execution_that_cannot_be_ours_leaves_the_ticket_unresolved(
    wrong: dict[str, object],
) -> None:
    odd = replace(fill(1), **wrong)  # type: ignore[arg-type]
    _, outcome = settle(SENT, NOTHING, answer(fills=[odd]))
    assert outcome.status is TicketStatus.UNRESOLVED
    assert "ordered was" in outcome.error


def test_lines_of_other_accounts_prove_nothing() -> None:
    _, outcome = settle(
        SENT,
        NOTHING,
        answer(
            ended=[replace(completed(1), account_id="DU9")],
            fills=[replace(fill(1), account_id="DU9")],
        ),
    )
    assert outcome.status is TicketStatus.UNRESOLVED


def test_more_executed_than_ordered_is_unresolved() -> None:
    _, outcome = settle(SENT, NOTHING, answer(fills=[fill(1, WHOLE + 1)]))
    assert outcome.status is TicketStatus.UNRESOLVED
    assert "were to be traded" in outcome.error


def test_tickets_that_were_never_sent_are_skipped_and_settled_ones_left_alone() -> None:
    events = opening(*filled_line(1))
    found, outcome = settle(events)
    assert outcome.status is TicketStatus.FILLED
    ends = [one for one in found if isinstance(one, TicketEnded)]
    assert [one.line for one in ends] == list(range(2, len(PLAN.tickets) + 1))
    assert {one.status for one in ends} == {TicketStatus.SKIPPED}


def test_a_doubt_of_the_run_itself_is_settled_by_later_proof() -> None:
    doubt = ticket_ended(1, TicketStatus.UNRESOLVED, "no answer")
    _, outcome = settle([*SENT, doubt], NOTHING, answer(fills=[fill(1)]))
    assert outcome.status is TicketStatus.FILLED
    assert outcome.notes == ("algo adaptive", "settled by a later start")


def test_a_late_execution_corrects_a_settled_ticket() -> None:
    events = opening(
        intent(1), known(1), order_ended(1, "Cancelled"), ticket_ended(1, TicketStatus.CANCELLED)
    )
    _, outcome = settle(events, NOTHING, answer(fills=[fill(1, 5)]))
    assert outcome.status is TicketStatus.PARTIALLY_FILLED


def test_two_attempts_are_settled_together() -> None:
    events = opening(
        intent(1),
        booked(fill(1, 10)),
        noticed(1, 387, "algo not supported"),
        order_ended(1, "Inactive", filled=10),
        intent(1, 2, qty=WHOLE - 10),
    )
    _, outcome = settle(events, NOTHING, answer(fills=[fill(1, WHOLE - 10, attempt=2)]))
    assert outcome.status is TicketStatus.FILLED
    _, doubted = settle(events)
    assert doubted.status is TicketStatus.UNRESOLVED


@pytest.mark.parametrize("length", range(2, len(whole_run())))
def test_a_run_cut_anywhere_is_settled_by_what_the_broker_then_shows(length: int) -> None:
    """Whatever was announced has filled at the broker meanwhile: all of it is accounted for."""
    events = whole_run()[:length]
    every = [one.fill for one in whole_run() if isinstance(one, FillRecorded)]
    announced = {one.request.order_ref for one in fold(events).orders}
    fills = [one for one in every if one.order_ref in announced]
    found = reconcile_run(fold(events), view(NOTHING, answer(fills=fills)), later(60))
    outcomes = outcomes_of([*events, *found])
    for outcome, line in zip(outcomes, range(1, 99), strict=False):
        is_out = ref(line) in announced
        assert outcome.status is (TicketStatus.FILLED if is_out else TicketStatus.SKIPPED)
    booked_ids = {one.exec_id for outcome in outcomes for one in outcome.fills}
    assert booked_ids == {one.exec_id for one in fills}


@pytest.mark.parametrize(("hours", "expected"), [(1, "Cancelled"), (13, "Unresolved")])
def test_on_a_later_day_silence_proves_no_cancel_without_a_total(hours: int, expected: str) -> None:
    """Executions from before it may have been listed once, and are not any more."""
    events = opening(intent(1), noticed(1, 202, "Order Canceled"))
    found = reconcile_run(fold(events), view(*as_often_as_asked([NOTHING])), later(hours * 3600))
    assert outcomes_of([*events, *found])[0].status.value == expected
    said = Acknowledged(
        run_id=RUN_ID,
        at_utc=later(5),
        order_ref=ref(1),
        perm_id=1,
        status="Cancelled",
        filled_shares=Decimal(0),
    )
    events = [*events, said]
    found = reconcile_run(fold(events), view(*as_often_as_asked([NOTHING])), later(hours * 3600))
    assert outcomes_of([*events, *found])[0].status is TicketStatus.CANCELLED


# --- what is written down ----------------------------------------------------------------------

PROVEN_BY_FILLS = "executions sum to the quantity"


def end(word: str, evidence: str, *, filled: Decimal | int = 0, error: str = "") -> OrderEnded:
    return OrderEnded(
        run_id=RUN_ID,
        at_utc=later(60),
        order_ref=ref(1),
        broker_status=word,
        filled_shares=Decimal(filled),
        evidence=evidence,
        error=error,
    )


@pytest.mark.parametrize(
    ("events", "shown", "expected", "recorded_end"),
    [
        (SENT, answer(fills=[fill(1)]), "Filled", end("", PROVEN_BY_FILLS, filled=WHOLE)),
        (
            SENT,
            answer(open_orders=[working(1)], fills=[fill(1)]),
            "Filled",
            end("", PROVEN_BY_FILLS, filled=WHOLE),
        ),
        (
            SENT,
            answer(open_orders=[working(1, "ApiCancelled")], fills=[fill(1, 20)]),
            "PartiallyFilled",
            end("ApiCancelled", "listed as ApiCancelled", filled=20),
        ),
        (
            SENT,
            answer(ended=[completed(1, word="Cancelled by Trader")]),
            "Cancelled",
            end("Cancelled", "listed as completed"),
        ),
        (
            SENT,
            answer(ended=[completed(1, "Inactive")]),
            "Rejected",
            end("Inactive", "listed as completed", error="Inactive, no reason given"),
        ),
        (
            SENT,
            answer(ended=[completed(1, word="Rejected: margin")]),
            "Rejected",
            end("Cancelled", "listed as completed", error="Rejected: margin"),
        ),
        (
            opening(intent(1), noticed(1, 201, "margin")),
            NOTHING,
            "Rejected",
            end("", "rejected; not among the open orders", error="201: margin"),
        ),
    ],
)
def test_an_end_is_recorded_with_the_brokers_word_and_what_proves_it(
    events: list[JournalEvent], shown: BrokerAnswered, expected: str, recorded_end: OrderEnded
) -> None:
    found, outcome = settle(events, NOTHING, shown)
    assert [one for one in found if isinstance(one, OrderEnded)] == [recorded_end]
    why = recorded_end.error or f"{recorded_end.broker_status}, no reason given"
    assert (outcome.status.value, outcome.error) == (expected, "" if expected == "Filled" else why)


@pytest.mark.parametrize("shown", [working(1), working(1, order_ref="")])
def test_an_order_found_under_a_number_that_is_known_or_missing_is_not_acknowledged_again(
    shown: WorkingOrder,
) -> None:
    events = opening(intent(1), known(1))
    for perm in (shown.perm_id, 0):
        found, _ = settle(events, NOTHING, answer(open_orders=[replace(shown, perm_id=perm)]))
        assert Acknowledged not in kinds(found)


def test_a_number_that_was_not_known_is_recorded_with_the_brokers_word() -> None:
    found, _ = settle(SENT, NOTHING, answer(open_orders=[working(1)]))
    assert found[0] == Acknowledged(
        run_id=RUN_ID,
        at_utc=later(60),
        order_ref=ref(1),
        perm_id=perm_id(1),
        status="Submitted",
        seen_in=SeenIn.OPEN_ORDERS,
    )


def test_executions_of_others_do_not_hide_ours_behind_them() -> None:
    theirs = replace(fill(1, exec_id="t.01"), order_ref="theirs", perm_id=5)
    found, outcome = settle(SENT, NOTHING, answer(fills=[theirs, fill(1)]))
    assert kinds(found)[:2] == [Acknowledged, FillRecorded]
    assert outcome.fills == (fill(1),)


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (
            answer(open_orders=[working(1)], fills=[fill(1, 20)]),
            f"{ref(1)} still works as Submitted (20 shares executed)",
        ),
        (
            answer(ended=[completed(1, "Filled", 30)], fills=[fill(1, 20)]),
            "reported filled, executions sum to 20 shares only",
        ),
        (
            answer(fills=[fill(1, 20)]),
            "no trace among open orders, completed orders and executions",
        ),
        (answer(open_orders=None), "the gateway does not list orders"),
    ],
)
def test_a_doubt_says_what_is_known_of_the_order_and_of_the_position(
    shown: BrokerAnswered, why: str
) -> None:
    _, outcome = settle(SENT, NOTHING, shown)
    assert outcome.status is TicketStatus.UNRESOLVED
    order, position = outcome.error.split("; AAA ")
    assert order == why
    assert position == "held before the run 100, now 0 (a hint, no proof)"
    assert outcome.notes == ("algo adaptive",)


def test_a_symbol_the_plan_did_not_value_counts_as_not_held_before() -> None:
    bare = replace(PLAN, before=replace(PLAN.before, holdings={}))
    _, outcome = settle([recorded(bare), approved(bare), intent(1), sent(1)])
    assert "AAA held before the run 0, now 0" in outcome.error


def test_a_ticket_that_was_never_sent_says_so() -> None:
    _, outcome = settle(opening())
    assert outcome.status is TicketStatus.SKIPPED
    assert outcome.error == "the run ended before this was sent"
    assert outcome.notes == ("settled by a later start",)


def test_a_filled_ticket_shows_no_error_of_an_attempt_before() -> None:
    events = opening(
        intent(1),
        noticed(1, 387, "algo not supported"),
        order_ended(1, "Inactive"),
        intent(1, 2),
    )
    _, outcome = settle(events, NOTHING, answer(fills=[fill(1, attempt=2)]))
    assert (outcome.status, outcome.error) == (TicketStatus.FILLED, "")


def test_an_execution_of_an_order_that_was_provably_not_sent_is_a_doubt() -> None:
    unsent = NotSent(run_id=RUN_ID, at_utc=later(2), order_ref=ref(1), reason="above the limit")
    _, outcome = settle(opening(intent(1), unsent), NOTHING, answer(fills=[fill(1)]))
    assert outcome.status is TicketStatus.UNRESOLVED
    assert outcome.error.startswith("the fate of its order is not proven; ")


def test_all_shares_executed_with_an_attempt_in_doubt_is_unresolved_and_says_which() -> None:
    events = opening(intent(1), booked(fill(1, 10)), intent(1, 2, qty=WHOLE - 10))
    rest = fill(1, WHOLE - 10, attempt=2)
    _, outcome = settle(events, NOTHING, answer(fills=[rest]))
    assert outcome.status is TicketStatus.UNRESOLVED
    assert outcome.error.startswith("no trace among open orders")


def test_an_execution_that_does_not_fit_undoes_a_settled_ticket() -> None:
    """Also where its shares would make up the quantity."""
    events = opening(
        intent(1), known(1), order_ended(1, "Cancelled"), ticket_ended(1, TicketStatus.CANCELLED)
    )
    odd = replace(fill(1, exec_id="o.01"), side=Side.BUY)
    found, outcome = settle(events, NOTHING, answer(fills=[odd]))
    assert outcome.status is TicketStatus.UNRESOLVED
    assert outcome.error == "execution o.01 has side BUY, ordered was SELL"
    assert OrderEnded not in kinds(found)


def test_a_ticket_settled_twice_by_later_starts_says_so_once() -> None:
    found, first = settle(SENT, NOTHING, answer(ended=[completed(1)]))
    assert first.notes == ("algo adaptive", "settled by a later start")
    _, again = settle([*SENT, *found], NOTHING, answer(fills=[fill(1, 5)]))
    assert again.status is TicketStatus.PARTIALLY_FILLED
    assert again.notes == ("algo adaptive", "settled by a later start")


# --- what carries our mark and is not ours ----------------------------------------------------


def test_executions_with_our_prefix_outside_the_journal_are_strangers() -> None:
    shown = view(answer(open_orders=[working(1), working(2)], fills=[fill(1), fill(3)]))
    assert find_strangers(shown, "IBR", frozenset({ref(1)})) == (fill(3),)
    assert find_strangers(shown, "IBRSIM", frozenset()) == ()


def test_what_others_do_is_no_stranger() -> None:
    shown = view(
        answer(
            open_orders=[working(1, order_ref="theirs"), working(2, account_id="DU9")],
            fills=[replace(fill(3), order_ref="")],
        )
    )
    assert find_strangers(shown, "IBR", frozenset()) == ()
    assert perm_id(1) == working(1).perm_id
