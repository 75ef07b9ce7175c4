"""Laws of the simulated exchange: money and shares are conserved, however time is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.simulator.messages.layout import Layout
from src.simulator.messages.layout_requests import REQUEST_LAYOUTS
from src.simulator.messages.requests import ReqExecutions, ReqPositions, Request
from src.simulator.messages.responses import (
    CommissionReport,
    ErrorMessage,
    ExecDetails,
    OrderStatus,
    Response,
)
from src.simulator.scenario.records import (
    CancelSetup,
    Correction,
    FillStep,
    OrderBehaviour,
    OrderRule,
    Rejection,
    Scenario,
)
from tests.kits.exchange_kit import (
    ACCOUNT,
    IAU,
    SPY,
    Client,
    holdings,
    only,
    order,
    scenario,
)
from tests.simulator.strategies import messages

_QUANTITY = st.integers(1, 8).map(Decimal)
_ANSWERS: tuple[
    Literal["normal", "too_late", "fills_first", "fills_after", "ignored", "pending"], ...
] = ("normal", "too_late", "fills_first", "fills_after", "ignored", "pending")
_STEPS = st.builds(
    FillStep,
    quantity=st.none() | _QUANTITY,
    after_sec=st.sampled_from([0, 0.2, 1.5]),
    price=st.none() | st.decimals(50, 650, places=4),
    correction=st.none()
    | st.builds(
        Correction,
        after_sec=st.sampled_from([0, 2]),
        price=st.none() | st.decimals(50, 650, places=2),
    ),
)
_BEHAVIOURS = st.builds(
    OrderBehaviour,
    fills=st.lists(_STEPS, max_size=3).map(tuple),
    never_fills=st.booleans(),
    reject=st.none() | st.just(Rejection()),
    cancel=st.builds(
        CancelSetup, answer=st.sampled_from(_ANSWERS), delay_sec=st.sampled_from([0, 1])
    ),
)


@dataclass(frozen=True)
class Move:
    """One thing a client does: an order, then a pause, then perhaps a cancel."""

    side: str
    quantity: int
    is_gold: bool
    pause: float
    is_cancelled: bool


_MOVES = st.lists(
    st.builds(
        Move,
        side=st.sampled_from(["BUY", "SELL"]),
        quantity=st.integers(1, 12),
        is_gold=st.booleans(),
        pause=st.sampled_from([0, 0.1, 1]),
        is_cancelled=st.booleans(),
    ),
    max_size=8,
)


def _setting(behaviours: Sequence[OrderBehaviour]) -> Scenario:
    rules = tuple(
        OrderRule(then=behaviour, numbers=(number,))
        for number, behaviour in enumerate(behaviours, start=1)
    )
    return scenario(order_rules=rules)


def _run(client: Client, moves: Sequence[Move]) -> list[Response]:
    told: list[Response] = []
    for number, move in enumerate(moves, start=1):
        told += client.place(number, order(move.side, move.quantity), IAU if move.is_gold else SPY)
        told += client.wait(move.pause)
        if move.is_cancelled:
            told += client.cancel(number)
    return [*told, *client.wait(60)]


@settings(max_examples=80)
@given(st.lists(_BEHAVIOURS, max_size=8), _MOVES)
def test_cash_and_shares_are_conserved(behaviours: list[OrderBehaviour], moves: list[Move]) -> None:
    client = Client(_setting(behaviours))
    account = client.exchange._floor.accounts[ACCOUNT]
    told = _run(client, moves)
    answer = client.ask(ReqExecutions(req_id=1))
    fills = only(ExecDetails, answer)
    spent = sum((f.shares * f.price * (1 if f.side == "BOT" else -1) for f in fills), Decimal(0))
    fees = sum((report.commission for report in only(CommissionReport, answer)), Decimal(0))
    assert account.cash["USD"] == 10_000 - spent - fees
    held = holdings(client.ask(ReqPositions()))
    for contract, before in ((SPY, 20), (IAU, 0)):
        bought = sum(
            (
                f.shares * (1 if f.side == "BOT" else -1)
                for f in fills
                if f.contract.con_id == contract.con_id
            ),
            Decimal(0),
        )
        assert held.get(contract.con_id, Decimal(0)) == before + bought
    live = {f.exec_id: f for f in only(ExecDetails, told)}
    assert {f.exec_id for f in fills} <= live.keys()


@settings(max_examples=60)
@given(st.lists(_BEHAVIOURS, max_size=8), _MOVES)
def test_no_order_fills_beyond_its_quantity_and_status_never_falls_back(
    behaviours: list[OrderBehaviour], moves: list[Move]
) -> None:
    client = Client(_setting(behaviours))
    told = _run(client, moves)
    filled: dict[int, Decimal] = {}
    for status in only(OrderStatus, told):
        assert status.filled >= filled.get(status.order_id, Decimal(0))
        filled[status.order_id] = status.filled
        assert status.filled + status.remaining == moves[status.order_id - 1].quantity
    assert all(error.code != 0 for error in only(ErrorMessage, told))


@pytest.mark.parametrize("layout", REQUEST_LAYOUTS, ids=lambda layout: layout.record.__name__)
@settings(max_examples=10)
@given(st.data())
def test_no_request_of_any_content_breaks_the_exchange(layout: Layout, data: st.DataObject) -> None:
    client = Client()
    request = cast("Request", data.draw(messages(layout, 178)))
    told = [*client.ask(request), *client.wait(100)]
    assert client.exchange.is_client_id_in_use(1)
    assert all(error.text for error in only(ErrorMessage, told))


_WILD = st.one_of(
    st.none(),
    st.sampled_from([Decimal("1.7976931348623157E308"), Decimal(-1), Decimal("1e-300")]),
    st.decimals(allow_nan=True, allow_infinity=True),
)


@settings(max_examples=60)
@given(
    order_type=st.sampled_from(["MKT", "LMT", "MIDPRICE", "STP", ""]),
    quantity=_WILD,
    limit=_WILD,
    tif=st.sampled_from(["", "DAY", "GTC", "IOC"]),
    is_preview=st.booleans(),
)
def test_wild_numbers_in_orders_are_answered(
    order_type: str,
    quantity: Decimal | None,
    limit: Decimal | None,
    tif: str,
    *,
    is_preview: bool,
) -> None:
    client = Client()
    wild = order("BUY", 1, order_type=order_type, tif=tif, what_if=is_preview)._replace(
        total_quantity=quantity,
        lmt_price=limit,
    )
    assert client.trade(1, wild)


@settings(max_examples=30)
@given(st.lists(_BEHAVIOURS, max_size=5), _MOVES, st.integers(2, 40))
def test_how_time_is_cut_makes_no_difference(
    behaviours: list[OrderBehaviour], moves: list[Move], parts: int
) -> None:
    whole, pieces = Client(_setting(behaviours)), Client(_setting(behaviours))
    for number, move in enumerate(moves, start=1):
        for client in (whole, pieces):
            client.place(number, order(move.side, move.quantity))
    at_once = whole.wait(10)
    in_parts = [message for _ in range(parts) for message in pieces.wait(10 / parts)]
    in_parts += pieces.wait(0.001)
    assert in_parts == at_once
