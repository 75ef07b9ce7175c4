"""Executions over a real socket with the real client; counts are taken from the gateway's log."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from src.base.settings import ExecutionSettings, RebalanceSettings
from src.core.records.orders import ForeignAmount
from src.io.reports.report_rows import ReportRun, post_trade_rows
from src.simulator.gateway.server import SimulatedGateway
from src.simulator.scenario.records import (
    CancelSetup,
    CommissionSetup,
    Correction,
    FillStep,
    Notice,
    OrderBehaviour,
    OrderRule,
    Rejection,
    ScheduledEvent,
    WireFaults,
)
from tests.kits.builders import ACCOUNT, NOON_UTC
from tests.kits.trading_kit import Desk, Line, crowd, market, rule, trade

SWITCH: list[Line] = [
    ("SELL", "AAA", 10),
    ("SELL", "BBB", 10),
    ("BUY", "CCC", 50),
    ("BUY", "DDD", 40),
]
REPORT = ReportRun(started_utc=NOON_UTC, account_id=ACCOUNT)
SELLS: list[Line] = [("SELL", "AAA", 10), ("SELL", "BBB", 10)]
ADAPTIVE = Desk(execution=ExecutionSettings(algo_preference="adaptive"))


def refusing(code: int, text: str = "no") -> OrderBehaviour:
    return OrderBehaviour(reject=Rejection(code=code, text=text))


def rests(**changes: object) -> OrderBehaviour:
    return OrderBehaviour(never_fills=True, **changes)  # type: ignore[arg-type]


def test_a_switch_fills_and_the_account_agrees(tmp_path: Path) -> None:
    done = trade(market(), SWITCH, tmp_path)
    assert done.statuses == ["Filled"] * 4
    assert done.sent("PlaceOrder") == 4
    assert done.settlement.differences == ()
    assert done.settlement.warnings == ()
    assert done.settlement.after is not None
    assert done.settlement.after.holdings["CCC"].qty_shares == 50
    commissions = [one.commission_usd for out in done.result.outcomes for one in out.fills]
    assert None not in commissions


def test_the_algo_refused_falls_back_to_plain_market(tmp_path: Path) -> None:
    no_algo = OrderRule(then=refusing(442, "bad algo definition"), algos=("Adaptive",))
    done = trade(market(no_algo), SELLS, tmp_path, ADAPTIVE)
    assert done.statuses == ["Filled", "Filled"]
    assert done.sent("PlaceOrder") == 4
    assert any("fallback" in note for note in done.result.outcomes[0].notes)


@pytest.mark.parametrize("code", [201, 321, 387, 10243])
def test_a_rejected_order_leaves_the_others_alone(code: int, tmp_path: Path) -> None:
    done = trade(market(rule(refusing(code, "not this one"), "AAA")), SELLS, tmp_path)
    assert done.statuses == ["Rejected", "Filled"]
    assert done.result.outcomes[0].error == f"{code}: not this one"
    assert done.sent("PlaceOrder") == 2


def test_an_algo_refused_in_another_language_falls_back_too(tmp_path: Path) -> None:
    german = refusing(201, "Auftrag abgelehnt:<br>Dieser Algorithmus ist nicht zul\u00e4ssig")
    done = trade(market(OrderRule(then=german, algos=("Adaptive",))), SELLS, tmp_path, ADAPTIVE)
    assert done.statuses == ["Filled", "Filled"]
    assert done.sent("PlaceOrder") == 4


def test_a_refusal_of_plain_orders_too_is_final(tmp_path: Path) -> None:
    one_by_one = Desk(execution=ExecutionSettings(algo_preference="adaptive", batch_orders=False))
    done = trade(market(OrderRule(then=refusing(201))), SELLS, tmp_path, one_by_one)
    assert done.statuses == ["Rejected", "Rejected"]
    assert done.sent("PlaceOrder") == 3


def test_inactive_without_a_word_is_reported_as_that(tmp_path: Path) -> None:
    silent = OrderBehaviour(reject=Rejection(text="", told="status_only"))
    done = trade(market(rule(silent, "AAA")), SELLS, tmp_path)
    assert done.statuses == ["Rejected", "Filled"]
    assert done.result.outcomes[0].error == "Inactive, no reason given"


@pytest.mark.parametrize("code", [321, 434, 492])
def test_a_refusal_that_the_library_takes_for_a_warning_is_proven_soon(
    code: int, tmp_path: Path
) -> None:
    text = "Error validating request.-'bF' : cause - Invalid order type was entered."
    refused = OrderBehaviour(reject=Rejection(code=code, text=text, told="error_only"))
    done = trade(market(rule(refused, "AAA")), SELLS, tmp_path)
    assert done.statuses == ["Rejected", "Filled"]
    assert done.result.outcomes[0].error == f"{code}: {text}"
    assert done.spent_sec < 5


@pytest.mark.parametrize("told", ["status_first", "error_first", "error_only", "status_only"])
def test_a_rejection_in_any_wording(told: str, tmp_path: Path) -> None:
    behaviour = OrderBehaviour(reject=Rejection(told=told))  # type: ignore[arg-type]
    done = trade(market(rule(behaviour, "AAA")), SELLS, tmp_path)
    assert done.statuses == ["Rejected", "Filled"]


@pytest.mark.parametrize("code", [10349, 399, 2109])
def test_notices_do_not_end_an_order(code: int, tmp_path: Path) -> None:
    behaviour = OrderBehaviour(notices=(Notice(code=code, text="by the way"),), fill_delay_sec=0.3)
    done = trade(market(rule(behaviour, "AAA")), SELLS, tmp_path)
    assert done.statuses == ["Filled", "Filled"]


@pytest.mark.parametrize("events", ["usual", "status_first", "no_status", "repeated", "reversed"])
def test_messages_in_any_order_and_number(events: str, tmp_path: Path) -> None:
    steps = tuple(FillStep(after_sec=0.02, quantity=Decimal(qty)) for qty in (3, 3, 4))
    behaviour = OrderBehaviour(events=events, fills=steps)  # type: ignore[arg-type]
    done = trade(market(rule(behaviour, "AAA")), SELLS, tmp_path)
    assert done.statuses == ["Filled", "Filled"]
    assert len(done.result.outcomes[0].fills) == 3
    assert done.settlement.differences == ()


def test_a_lost_order_is_unresolved_and_not_sent_again(tmp_path: Path) -> None:
    done = trade(market(rule(OrderBehaviour(silence="lost"), "AAA")), SWITCH, tmp_path)
    assert done.statuses[0] == "Unresolved"
    assert done.sent("PlaceOrder") == len([one for one in done.statuses if one != "Skipped"])


def test_a_mute_order_is_found_by_asking(tmp_path: Path) -> None:
    done = trade(market(rule(OrderBehaviour(silence="mute"), "AAA")), SELLS, tmp_path)
    assert done.statuses == ["Filled", "Filled"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("normal", "Cancelled"),
        ("too_late", "Filled"),
        ("fills_first", "Filled"),
        ("fills_after", "Filled"),
        ("not_found", "Unresolved"),
        ("pending", "Unresolved"),
        ("ignored", "Unresolved"),
    ],
)
def test_the_time_limit_and_every_answer_to_the_cancel(
    answer: str, expected: str, tmp_path: Path
) -> None:
    behaviour = rests(cancel=CancelSetup(answer=answer))  # type: ignore[arg-type]
    how = Desk(
        execution=ExecutionSettings(algo_preference="none", order_timeout_sec=Decimal("0.3"))
    )
    done = trade(market(rule(behaviour, "AAA")), SELLS, tmp_path, how)
    assert done.statuses == [expected, "Filled"]
    assert done.sent("CancelOrder") == 1


def test_a_partial_fill_keeps_what_it_got(tmp_path: Path) -> None:
    steps = (FillStep(after_sec=0.02, quantity=Decimal(4)),)
    behaviour = OrderBehaviour(fills=steps)
    how = Desk(
        execution=ExecutionSettings(algo_preference="none", order_timeout_sec=Decimal("0.4"))
    )
    done = trade(market(rule(behaviour, "AAA")), SELLS, tmp_path, how)
    assert done.statuses == ["PartiallyFilled", "Filled"]
    assert done.result.outcomes[0].fills[0].qty_shares == 4
    assert done.settlement.differences == ()


@pytest.mark.parametrize("reported", ["never", "unset"])
def test_a_missing_commission_is_reserved_and_stays_unknown(reported: str, tmp_path: Path) -> None:
    silent = CommissionSetup(reported=reported)  # type: ignore[arg-type]
    done = trade(market(rule(OrderBehaviour(commission=silent), "AAA")), SWITCH, tmp_path)
    assert done.statuses == ["Filled"] * 4
    assert done.result.outcomes[0].fills[0].commission_usd is None


def test_a_commission_in_euro_is_never_taken_for_dollars(tmp_path: Path) -> None:
    euro = CommissionSetup(amount=Decimal(40), currency="EUR")
    setting = market(
        rule(OrderBehaviour(commission=euro), "AAA"), cash=0, usd_rates={"EUR": Decimal("1.1")}
    )
    done = trade(setting, [("SELL", "AAA", 10), ("BUY", "CCC", 50)], tmp_path)
    sold, bought = done.result.outcomes
    assert sold.fills[0].commission_usd is None
    assert sold.fills[0].foreign_commission == ForeignAmount(amount=Decimal(40), currency="EUR")
    # 1,000 USD came in and 1 USD is kept back for what the sale cost; 40 USD were not spent on it.
    assert bought.fills[0].qty_shares == 49
    assert done.settlement.warnings == ()
    notes = post_trade_rows(REPORT, done.result.outcomes, None)[0][-1]
    assert notes.startswith("commission 40.00 EUR (unknown in USD)")


def test_a_corrected_execution_is_booked_once(tmp_path: Path) -> None:
    corrected = Correction(after_sec=0.0, price=Decimal(99))
    steps = (FillStep(after_sec=0.02, quantity=Decimal(10), correction=corrected),)
    slow = OrderBehaviour(fill_delay_sec=0.3)
    setting = market(rule(OrderBehaviour(fills=steps), "AAA"), rule(slow, "BBB"))
    done = trade(setting, SELLS, tmp_path)
    assert done.statuses == ["Filled", "Filled"]
    assert [one.price_usd for one in done.result.outcomes[0].fills] == [Decimal(99)]


def test_a_busted_execution_is_no_fill(tmp_path: Path) -> None:
    busted = Correction(after_sec=0.05, quantity=Decimal(0))
    steps = (FillStep(after_sec=0.02, quantity=Decimal(10), correction=busted),)
    slow = OrderBehaviour(fill_delay_sec=0.3)
    setting = market(rule(OrderBehaviour(fills=steps), "AAA"), rule(slow, "BBB"))
    done = trade(setting, SELLS, tmp_path)
    assert done.statuses == ["Unresolved", "Filled"]
    assert [one.qty_shares for one in done.result.outcomes[0].fills] == [Decimal(0)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"extra": True, "quantity": Decimal(3)},
        {"report_account": "DU7654321"},
        {"report_side": "BOT"},
        {"report_con_id": 12},
        {"report_order_ref": "IBR-20200101T000000Z-1-1"},
    ],
)
def test_an_execution_that_cannot_be_ours_stops_the_sending(
    wrong: dict[str, object], tmp_path: Path
) -> None:
    steps = (
        FillStep(after_sec=0.02, quantity=Decimal(10)),
        FillStep(after_sec=0.0, **{"quantity": Decimal(1), "extra": True, **wrong}),  # type: ignore[arg-type]
    )
    slow = OrderBehaviour(fill_delay_sec=0.4)
    setting = market(rule(OrderBehaviour(fills=steps), "AAA"), rule(slow, "BBB"))
    done = trade(setting, SWITCH, tmp_path)
    assert done.statuses[2:] == ["Skipped", "Skipped"]
    assert done.result.alarms
    assert done.sent("PlaceOrder") == 2


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("moment", ["close_before_request", "close_after_request"])
def test_a_socket_that_dies_at_order_n(number: int, moment: str, tmp_path: Path) -> None:
    wire = WireFaults(only_order_messages=True, **{moment: (number,)})  # type: ignore[arg-type]
    done = trade(market(wire=wire), SWITCH, tmp_path)
    expected = "Filled" if moment == "close_after_request" else "Unresolved"
    assert done.statuses[number - 1] == expected
    assert done.sent("PlaceOrder") == len(set(_refs(done.wire)))
    assert done.result.was_disconnected
    assert done.settlement.differences == ()


def _refs(wire: list[tuple[str, tuple[str, ...]]]) -> list[str]:
    return [
        next(one for one in fields if "IBR-" in one)
        for name, fields in wire
        if name == "PlaceOrder"
    ]


@pytest.mark.parametrize("code", [1101, 1102])
@pytest.mark.parametrize("told_after", ["later", "never"])
def test_an_outage_behind_the_gateway(code: int, told_after: str, tmp_path: Path) -> None:
    events = (
        ScheduledEvent(what="link_lost", after_orders=2, told_after=told_after),  # type: ignore[arg-type]
        ScheduledEvent(what="link_back", after_orders=2, after_sec=0.5, code=code),
    )
    done = trade(market(events=events), SWITCH, tmp_path)
    assert done.statuses == ["Filled"] * 4
    assert done.sent("PlaceOrder") == 4


def test_an_interrupt_cancels_and_settles(tmp_path: Path) -> None:
    async def interrupt(_: SimulatedGateway, stop: asyncio.Event) -> None:
        await asyncio.sleep(0.3)
        stop.set()

    done = trade(market(rule(rests(), "BBB")), SWITCH, tmp_path, Desk(meanwhile=interrupt))
    assert done.statuses == ["Filled", "Cancelled", "Skipped", "Skipped"]
    assert done.sent("CancelOrder") == 1
    assert done.result.was_interrupted


def test_many_orders_stay_below_the_gateways_rate(tmp_path: Path) -> None:
    setting, lines = crowd(44)
    done = trade(setting, lines, tmp_path)
    assert done.statuses == ["Filled"] * 44
    assert done.sent("PlaceOrder") == 44
    assert done.busiest_second <= 50


# --- what changes while the sells work -------------------------------------------------------

SLOW_SELL = rule(OrderBehaviour(fill_delay_sec=0.6), "AAA")


def test_a_price_that_rises_during_a_slow_sell_breaks_no_cap(tmp_path: Path) -> None:
    """CCC costs a fifth more by the time AAA is sold: with a cap of 1 no cent is borrowed."""
    rise = ScheduledEvent(
        what="price", symbol="CCC", value=Decimal(24), after_orders=1, after_sec=0.2
    )
    lines: list[Line] = [("SELL", "AAA", 10), ("BUY", "CCC", 100)]
    no_debt = RebalanceSettings(min_order_usd=Decimal(0), max_leverage=Decimal(1))
    done = trade(market(SLOW_SELL, events=(rise,)), lines, tmp_path, Desk(rebalance=no_debt))
    assert done.statuses == ["Filled", "Filled"]
    (bought,) = done.result.outcomes[1].fills
    assert bought.price_usd == 24
    assert bought.qty_shares == 83  # of 1,000 and 1,000 less a commission
    assert done.result.after is not None
    assert done.result.after.cash_usd >= 0


@pytest.mark.parametrize("code", [1101, 1102])
@pytest.mark.parametrize("symbol", ["CCC", "DDD"])
def test_a_manual_buy_in_a_gap_is_seen(code: int, symbol: str, tmp_path: Path) -> None:
    """No client is told of it: positions and cash prove it, and nothing more is sent."""
    began = {"after_orders": 2, "after_sec": 0.1}
    events = (
        ScheduledEvent(what="link_lost", told_after="never", **began),  # type: ignore[arg-type]
        ScheduledEvent(what="position", symbol=symbol, value=Decimal(7), **began),  # type: ignore[arg-type]
        ScheduledEvent(what="link_back", after_orders=2, after_sec=0.3, code=code),
    )
    done = trade(market(SLOW_SELL, events=events), SWITCH, tmp_path)
    assert done.statuses == ["Filled", "Filled", "Skipped", "Skipped"]
    assert done.sent("PlaceOrder") == 2
    assert f"{symbol}: the account shows 7 shares" in done.result.outcomes[2].error
    assert done.settlement.differences


def test_an_order_typed_in_a_gap_ends_the_sending(tmp_path: Path) -> None:
    events = (
        ScheduledEvent(what="link_lost", told_after="never", after_orders=2, after_sec=0.1),
        ScheduledEvent(what="order", symbol="DDD", value=Decimal(5), after_orders=2, after_sec=0.2),
        ScheduledEvent(what="link_back", after_orders=2, after_sec=0.3),
    )
    done = trade(market(SLOW_SELL, events=events), SWITCH, tmp_path)
    assert done.statuses == ["Filled", "Filled", "Skipped", "Skipped"]
    assert "another order works in a planned symbol" in done.result.outcomes[3].error
