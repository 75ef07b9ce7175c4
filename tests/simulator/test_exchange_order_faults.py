"""Scripted trouble with orders: rejections, silence, odd events, cancel races, wrong executions."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import pytest

from src.simulator.messages.account import PortfolioValue
from src.simulator.messages.requests import (
    ReqAccountUpdates,
    ReqAllOpenOrders,
    ReqCompletedOrders,
    ReqExecutions,
    ReqPositions,
)
from src.simulator.messages.responses import CommissionReport, ErrorMessage, ExecDetails
from src.simulator.scenario.records import (
    CancelSetup,
    CommissionSetup,
    Correction,
    FillStep,
    GatewaySettings,
    Hold,
    Notice,
    OrderBehaviour,
    OrderRule,
    Rejection,
)
from tests.kits.exchange_kit import (
    ACCOUNT,
    IAU,
    OTHER_ACCOUNT,
    SPY,
    Client,
    behaving,
    codes,
    holdings,
    only,
    order,
    scenario,
    words,
)

BUY = order("BUY", 5)
ACKNOWLEDGED = ["open PreSubmitted", "status PreSubmitted 0/5"]
FILLED = ["exec BOT 5 @ 600.01", "open Filled", "status Filled 5/0"]
CHARGED = ["open Filled 1.00", "commission 1.00"]
_CancelAnswer = Literal[
    "normal", "too_late", "not_found", "fills_first", "fills_after", "pending", "ignored"
]


@pytest.mark.parametrize("code", [110, 200, 201, 203, 451, 460, 10243, 10311])
def test_a_rejection_says_inactive_then_the_code(code: int) -> None:
    behaviour = OrderBehaviour(reject=Rejection(code=code, text="Order rejected - <br>KID"))
    client = Client(behaving(behaviour))
    told = client.trade(1, BUY)
    assert words(told) == ["status Inactive 0/5", f"error {code}"]
    assert only(ErrorMessage, told)[0].text == "Order rejected - <br>KID"
    assert words(client.ask(ReqAllOpenOrders())) == ["OpenOrderEnd"]
    assert words(client.ask(ReqCompletedOrders(api_only=True)))[0] == "completed Cancelled 0"
    assert not only(ExecDetails, client.wait(60))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("error_first", ["error 201", "status Inactive 0/5"]),
        ("error_only", ["error 201"]),
        ("status_only", ["status Inactive 0/5"]),
    ],
)
def test_a_rejection_can_be_told_otherwise(
    told: Literal["error_first", "error_only", "status_only"], expected: list[str]
) -> None:
    client = Client(behaving(OrderBehaviour(reject=Rejection(told=told))))
    assert words(client.trade(1, BUY)) == expected


def test_a_late_rejection_follows_the_acknowledgement() -> None:
    client = Client(behaving(OrderBehaviour(reject=Rejection(after_sec=0.35))))
    assert words(client.place(1, BUY)) == ACKNOWLEDGED
    assert words(client.wait(0.35)) == ["status Inactive 0/5", "error 201"]


def test_a_parked_order_revives() -> None:
    reject = Rejection(told="status_only", revive_after_sec=10)
    client = Client(behaving(OrderBehaviour(reject=reject)))
    assert words(client.trade(1, BUY)) == ["status Inactive 0/5"]
    assert words(client.ask(ReqAllOpenOrders()))[0] == "open Inactive"
    assert words(client.wait(10)) == [*ACKNOWLEDGED, *FILLED, *CHARGED]


@pytest.mark.parametrize("code", [10349, 399, 404, 2109, 2161])
def test_notices_leave_the_order_alive(code: int) -> None:
    client = Client(behaving(OrderBehaviour(notices=(Notice(code=code, text="a notice"),))))
    told = client.trade(1, BUY)
    assert words(told) == [*ACKNOWLEDGED, f"error {code}", *FILLED, *CHARGED]


def test_a_held_order_waits_for_its_release() -> None:
    hold = Hold(code=404, text="Shares are not available", release_after_sec=20)
    client = Client(behaving(OrderBehaviour(hold=hold)))
    assert words(client.trade(1, BUY)) == [*ACKNOWLEDGED, "error 404"]
    assert words(client.wait(19)) == []
    assert words(client.wait(1)) == [*FILLED, *CHARGED]


def test_an_order_held_for_ever_can_be_cancelled() -> None:
    client = Client(behaving(OrderBehaviour(hold=Hold())))
    client.trade(1, BUY)
    assert not only(ExecDetails, client.wait(100_000))
    assert codes(client.cancel(1)) == [202]


def test_a_lost_order_leaves_no_trace() -> None:
    client = Client(behaving(OrderBehaviour(silence="lost")))
    assert client.trade(1, BUY) == []
    assert words(client.ask(ReqAllOpenOrders())) == ["OpenOrderEnd"]
    assert words(client.ask(ReqCompletedOrders(api_only=False))) == ["CompletedOrdersEnd"]
    assert words(client.ask(ReqExecutions(req_id=1))) == ["ExecDetailsEnd"]
    assert codes(client.cancel(1)) == [10147]
    assert codes(client.place(1, BUY)) == [103]


def test_a_muted_order_works_without_a_word_and_shows_in_queries() -> None:
    client = Client(behaving(OrderBehaviour(silence="mute")))
    assert client.trade(1, BUY) == []
    assert words(client.ask(ReqExecutions(req_id=1)))[0] == "exec BOT 5 @ 600.01"
    assert holdings(client.ask(ReqPositions()))[1] == 25


def test_acknowledgement_and_fill_can_be_slow() -> None:
    client = Client(behaving(OrderBehaviour(ack_delay_sec=2, fill_delay_sec=3)))
    assert client.trade(1, BUY) == []
    assert words(client.wait(1)) == ACKNOWLEDGED
    assert words(client.wait(2.9)) == []
    assert words(client.wait(0.2)) == [*FILLED, *CHARGED]


def test_partial_fill_then_silence() -> None:
    client = Client(behaving(OrderBehaviour(fills=(FillStep(quantity=Decimal(2)),))))
    told = client.trade(1, BUY)
    assert words(told)[-2:] == ["status Submitted 2/3", "commission 1.00"]
    assert client.wait(3600) == []
    assert words(client.cancel(1))[-2:] == ["status Cancelled 2/3", "error 202"]


def test_a_market_order_that_never_fills_rests() -> None:
    client = Client(behaving(OrderBehaviour(never_fills=True)))
    assert words(client.trade(1, BUY))[-1] == "status Submitted 0/5"
    assert client.wait(3600) == []


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("status_first", ["open Filled", "status Filled 5/0", "exec BOT 5 @ 600.01", *CHARGED]),
        ("no_status", ["exec BOT 5 @ 600.01", "commission 1.00"]),
        (
            "reversed",
            ["status Filled 5/0", "open Filled", "exec BOT 5 @ 600.01", "commission 1.00"],
        ),
        ("repeated", [word for word in (*FILLED, *CHARGED) for _ in range(2)]),
    ],
)
def test_events_out_of_their_usual_order(
    events: Literal["status_first", "no_status", "reversed", "repeated"], expected: list[str]
) -> None:
    client = Client(behaving(OrderBehaviour(events=events)))
    client.place(1, BUY)
    assert words(client.wait()) == expected


def test_commission_amount_delay_and_absence() -> None:
    fixed = CommissionSetup(amount=Decimal("2.50"), delay_sec=30)
    client = Client(behaving(OrderBehaviour(commission=fixed)))
    assert not only(CommissionReport, client.trade(1, BUY))
    assert "CommissionReport" not in [
        type(message).__name__ for message in client.ask(ReqExecutions(req_id=1))
    ]
    assert words(client.wait(30)) == ["open Filled 2.50", "commission 2.50"]
    assert words(client.ask(ReqExecutions(req_id=1)))[1] == "commission 2.50"
    never = Client(behaving(OrderBehaviour(commission=CommissionSetup(reported="never"))))
    assert not only(CommissionReport, [*never.trade(1, BUY), *never.wait(3600)])


def test_an_unset_commission_is_the_largest_double() -> None:
    client = Client(behaving(OrderBehaviour(commission=CommissionSetup(reported="unset"))))
    (report,) = only(CommissionReport, client.trade(1, BUY))
    assert report.commission == Decimal("1.7976931348623157E308")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("normal", ["status PendingCancel 2/3", "status Cancelled 2/3", "error 202"]),
        ("pending", ["status PendingCancel 2/3"]),
        ("ignored", []),
        ("not_found", ["error 10147"]),
        (
            "too_late",
            ["error 161", "exec BOT 3 @ 600.01", "open Filled", "status Filled 5/0"],
        ),
        (
            "fills_first",
            [
                "status PendingCancel 2/3",
                "exec BOT 3 @ 600.01",
                "open Filled",
                "status Filled 5/0",
                "error 10148",
            ],
        ),
        (
            "fills_after",
            [
                "status PendingCancel 2/3",
                "status Cancelled 2/3",
                "error 202",
                "exec BOT 3 @ 600.01",
            ],
        ),
    ],
)
def test_answers_to_a_cancel(answer: _CancelAnswer, expected: list[str]) -> None:
    half = (FillStep(quantity=Decimal(2)),)
    client = Client(behaving(OrderBehaviour(fills=half, cancel=CancelSetup(answer=answer))))
    client.trade(1, BUY)
    told = words([*client.cancel(1), *client.wait()])
    assert [word for word in told if "commission" not in word and "1.00" not in word] == expected


def test_a_fill_can_win_against_a_slow_cancel() -> None:
    behaviour = OrderBehaviour(fill_delay_sec=1, cancel=CancelSetup(delay_sec=2))
    client = Client(behaving(behaviour))
    client.place(1, BUY)
    assert words(client.cancel(1)) == ["status PendingCancel 0/5"]
    assert words(client.wait(2)) == [*FILLED, *CHARGED, "error 10148"]


def test_an_execution_is_corrected_with_the_next_revision() -> None:
    step = FillStep(correction=Correction(after_sec=5, quantity=Decimal(4), price=Decimal(601)))
    client = Client(behaving(OrderBehaviour(fills=(step,))))
    first = only(ExecDetails, client.trade(1, BUY))[0]
    second = only(ExecDetails, client.wait(5))[0]
    assert second.exec_id == first.exec_id[:-1] + "2"
    assert (second.shares, second.price) == (Decimal(4), Decimal(601))
    (listed,) = only(ExecDetails, client.ask(ReqExecutions(req_id=3)))
    assert listed == second._replace(req_id=3)
    assert holdings(client.ask(ReqPositions()))[1] == 24


def test_a_busted_execution_is_corrected_to_nothing() -> None:
    step = FillStep(correction=Correction(after_sec=5, quantity=Decimal(0)))
    client = Client(behaving(OrderBehaviour(fills=(step,))))
    client.trade(1, BUY)
    assert words(client.wait(5))[0] == "exec BOT 0 @ 600.01"
    assert holdings(client.ask(ReqPositions()))[1] == 20


@pytest.mark.parametrize("lag_sec", [0, 30])
@pytest.mark.parametrize(("side", "quantity"), [("BUY", 5), ("SELL", 5), ("SELL", 20)])
def test_a_busted_execution_leaves_the_account_as_it_was(
    side: str, quantity: int, lag_sec: int
) -> None:
    def portfolio(client: Client) -> list[PortfolioValue]:
        told = client.ask(ReqAccountUpdates(subscribe=True, account=ACCOUNT))
        client.ask(ReqAccountUpdates(subscribe=False, account=ACCOUNT))
        return only(PortfolioValue, told)

    step = FillStep(correction=Correction(after_sec=5, quantity=Decimal(0)))
    gateway = GatewaySettings(account_lag_sec=lag_sec)
    rule = OrderRule(then=OrderBehaviour(fills=(step,)))
    client = Client(scenario(gateway=gateway, order_rules=(rule,)))
    before = portfolio(client)
    told = [*client.trade(1, order(side, quantity)), *client.wait(60)]
    assert portfolio(client) == before
    assert only(CommissionReport, told)[-1].realized_pnl is None


def test_a_busted_execution_takes_no_part_of_what_came_after_it() -> None:
    bust = FillStep(correction=Correction(after_sec=5, quantity=Decimal(0)))
    rules = (OrderRule(then=OrderBehaviour(fills=(bust,)), numbers=(1,)),)
    client = Client(scenario(order_rules=rules))
    client.trade(1, order("SELL", 5))
    client.trade(2, order("SELL", 5))
    client.wait(60)
    told = client.ask(ReqAccountUpdates(subscribe=True, account=ACCOUNT))
    (spy,) = [row for row in only(PortfolioValue, told) if row.contract.con_id == SPY.con_id]
    assert (spy.position, spy.average_cost) == (Decimal(15), Decimal(500))
    assert spy.realized_pnl == 5 * Decimal("99.99") - 1


def test_a_corrected_sale_realizes_what_its_price_says() -> None:
    step = FillStep(correction=Correction(after_sec=5, price=Decimal(601)))
    client = Client(behaving(OrderBehaviour(fills=(step,))))
    client.trade(1, order("SELL", 5))
    assert only(CommissionReport, client.wait(6))[-1].realized_pnl == 5 * Decimal(101) - 1


def test_an_order_can_be_over_filled() -> None:
    steps = (FillStep(), FillStep(quantity=Decimal(3), extra=True))
    client = Client(behaving(OrderBehaviour(fills=steps)))
    fills = only(ExecDetails, client.trade(1, BUY))
    assert [fill.cum_qty for fill in fills] == [5, 8]
    assert holdings(client.ask(ReqPositions()))[1] == 28


def test_executions_can_name_what_was_not_ordered() -> None:
    step = FillStep(
        report_account=OTHER_ACCOUNT,
        report_side="SLD",
        report_con_id=IAU.con_id,
        report_order_ref="nobody",
    )
    client = Client(behaving(OrderBehaviour(fills=(step,))))
    (fill,) = only(ExecDetails, client.trade(1, BUY))
    assert (fill.account, fill.side, fill.order_ref) == (OTHER_ACCOUNT, "SLD", "nobody")
    assert fill.contract.symbol == "IAU"
    assert fill.account != ACCOUNT


def test_a_fill_price_can_be_scripted() -> None:
    step = FillStep(price=Decimal("598.7654"))
    told = Client(behaving(OrderBehaviour(fills=(step,)))).trade(1, BUY)
    assert "exec BOT 5 @ 598.7654" in words(told)


def test_rules_pick_orders_by_their_features_and_the_first_wins() -> None:
    refuse = OrderBehaviour(reject=Rejection())
    rules = (
        OrderRule(then=OrderBehaviour(), symbols=("IAU",), sides=("SELL",)),
        OrderRule(then=refuse, symbols=("IAU",)),
        OrderRule(then=refuse, numbers=(3,)),
        OrderRule(then=refuse, algos=("Adaptive",)),
        OrderRule(then=refuse, order_types=("LMT",)),
        OrderRule(then=refuse, order_refs_ending=("-2",)),
    )
    client = Client(scenario(order_rules=rules))
    limit = order("BUY", 1, order_type="LMT", lmt_price=Decimal(700))
    answers = [
        codes(client.trade(1, order("BUY", 1), IAU)),
        codes(client.trade(2, order("BUY", 1))),
        codes(client.trade(3, order("BUY", 1))),
        codes(client.trade(4, limit)),
        codes(client.trade(5, order("BUY", 1, order_ref="run-1-2"))),
        codes(client.trade(6, order("BUY", 1))),
    ]
    assert answers == [[201], [], [201], [201], [201], []]
