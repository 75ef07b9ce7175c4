"""What a run's journal proves about its tickets when nothing was said about them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from src.core.journal.events import CancelRequested, JournalEvent, NotSent, TicketRefitted
from src.core.records.orders import TicketStatus
from src.core.records.plan import OrderOutcome
from tests.kits.journal_kit import (
    PLAN,
    RUN_ID,
    booked,
    fill,
    intent,
    later,
    noticed,
    opening,
    order_ended,
    outcomes_of,
    ref,
    sent,
    ticket_ended,
)

WHOLE = PLAN.tickets[0].qty_shares
UNPROVEN = "the fate of its order is not proven"


def not_sent(reason: str, attempt: int = 1) -> NotSent:
    return NotSent(run_id=RUN_ID, at_utc=later(2), order_ref=ref(1, attempt), reason=reason)


def cancel(reason: str) -> CancelRequested:
    return CancelRequested(run_id=RUN_ID, at_utc=later(3), order_ref=ref(1), reason=reason)


def refit(shares: Decimal) -> TicketRefitted:
    return TicketRefitted(
        run_id=RUN_ID, at_utc=later(1), line=1, qty_shares=shares, reason="too little cash"
    )


def first(*events: JournalEvent) -> OrderOutcome:
    """What became of the first ticket."""
    return outcomes_of(opening(*events))[0]


@pytest.mark.parametrize(
    ("events", "status", "error"),
    [
        ([], "Skipped", "the run ended before this was sent"),
        ([intent(1), not_sent("above max_order_usd")], "Skipped", "above max_order_usd"),
        ([intent(1), not_sent("gate"), booked(fill(1))], "Unresolved", UNPROVEN),
        ([intent(1), sent(1)], "Unresolved", UNPROVEN),
        ([intent(1), booked(fill(1))], "Filled", ""),
        ([intent(1), booked(fill(1, 1))], "Unresolved", UNPROVEN),
        ([intent(1), cancel("time limit")], "Unresolved", f"time limit; {UNPROVEN}"),
        ([intent(1), noticed(1, 201, "margin")], "Unresolved", f"201: margin; {UNPROVEN}"),
        ([intent(1), noticed(1, 399, "held")], "Unresolved", UNPROVEN),
        ([intent(1), booked(fill(1)), order_ended(1, filled=WHOLE)], "Filled", ""),
        (
            [intent(1), cancel("time"), booked(fill(1)), order_ended(1, filled=WHOLE)],
            "Filled",
            "",
        ),
        ([intent(1), order_ended(1, "Cancelled")], "Cancelled", "Cancelled, no reason given"),
        ([intent(1), cancel("time limit"), order_ended(1, "Cancelled")], "Cancelled", "time limit"),
        ([intent(1), cancel("time limit"), order_ended(1, "Inactive")], "Rejected", "201 margin"),
        (
            [intent(1), booked(fill(1, 1)), order_ended(1, "Cancelled", filled=1)],
            "PartiallyFilled",
            "Cancelled, no reason given",
        ),
        (
            [
                intent(1),
                noticed(1, 387, "no algo"),
                order_ended(1, "Cancelled"),
                intent(1, 2),
                order_ended(1, "Inactive", 2),
            ],
            "Rejected",
            "387: no algo; 201 margin",
        ),
        (
            [intent(1), booked(fill(1, WHOLE + 1)), order_ended(1, filled=WHOLE + 1)],
            "Unresolved",
            f"{WHOLE + 1} shares executed, {WHOLE} were to be traded",
        ),
    ],
)
def test_a_ticket_without_a_last_word_has_the_status_and_the_reason_its_orders_prove(
    events: list[JournalEvent], status: str, error: str
) -> None:
    outcome = first(*events)
    assert (outcome.status.value, outcome.error) == (status, error)


def test_a_smaller_quantity_is_noted_and_one_that_was_dropped_is_not() -> None:
    assert first(refit(WHOLE - 1), intent(1, qty=WHOLE - 1)).notes == (f"refitted from {WHOLE}",)
    assert first().notes == ()
    dropped = first(refit(Decimal(0)))
    assert (dropped.notes, dropped.error) == ((), "too little cash")


@pytest.mark.parametrize(
    ("filled", "possible"),
    [
        (Decimal(0), {"Cancelled", "Rejected", "Skipped", "Unresolved"}),
        (Decimal(1), {"PartiallyFilled", "Unresolved"}),
        (WHOLE - 1, {"PartiallyFilled", "Unresolved"}),
        (WHOLE, {"Filled", "Unresolved"}),
        (WHOLE + 1, {"Unresolved"}),
    ],
)
def test_a_last_word_that_the_executions_contradict_is_not_believed(
    filled: Decimal, possible: set[str]
) -> None:
    fills = [booked(fill(1, filled))] if filled else []
    for status in TicketStatus:
        outcome = first(intent(1), *fills, ticket_ended(1, status))
        proven = "Filled" if filled == WHOLE else "Unresolved"
        assert outcome.status.value == (status.value if status.value in possible else proven)


def test_a_line_cut_to_nothing_is_never_filled() -> None:
    assert first(refit(Decimal(0)), ticket_ended(1)).status is TicketStatus.SKIPPED
