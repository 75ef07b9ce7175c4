"""A run that died is told with the same words for the end of an order as one that lived."""

from __future__ import annotations

import pytest

from src.core.journal.events import Acknowledged, JournalEvent, OrderNoticed
from src.core.orders.state import BrokerAnswered
from src.core.records.orders import CompletedOrder, TicketStatus
from src.core.run.broker_view import BrokerView
from src.core.run.fold import fold
from src.core.run.reconcile import reconcile_run
from tests.kits.builders import ACCOUNT, con_id
from tests.kits.journal_kit import PLAN, intent, later, opening, outcomes_of, ref, sent

TICKET = PLAN.tickets[0]
RUN = opening(intent(1), sent(1))[0].run_id


def said(word: str) -> Acknowledged:
    return Acknowledged(run_id=RUN, at_utc=later(5), order_ref=ref(1), perm_id=77, status=word)


def refused(code: int, text: str) -> OrderNoticed:
    return OrderNoticed(run_id=RUN, at_utc=later(6), order_ref=ref(1), code=code, text=text)


def listed(word: str) -> CompletedOrder:
    return CompletedOrder(
        account_id=ACCOUNT,
        perm_id=77,
        order_ref=ref(1),
        con_id=con_id(TICKET.symbol),
        symbol=TICKET.symbol,
        side=TICKET.side.value,
        filled_shares=TICKET.qty_shares * 0,
        status=word,
    )


@pytest.mark.parametrize(
    ("told", "completed", "status", "error"),
    [
        ((said("Inactive"),), "Cancelled", TicketStatus.REJECTED, "Inactive, no reason given"),
        ((said("Inactive"),), "Inactive", TicketStatus.REJECTED, "Inactive, no reason given"),
        ((), "Inactive", TicketStatus.REJECTED, "Inactive, no reason given"),
        ((said("Submitted"),), "Cancelled", TicketStatus.CANCELLED, "Cancelled, no reason given"),
        ((refused(201, "no"),), "Cancelled", TicketStatus.REJECTED, "201: no"),
    ],
)
def test_the_end_of_a_dead_runs_order_is_told_as_that_of_a_living_one(
    told: tuple[JournalEvent, ...], completed: str, status: TicketStatus, error: str
) -> None:
    events = opening(intent(1), sent(1), *told)
    shown = BrokerAnswered(working=(), completed=(listed(completed),), fills=())
    view = BrokerView(account_id=ACCOUNT, rounds=(shown, shown), held_shares={})
    found = reconcile_run(fold(events), view, later(60))
    outcome = outcomes_of([*events, *found])[0]
    assert (outcome.status, outcome.error) == (status, error)
