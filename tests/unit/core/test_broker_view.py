"""Which of the broker's orders are the account's, and which of them is which of ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from src.core.broker_view import BrokerView
from src.core.journal_fold import fold
from src.core.order_state import BrokerAnswered
from src.core.records import CompletedOrder, WorkingOrder
from src.core.run_state import Attempt
from tests.builders import ACCOUNT
from tests.journal_kit import completed, intent, known, opening, perm_id, working

UNKNOWN_NUMBER = fold(opening(intent(1))).attempts[0]
KNOWN_NUMBER = fold(opening(intent(1), known(1))).attempts[0]


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
    assert shown.completed == (over, bare)


def test_the_last_round_tells_what_is_open_and_its_word_on_what_ended_comes_first() -> None:
    shown = view(
        showing(working=(working(1),), completed=(completed(1, "Inactive"),)),
        showing(working=(working(2),), completed=(completed(1, "Cancelled"),)),
    )
    assert shown.working == (working(2),)
    found = shown.completed_order(UNKNOWN_NUMBER)
    assert found is not None
    assert found.status == "Cancelled"


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
    attempt: Attempt, changes: dict[str, object], is_ours: bool
) -> None:
    listed = replace(working(1), **changes)  # type: ignore[arg-type]
    over = replace(completed(1), **changes)  # type: ignore[arg-type]
    assert view(showing(working=(listed,))).open_order(attempt) == (listed if is_ours else None)
    assert view(showing(completed=(over,))).completed_order(attempt) == (over if is_ours else None)


def test_an_order_listed_twice_is_shown_as_open() -> None:
    shown = view(showing(working=(working(1),), completed=(completed(1),)))
    assert shown.shown(UNKNOWN_NUMBER) == working(1)
    assert view(showing(completed=(completed(1),))).shown(UNKNOWN_NUMBER) == completed(1)
    assert view(showing()).shown(UNKNOWN_NUMBER) is None
