"""Which of our orders a piece of evidence is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from src.core.orders.events import BrokerEvent, FillSeen, LinkSeen, LinkState, OpenOrderSeen
from src.core.orders.matching import owner_of, stranger
from src.core.orders.state import OrderState
from tests.kits.builders import ACCOUNT, NOON_UTC
from tests.kits.orders_kit import (
    CLIENT_ID,
    ORDER_ID,
    PERM_ID,
    alive,
    code,
    commission,
    executed,
    fill,
    sent,
    status,
    working,
)

OTHER = 5


def numbered() -> OrderState:
    """An order whose lasting number is known, with one execution."""
    player = alive()
    player.feed(executed(4, "a.01"))
    return player.state


NUMBERED, UNNUMBERED = numbered(), sent().state


@pytest.mark.parametrize(
    ("order", "order_id", "client_id", "perm_id", "is_ours"),
    [
        (NUMBERED, ORDER_ID, CLIENT_ID, PERM_ID, True),
        (NUMBERED, ORDER_ID, CLIENT_ID, 0, True),
        (UNNUMBERED, ORDER_ID, CLIENT_ID, OTHER, True),
        (UNNUMBERED, ORDER_ID, CLIENT_ID, 0, True),
        (NUMBERED, ORDER_ID, CLIENT_ID, OTHER, False),
        (NUMBERED, ORDER_ID, CLIENT_ID, 1, False),
        (NUMBERED, ORDER_ID, OTHER, PERM_ID, False),
        (NUMBERED, OTHER, CLIENT_ID, PERM_ID, False),
        (UNNUMBERED, ORDER_ID, OTHER, 0, False),
    ],
)
def test_without_a_ref_the_ids_must_agree_and_the_lasting_number_where_both_know_it(
    order: OrderState, order_id: int, client_id: int, perm_id: int, is_ours: bool
) -> None:
    told = replace(status("Submitted"), order_id=order_id, client_id=client_id, perm_id=perm_id)
    listed = replace(
        working(), order_ref="", order_id=order_id, client_id=client_id, perm_id=perm_id
    )
    expected = order if is_ours else None
    assert owner_of(told, [order]) is expected
    assert owner_of(OpenOrderSeen(order=listed), [order]) is expected


@pytest.mark.parametrize(
    ("event", "is_ours"),
    [
        (FillSeen(fill=replace(fill(4), order_id=OTHER, client_id=OTHER)), True),
        (FillSeen(fill=replace(fill(4), order_ref="theirs")), False),
        (OpenOrderSeen(order=replace(working(), order_id=OTHER, client_id=OTHER)), True),
        (code(201), True),
        (replace(code(201), order_id=OTHER), False),
        (commission("a.01", 1), True),
        (commission("a.02", 1), True),
        (commission("b.01", 1), False),
        (LinkSeen(state=LinkState.SOCKET_LOST), False),
    ],
)
def test_an_event_belongs_to_the_order_it_names(event: BrokerEvent, is_ours: bool) -> None:
    assert owner_of(event, [NUMBERED]) is (NUMBERED if is_ours else None)


# --- executions of nobody ---------------------------------------------------------------------

UNEXPLAINED = replace(fill(4, "a.01"), order_ref="IBR-lost")


def test_an_unexplained_execution_under_our_client_id_is_named() -> None:
    assert stranger(UNEXPLAINED, ACCOUNT, CLIENT_ID, NOON_UTC) == (
        "execution a.01 of 4 SPY carries our client id and the unknown order reference 'IBR-lost'"
    )
    assert stranger(UNEXPLAINED, "DU9", CLIENT_ID, NOON_UTC) == (
        "execution a.01 of 4 SPY in another account carries our client id "
        "and the unknown order reference 'IBR-lost'"
    )


def test_executions_of_other_clients_and_of_before_the_run_are_not_our_affair() -> None:
    assert stranger(UNEXPLAINED, ACCOUNT, OTHER, NOON_UTC) == ""
    assert stranger(UNEXPLAINED, ACCOUNT, CLIENT_ID, NOON_UTC + timedelta(seconds=1)) == ""
    in_doubt = replace(UNEXPLAINED, at_utc=None)
    assert stranger(in_doubt, ACCOUNT, CLIENT_ID, NOON_UTC) == ""
