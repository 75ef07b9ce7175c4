"""Which of the broker's orders are the account's, and which of them is which of ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from src.core.journal.events import JournalEvent
from src.core.orders.state import BrokerAnswered
from src.core.records.orders import CompletedOrder, TicketStatus, WorkingOrder
from src.core.run.broker_view import BrokerView
from src.core.run.fold import fold
from src.core.run.reconcile import reconcile_run
from tests.kits.builders import ACCOUNT
from tests.kits.journal_kit import (
    completed,
    intent,
    known,
    later,
    opening,
    outcomes_of,
    perm_id,
    working,
)

UNKNOWN_NUMBER = opening(intent(1))
KNOWN_NUMBER = opening(intent(1), known(1))


def view(*rounds: BrokerAnswered) -> BrokerView:
    return BrokerView(account_id=ACCOUNT, rounds=rounds, held_shares={})


def showing(
    *, working: tuple[WorkingOrder, ...] = (), completed: tuple[CompletedOrder, ...] = ()
) -> BrokerAnswered:
    return BrokerAnswered(working=working, completed=completed, fills=())


def test_an_order_listed_without_an_account_may_be_ours_and_one_of_another_is_not() -> None:
    ours, nameless = working(1), working(2, account_id="")
    over, bare = completed(1), replace(completed(2), account_id="")
    shown = view(
        showing(
            working=(ours, nameless, working(3, account_id="DU9")),
            completed=(over, bare, replace(completed(3), account_id="DU9")),
        )
    )
    assert shown.working == (ours, nameless)
    assert [one.completed for one in shown.answers] == [(over, bare)]


def test_the_last_round_tells_what_is_open() -> None:
    shown = view(showing(working=(working(1),)), showing(working=(working(2),)))
    assert shown.working == (working(2),)
    blind = BrokerAnswered(working=None, completed=None, fills=())
    assert view(blind).working is None
    assert view(blind).answers == (blind,)


@pytest.mark.parametrize(
    ("attempt", "changes", "is_ours"),
    [
        (UNKNOWN_NUMBER, {}, True),
        (KNOWN_NUMBER, {"perm_id": 5}, True),
        (KNOWN_NUMBER, {"order_ref": ""}, True),
        (KNOWN_NUMBER, {"order_ref": "altered", "perm_id": perm_id(1)}, True),
        (KNOWN_NUMBER, {"order_ref": "", "perm_id": 5}, False),
        (KNOWN_NUMBER, {"order_ref": "", "perm_id": 0}, False),
        (UNKNOWN_NUMBER, {"order_ref": ""}, False),
        (UNKNOWN_NUMBER, {"order_ref": "", "perm_id": 0}, False),
        (KNOWN_NUMBER, {"con_id": 5}, False),
        (KNOWN_NUMBER, {"con_id": 5, "order_ref": ""}, False),
    ],
)
def test_an_order_is_ours_by_its_ref_else_by_the_lasting_number(
    attempt: list[JournalEvent], changes: dict[str, object], is_ours: bool
) -> None:
    over = replace(completed(1), **changes)  # type: ignore[arg-type]
    shown = view(showing(completed=(over,)))
    found = reconcile_run(fold(attempt), shown, later(60))
    status = outcomes_of([*attempt, *found])[0].status
    assert status is (TicketStatus.CANCELLED if is_ours else TicketStatus.UNRESOLVED)


def test_an_order_listed_twice_is_open() -> None:
    shown = view(showing(working=(working(1),), completed=(completed(1),)))
    found = reconcile_run(fold(KNOWN_NUMBER), shown, later(60))
    outcome = outcomes_of([*KNOWN_NUMBER, *found])[0]
    assert outcome.status is TicketStatus.UNRESOLVED
    assert "still works as Submitted" in outcome.error
