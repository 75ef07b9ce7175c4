"""Orders as gateways told of them, message by message: what becomes of each, and its error.

The sequences are those of live paper gateways and of public reports (2021 to 2026); quantities,
ids and names are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from src.broker.client import convert
from src.core.orders.state import (
    BrokerAnswered,
    CancelWanted,
    OrderEvent,
    Patience,
    Phase,
    TimerFired,
    TimerKind,
)
from src.core.orders.tickets import TicketState
from src.core.records.orders import Side, TicketStatus
from src.core.records.plan import OrderOutcome
from src.core.run.ticket_outcome import ticket_outcome
from tests.kits.builders import ticket
from tests.kits.orders_kit import (
    Player,
    alive,
    code,
    commission,
    ended,
    executed,
    fill,
    nothing_found,
    opened,
    sent,
    status,
    still_open,
)

CASH_WORDS = (
    "Order rejected - reason:Available settled cash converted to base: 59.24 GBP<br>Cash needed for"
    " this order and other pending orders: 671.82 GBP"
)
TYPE_WORDS = "Error validating request.-'bF' : cause - Invalid order type was entered."
HELD = code(399, "Order Message: your order will not be placed at the exchange until 09:30")


def said(number: int, text: str) -> OrderEvent:
    """A message of the broker as it comes through the border."""
    return code(number, convert.clean(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What is told, what the lists say when they are asked, and what must be reported."""

    told: tuple[OrderEvent, ...]
    lists: BrokerAnswered = nothing_found()
    status: TicketStatus
    error: str = ""


FILLED, REJECTED = TicketStatus.FILLED, TicketStatus.REJECTED
CANCELLED, PARTLY = TicketStatus.CANCELLED, TicketStatus.PARTIALLY_FILLED
LIVES = {
    "market sell, Submitted first": Life(
        told=(
            *(opened("Submitted"), status("Submitted"), executed(10)),
            *(status("Filled", 10), commission("0001.01", "1.0")),
        ),
        status=FILLED,
    ),
    "market buy, every state twice": Life(
        told=(
            *(opened("PreSubmitted"), status("PreSubmitted"), executed(10), opened("Filled")),
            *(status("Filled", 10), opened("Filled"), commission("0001.01", "1.0")),
        ),
        status=FILLED,
    ),
    "Filled before the execution": Life(
        told=(status("PreSubmitted"), status("Filled", 10), executed(10)), status=FILLED
    ),
    "filled without a word, and never a commission": Life(told=(executed(10),), status=FILLED),
    "executed by the lists alone": Life(
        told=(status("Filled", 10),), lists=ended("Filled", 10, fill(10)), status=FILLED
    ),
    "Inactive, then 201": Life(
        told=(status("Inactive"), said(201, "Order rejected - reason:NO <br/>PERMISSION")),
        lists=ended("Cancelled", 0),
        status=REJECTED,
        error="201: Order rejected - reason:NO PERMISSION",
    ),
    "only closing orders": Life(
        told=(said(201, "Order rejected - reason:Only closing orders are permitted."),),
        status=REJECTED,
        error="201: Order rejected - reason:Only closing orders are permitted.",
    ),
    "a cash account without the cash": Life(
        told=(
            *(opened("PendingSubmit"), status("PendingSubmit"), status("Inactive")),
            *(status("Cancelled"), said(201, CASH_WORDS)),
        ),
        lists=ended("Cancelled", 0),
        status=REJECTED,
        error=f"201: {CASH_WORDS.replace('<br>', ' ')}",
    ),
    "an order type that nobody knows": Life(
        told=(said(321, TYPE_WORDS),), status=REJECTED, error=f"321: {TYPE_WORDS}"
    ),
    "size zero": Life(
        told=(said(434, "The order size cannot be zero."),),
        status=REJECTED,
        error="434: The order size cannot be zero.",
    ),
    "492": Life(told=(said(492, "no"),), status=REJECTED, error="492: no"),
    "Inactive and nothing else": Life(
        told=(status("Inactive"),), status=REJECTED, error="Inactive, no reason given"
    ),
    "Inactive, listed as cancelled without a reason": Life(
        told=(status("Inactive"),),
        lists=ended("Cancelled", 0),
        status=REJECTED,
        error="Inactive, no reason given",
    ),
    "Inactive, listed as inactive without a reason": Life(
        told=(opened("Inactive"),),
        lists=ended("Inactive", 0),
        status=REJECTED,
        error="Inactive, no reason given",
    ),
    "Inactive after a part": Life(
        told=(status("Submitted"), executed(4), status("Inactive", 4)),
        lists=ended("Cancelled", 4),
        status=PARTLY,
        error="Inactive, no reason given",
    ),
    "Inactive, the list knows why": Life(
        told=(status("Inactive"),),
        lists=ended("Cancelled", 0, text="Rejected by the exchange"),
        status=REJECTED,
        error="Rejected by the exchange",
    ),
    "cancelled by the broker without 202": Life(
        told=(status("Submitted"), status("PendingCancel"), status("Cancelled")),
        status=CANCELLED,
        error="Cancelled, no reason given",
    ),
    "cancelled by another client": Life(
        told=(status("Submitted"), status("Cancelled"), said(202, "Order Canceled - reason:")),
        lists=ended("Cancelled", 0),
        status=CANCELLED,
        error="202: Order Canceled - reason:",
    ),
    "cancelled by us": Life(
        told=(
            *(status("Submitted"), CancelWanted(reason="time limit"), status("PendingCancel")),
            *(status("Cancelled"), said(202, "Order Canceled - reason:")),
        ),
        status=CANCELLED,
        error="time limit",
    ),
    "Inactive, then cancelled by us": Life(
        told=(status("Inactive"), CancelWanted(reason="time limit"), status("Cancelled")),
        status=CANCELLED,
        error="time limit",
    ),
    "capped until its limit": Life(
        told=(
            *(opened(), status("PreSubmitted"), said(2161, "Your order is capped at 99.87")),
            *(CancelWanted(reason="time limit"), status("Cancelled"), said(202, "Cancelled")),
        ),
        status=CANCELLED,
        error="time limit (the broker said 2161: Your order is capped at 99.87)",
    ),
    "held until the open, then filled": Life(
        told=(opened(), status("PreSubmitted"), HELD, executed(10)), status=FILLED
    ),
}


def live(life: Life, player: Player) -> OrderOutcome:
    """Tell an order everything, answer every look, and say what became of its ticket."""
    player.feed(*life.told)
    for _ in range(Patience().rounds):
        player.feed(TimerFired(kind=TimerKind.PROOF), life.lists)
    one = ticket("SPY", Side.SELL, 10, 100)
    return ticket_outcome(
        TicketState(line=1, ticket=one, limit_shares=Decimal(10), orders=(player.state,))
    )


@pytest.mark.parametrize("name", LIVES)
def test_each_recorded_life_ends_as_it_really_did(name: str) -> None:
    life = LIVES[name]
    outcome = live(life, sent())
    assert (outcome.status, outcome.error) == (life.status, life.error)


@pytest.mark.parametrize("name", LIVES)
def test_it_ends_so_when_the_order_was_acknowledged_before(name: str) -> None:
    life = LIVES[name]
    outcome = live(life, alive())
    assert (outcome.status, outcome.error) == (life.status, life.error)


@pytest.mark.parametrize("number", [105, 110, 165, 201, 321, 329, 434, 492, 10311])
def test_a_code_that_may_be_a_refusal_is_looked_into_at_once(number: int) -> None:
    player = sent()
    player.feed(code(number))
    assert player.is_in(Phase.CLOSING)
    player.feed(still_open("Submitted"))
    for _ in range(Patience().rounds):
        player.feed(TimerFired(kind=TimerKind.PROOF), still_open("Submitted"))
    assert player.is_in(Phase.WORKING)


def test_an_order_that_the_gateway_never_acknowledged_says_where_to_look() -> None:
    silent = Life(
        told=(TimerFired(kind=TimerKind.ANSWER),), lists=nothing_found(), status=CANCELLED
    )
    outcome = live(silent, sent())
    assert outcome.status is TicketStatus.UNRESOLVED
    assert "never acknowledged" in outcome.error
    assert "may wait for a click" in outcome.error
    assert "never acknowledged" not in live(silent, alive()).error


@pytest.mark.parametrize("number", [135, 10147])
def test_an_order_whose_cancel_the_gateway_does_not_know_was_never_acknowledged(
    number: int,
) -> None:
    unknown = Life(
        told=(CancelWanted(reason="Ctrl+C"), code(number, "not found")),
        lists=nothing_found(),
        status=TicketStatus.UNRESOLVED,
    )
    error = live(unknown, sent()).error
    assert "never acknowledged" in error
    assert f"the broker said {number}: not found" in error


@pytest.mark.parametrize("number", [399, 404, 2109, 2137, 2161, 10167, 10349])
def test_a_notice_keeps_the_order_alive(number: int) -> None:
    player = alive()
    player.feed(code(number))
    assert player.is_in(Phase.WORKING)
    player.feed(executed(10))
    assert player.has(TicketStatus.FILLED)
