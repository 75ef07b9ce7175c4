"""What may be cancelled by ``--recover --cancel``, and who may say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from src.base.errors import Refused
from src.base.settings import IbkrSettings, Settings
from src.core.permission.cancel_permit import cancellable, grant_cancels
from src.core.records.orders import WorkingOrder
from src.core.run.fold import fold
from tests.kits.builders import ACCOUNT, dec
from tests.kits.journal_kit import CLIENT_ID, RUN_ID, intent, opening, sent, working

RUN = fold(opening(intent(1), sent(1)))


def settings(account_id: str = ACCOUNT, **ibkr: bool) -> Settings:
    chosen = IbkrSettings(account_id=account_id, **{"read_only": False, **ibkr})  # type: ignore[arg-type]
    return Settings(ibkr=chosen, models={"M": dec(1)})


@pytest.mark.parametrize(
    ("changes", "is_theirs"),
    [
        ({}, True),
        ({"order_ref": "IBR-20200101T000000Z-1-1"}, False),
        ({"order_ref": ""}, False),
        ({"order_id": 99}, False),
        ({"client_id": 0}, False),
        ({"con_id": 5}, False),
    ],
)
def test_an_order_is_meant_by_its_reference_and_all_its_ids(
    changes: dict[str, object], is_theirs: bool
) -> None:
    listed = replace(working(1), **changes)  # type: ignore[arg-type]
    found = cancellable([RUN], {RUN_ID: (listed,)})
    assert found == ((listed,) if is_theirs else ())
    assert cancellable([RUN], {RUN_ID: None}) == ()


def test_there_is_one_permit_for_each_client_that_placed_orders() -> None:
    other = replace(working(1), client_id=7, order_id=3)
    first, second = grant_cancels("y", [working(1), other], settings())
    assert (first.client_id, set(first.order_ids)) == (7, {3})
    assert (second.client_id, set(second.order_ids)) == (CLIENT_ID, {working(1).order_id})


@pytest.mark.parametrize("answer", ["n", "", None, "yes please"])
def test_without_a_yes_there_is_no_permit(answer: str | None) -> None:
    assert grant_cancels(answer, [working(1)], settings()) == ()


def test_an_order_of_another_account_is_in_no_permit() -> None:
    foreign: WorkingOrder = working(1, account_id="DU9")
    assert grant_cancels("y", [foreign], settings()) == ()


def test_read_only_and_a_live_account_without_leave_are_refused() -> None:
    with pytest.raises(Refused, match="read-only"):
        grant_cancels("y", [working(1)], settings(read_only=True))
    with pytest.raises(Refused, match="allow_live"):
        grant_cancels("y", [working(1)], settings("U1234567"))
    live = settings("U1234567", allow_live=True)
    assert grant_cancels("y", [working(1, account_id="U1234567")], live) == ()
    (permit,) = grant_cancels("u1234567", [working(1, account_id="U1234567")], live)
    assert permit.account_id == "U1234567"
