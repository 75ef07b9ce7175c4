"""What single events add to a run, and why a journal that no run can have written is refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.base.errors import JournalError
from src.core.journal.events import (
    Acknowledged,
    CancelRequested,
    JournalEvent,
    ReportWritten,
    TicketRefitted,
)
from src.core.run.fold import fold
from tests.kits.journal_kit import (
    PLAN,
    RUN_ID,
    approved,
    booked,
    closed,
    fill,
    intent,
    known,
    later,
    opening,
    perm_id,
    recorded,
    ref,
    sent,
    ticket_ended,
)

OTHER_RUN = "20250131T170001Z"


def refit(shares: Decimal, line: int = 1) -> TicketRefitted:
    return TicketRefitted(
        run_id=RUN_ID, at_utc=later(1), line=line, qty_shares=shares, reason="cash"
    )


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([], "a run without any event"),
        ([approved()], f"run {RUN_ID}: Approved without its plan"),
        (
            opening(replace(sent(1), run_id=OTHER_RUN)),
            f"run {OTHER_RUN}: Sent without its plan",
        ),
        (
            opening(intent(1), recorded()),
            f"run {RUN_ID}: a plan was recorded after the first order",
        ),
        (
            [recorded(), recorded(run_id=OTHER_RUN)],
            f"run {OTHER_RUN}: a plan was recorded after the first order",
        ),
        (
            [recorded(), replace(approved(), plan_hash="00")],
            f"run {RUN_ID}: another plan was approved than recorded",
        ),
        ([recorded(), intent(1)], f"run {RUN_ID}: order {ref(1)} was announced without approval"),
        (
            opening(intent(1), intent(1)),
            f"run {RUN_ID}: order {ref(1)} was announced twice or misnamed",
        ),
        (
            opening(replace(intent(1), attempt=2)),
            f"run {RUN_ID}: order {ref(1)} was announced twice or misnamed",
        ),
        (opening(sent(1)), f"run {RUN_ID}: Sent for the unknown order {ref(1)}"),
        (
            opening(intent(1), replace(known(1), perm_id=1), sent(2)),
            f"run {RUN_ID}: Sent for the unknown order {ref(2)}",
        ),
        (
            opening(replace(ticket_ended(1), line=99)),
            f"run {RUN_ID}: the plan has no line 99",
        ),
        (
            opening(replace(ticket_ended(1), line=0)),
            f"run {RUN_ID}: the plan has no line 0",
        ),
        (
            opening(refit(PLAN.tickets[0].qty_shares + 1)),
            f"run {RUN_ID}: line 1 cannot have been refitted so",
        ),
        (opening(refit(Decimal(-1))), f"run {RUN_ID}: line 1 cannot have been refitted so"),
        (
            opening(intent(1), refit(Decimal(1))),
            f"run {RUN_ID}: line 1 cannot have been refitted so",
        ),
    ],
)
def test_a_journal_that_no_run_can_have_written_is_refused_with_the_reason(
    events: list[JournalEvent], why: str
) -> None:
    with pytest.raises(JournalError) as caught:
        fold(events)
    assert str(caught.value) == why


@pytest.mark.parametrize("shares", [Decimal(0), Decimal(1), PLAN.tickets[0].qty_shares])
def test_a_line_may_be_refitted_to_anything_up_to_its_quantity(shares: Decimal) -> None:
    ticket = fold(opening(refit(shares))).tickets[0]
    assert (ticket.limit_shares, ticket.skip_reason) == (shares, "" if shares else "cash")


def test_the_lasting_number_comes_from_the_first_event_that_names_it() -> None:
    nameless = replace(known(1), perm_id=0)
    other = Acknowledged(run_id=RUN_ID, at_utc=later(3), order_ref=ref(1), perm_id=5)
    for events, expected in (
        ([], 0),
        ([nameless], 0),
        ([known(1), nameless], perm_id(1)),
        ([known(1), other], 5),
        ([booked(fill(1, 1))], perm_id(1)),
        ([other, booked(fill(1, 1))], 5),
    ):
        assert fold(opening(intent(1), *events)).orders[0].perm_id == expected


@pytest.mark.parametrize(("reason", "expected"), [("time", "time"), ("", "cancel requested")])
def test_a_cancel_is_remembered_also_without_a_reason(reason: str, expected: str) -> None:
    asked = CancelRequested(run_id=RUN_ID, at_utc=later(3), order_ref=ref(1), reason=reason)
    assert fold(opening(intent(1), asked)).orders[0].cancel_reason == expected


def test_a_report_belongs_to_its_run_and_does_not_end_it() -> None:
    written = ReportWritten(run_id=RUN_ID, at_utc=later(8), file_name="rebalance_post_x.csv")
    state = fold(opening(written))
    assert (state.report, state.closed) == (written, None)
    assert fold(opening(written, closed())).report == written
