"""Between a question and the market stands one field: the gate reads it in the bytes that leave.

The messages are the library's own, of every server version; what they mean is read a second time
by the simulated gateway, which knows the protocol from elsewhere.
"""

# mypy: allow-untyped-calls
# ruff: noqa: N802 - names of the library

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ib_async.client import Client
from ib_async.ib import IB

from src.base.errors import Refused
from src.broker.client.convert import known_contract
from src.broker.client.what_if_messages import what_if_order
from src.core.costs.what_if_permit import WhatIfPass, permit_what_ifs
from src.core.records.orders import Side
from src.core.records.plan import OrderTicket
from src.simulator.messages.requests import PlaceOrder
from src.simulator.messages.tables import parse_request
from tests.kits.builders import ACCOUNT, ticket
from tests.kits.journal_kit import PLAN

ORDER_ID = 77
TICKETS = (ticket("AAA", Side.SELL, 12), ticket("BBB", Side.BUY, "3.5"))
VERSIONS = [version for version in range(157, 179) if version != 158]
OTHER_TEXTS = ("", "0", "1", "2", "-1", "01", "1.0", "x", "BUY", "SELL", "true", "1.5", "78")


class Recorder(Client):
    """The library's client; keeps what it would send."""

    def __init__(self, version: int) -> None:
        super().__init__(IB().wrapper)
        self._serverVersion = version
        self.said: list[str] = []

    def isConnected(self) -> bool:
        return True

    def sendMsg(self, msg: str) -> None:
        self.said.append(msg)


def message_of(version: int, one: OrderTicket = TICKETS[0], **changes: object) -> str:
    """The library's bytes for the question about a ticket, with parts of the order changed."""
    order = what_if_order(ORDER_ID, one, ACCOUNT)
    for name, value in changes.items():
        setattr(order, name, value)
    client = Recorder(version)
    client.placeOrder(ORDER_ID, known_contract(one.con_id, one.symbol), order)
    (said,) = client.said
    return said


def gate(version: int, one: OrderTicket = TICKETS[0]) -> WhatIfPass:
    permit = permit_what_ifs(replace(PLAN, account_id=ACCOUNT, tickets=TICKETS))
    return WhatIfPass(permit=permit, server_version=version, asked={ORDER_ID: one})


def is_the_question(message: str, version: int) -> bool:
    """The gateway reads a what-if for exactly the first ticket, transmitted, day only; or nothing.

    What it cannot read it refuses, so no order can come of it.
    """
    read = parse_request(tuple(message.split("\0")[:-1]), version)
    if not isinstance(read, PlaceOrder):
        return True
    order, one = read.order, TICKETS[0]
    meant = (one.con_id, one.side.value, one.qty_shares, ACCOUNT, "DAY")
    found = (read.contract.con_id, order.action, order.total_quantity, order.account, order.tif)
    return order.what_if and order.transmit and read.order_id == ORDER_ID and found == meant


@pytest.mark.parametrize("one", TICKETS, ids=lambda one: one.symbol)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_question_about_a_ticket_passes_at_every_version(
    version: int, one: OrderTicket
) -> None:
    assert gate(version, one).violation(message_of(version, one)) == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_flipped_field_passes_only_where_the_gateway_still_reads_the_question(
    version: int,
) -> None:
    fields = message_of(version).split("\0")[:-1]
    for place in range(len(fields)):
        for text in OTHER_TEXTS:
            changed = "\0".join((*fields[:place], text, *fields[place + 1 :], ""))
            if text != fields[place] and not gate(version).violation(changed):
                assert is_the_question(changed, version), f"field {place} = {text!r}"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_field_too_many_or_too_few_never_passes(version: int) -> None:
    fields = message_of(version).split("\0")[:-1]
    for place in range(len(fields) + 1):
        for text in ("", "0", "1"):
            longer = "\0".join((*fields[:place], text, *fields[place:], ""))
            assert gate(version).violation(longer)
        shorter = "\0".join((*fields[:place], *fields[place + 1 :], ""))
        assert gate(version).violation(shorter) or place == len(fields)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("other", [one for one in VERSIONS if one in {157, 159, 165, 176, 177}])
def test_the_bytes_of_another_version_pass_only_as_the_same_question(
    version: int, other: int
) -> None:
    message = message_of(other)
    if not gate(version).violation(message):
        assert is_the_question(message, version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("whatIf", False),
        ("transmit", False),
        ("tif", ""),
        ("tif", "GTC"),
        ("account", "DU7654321"),
        ("action", "BUY"),
        ("totalQuantity", 13),
        ("orderType", "LMT"),
        ("parentId", 5),
        ("algoStrategy", "Adaptive"),
        ("hedgeType", "D"),
        ("scalePriceIncrement", 0.5),
        ("deltaNeutralOrderType", "MKT"),
    ],
)
def test_an_order_that_is_not_the_question_is_stopped(
    version: int, field: str, value: object
) -> None:
    assert gate(version).violation(message_of(version, TICKETS[0], **{field: value}))


@pytest.mark.parametrize("version", [-1, 0, 100, 156, 158, 179, 200])
def test_no_question_leaves_at_a_version_whose_bytes_are_not_known(version: int) -> None:
    assert "cannot be read for certain" in gate(version).violation(message_of(178))
    assert "cannot be read for certain" in gate(version).violation(message_of(157))


def test_another_id_or_a_ticket_of_no_permit_is_stopped() -> None:
    other = replace(gate(178), asked={ORDER_ID + 1: TICKETS[0]})
    assert "order id" in other.violation(message_of(178))
    stranger = ticket("CCC")
    foreign = replace(gate(178), asked={ORDER_ID: stranger})
    assert foreign.violation(message_of(178, stranger))


@given(st.text(max_size=400), st.sampled_from(VERSIONS))
def test_no_other_text_passes(text: str, version: int) -> None:
    assert gate(version).violation(text)


def test_a_master_is_never_asked() -> None:
    with pytest.raises(Refused, match="master"):
        permit_what_ifs(replace(PLAN, account_id="DF1234567"))
