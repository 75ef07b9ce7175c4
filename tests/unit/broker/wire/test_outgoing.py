"""I7: the allow-list of outgoing messages, over every message id there could be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.base.errors import Refused
from src.broker.wire.outgoing import check_outgoing

READS = {1, 2, 6, 7, 9, 16, 49, 59, 61, 62, 63, 64, 71, 74, 75, 76, 77, 81, 99}
ORDERS = {3, 4}
OURS, OTHER = "DU1111567", "DU2222567"


def order_of(account: str, message_id: int = 3) -> str:
    """A message whose account stands where that of a placeOrder does."""
    return "\x00".join((str(message_id), *["x"] * 22, account, "", "0", "ref", "1", ""))


@pytest.mark.parametrize("desk_account", ["", OURS])
def test_exactly_the_listed_ids_pass(desk_account: str) -> None:
    allowed = READS | (ORDERS if desk_account else set())
    passed = set()
    for message_id in range(1000):
        try:
            check_outgoing(order_of(OURS, message_id), desk_account=desk_account)
        except Refused:
            continue
        passed.add(message_id)
    assert passed == allowed


@given(st.text(max_size=20))
def test_a_head_that_is_no_listed_number_never_passes(head: str) -> None:
    number = int(head) if head.isascii() and head.isdigit() else -1
    if number in READS:
        return
    with pytest.raises(Refused, match="blocked"):
        check_outgoing(f"{head}\x00", desk_account="")


def test_the_message_names_what_was_blocked() -> None:
    with pytest.raises(Refused, match="blocked placeOrder: no order leaves without"):
        check_outgoing("3\x001\x00", desk_account="")


def test_a_cancel_desk_lets_cancels_of_its_orders_pass_and_nothing_else() -> None:
    may_cancel = frozenset({7, 12})
    passed = set()
    for message_id in range(1000):
        for order_id in range(20):
            message = f"{message_id}\x001\x00{order_id}\x00rest\x00"
            try:
                check_outgoing(message, desk_account="", may_cancel=may_cancel)
            except Refused:
                continue
            passed.add((message_id, order_id))
    assert {one for one in passed if one[0] in ORDERS} == {(4, 7), (4, 12)}
    assert {message_id for message_id, _ in passed} == READS | {4}


@pytest.mark.parametrize("message", ["4\x00", "4\x001\x00", "4\x001\x00x7\x00", "4\x007\x001\x00"])
def test_a_cancel_that_names_no_such_order_is_blocked(message: str) -> None:
    with pytest.raises(Refused, match="blocked cancelOrder"):
        check_outgoing(message, desk_account="", may_cancel=frozenset({7}))


@pytest.mark.parametrize("account", [OTHER, "", OURS.lower(), f"{OURS}1", "All"])
def test_r210_an_order_leaves_only_for_the_account_of_the_permit(account: str) -> None:
    check_outgoing(order_of(OURS), desk_account=OURS)
    with pytest.raises(Refused, match="blocked placeOrder: it does not name the account"):
        check_outgoing(order_of(account), desk_account=OURS)


def test_r210_an_order_without_its_account_field_is_blocked() -> None:
    with pytest.raises(Refused, match="blocked placeOrder"):
        check_outgoing("3\x001\x00", desk_account=OURS)
