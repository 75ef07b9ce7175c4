"""What the broker can do to an order, seen from the whole command."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Literal

import pytest

from src.simulator.scenario.records import (
    CancelSetup,
    CommissionSetup,
    Correction,
    FillStep,
    GatewaySettings,
    Hold,
    Notice,
    OrderBehaviour,
    OrderSetup,
    Rejection,
    ScheduledEvent,
    WireFaults,
)
from tests.faults.market import ACCOUNT, CASH_USD, PLAN, account, market, rule
from tests.faults.stage import Stage

FILLED = dict.fromkeys(PLAN, "Filled")
SHORT_LIMIT = {"execution": {"order_timeout_sec": "0.3"}}
ADAPTIVE = {"execution": {"algo_preference": "adaptive"}}
MIDPRICE = {"execution": {"algo_preference": "midprice"}}
CancelAnswer = Literal[
    "normal", "too_late", "not_found", "fills_first", "fills_after", "pending", "ignored"
]


def test_the_undisturbed_run_and_the_one_after_it(stage: Stage) -> None:
    stage.open(market())
    first = stage.confirm()
    assert (first.code, first.statuses) == (0, FILLED)
    assert stage.executed() == PLAN
    assert first.last_line == (
        "4 orders sent; 4 of 4 tickets filled; nothing unresolved. Nothing left to do."
    )
    second = stage.confirm()
    assert (second.code, second.orders, second.new_posts) == (0, [], [])
    assert "Nothing to trade" in second.out
    assert stage.open_runs() == ()


def test_a_settled_run_does_not_make_the_account_suspect(stage: Stage) -> None:
    """What was seen to arrive and is gone again was traded by the user, or it is a new gateway."""
    stage.open(market())
    assert stage.confirm().code == 0
    stage.open(market())
    again = stage.confirm()
    assert (again.code, again.statuses) == (0, FILLED)


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yes please\n"])
def test_anything_but_a_yes_sends_nothing(stage: Stage, answer: str) -> None:
    ending = stage.open(market()).confirm(answer)
    assert (ending.code, ending.orders, ending.new_posts) == (0, [], [])
    assert ending.last_line == "Nothing was sent."
    assert stage.open_runs() == ()


@pytest.mark.parametrize("flags", [("--dry-run", "--confirm"), ("--confirm", "--read-only"), ()])
def test_without_leave_no_order_message_leaves(stage: Stage, flags: tuple[str, ...]) -> None:
    ending = stage.open(market()).run(*flags or ("--dry-run",))
    assert (ending.code, ending.orders, ending.cancels) == (0, [], 0)


# --- rejections ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [110, 201, 203, 10311])
def test_a_rejected_order_does_not_stop_the_others(stage: Stage, code: int) -> None:
    refused = OrderBehaviour(reject=Rejection(code=code, text="Order rejected - reason: KID"))
    ending = stage.open(market(rule(refused, "CCC"))).confirm()
    assert ending.code == 4
    assert ending.statuses == FILLED | {"CCC": "Rejected"}
    assert f"{code}: Order rejected - reason: KID" in ending.rows[2]["error"]
    assert "3 of 4 tickets filled; nothing unresolved" in ending.last_line
    assert len(ending.orders) == 4


@pytest.mark.parametrize("told", ["error_first", "error_only", "status_only"])
def test_a_rejection_told_in_another_order(
    stage: Stage, told: Literal["error_first", "error_only", "status_only"]
) -> None:
    refused = OrderBehaviour(reject=Rejection(told=told))
    ending = stage.open(market(rule(refused, "CCC"))).confirm()
    assert (ending.code, ending.statuses["CCC"]) == (4, "Rejected")


def test_rejected_sells_shrink_the_buys_they_were_to_fund(stage: Stage) -> None:
    refused = OrderBehaviour(reject=Rejection())
    ending = stage.open(market(rule(refused, sides=("SELL",)))).confirm()
    assert ending.code == 4
    bought = sum(
        order.signed_shares * {13: 25, 14: 200}[order.con_id] for order in ending.orders[2:]
    )
    assert 0 < bought <= CASH_USD
    assert "refitted from" in "".join(row["notes"] + row["error"] for row in ending.rows[2:])


def test_a_margin_reject(stage: Stage) -> None:
    """The account's cash vanishes behind our back: the broker itself refuses the buys."""
    gone = ScheduledEvent(what="cash", after_orders=2, value=Decimal(-50_000))
    ending = stage.open(market(events=(gone,))).confirm()
    assert ending.code == 4
    assert {ending.statuses["CCC"], ending.statuses["DDD"]} == {"Rejected"}


def test_a_read_only_api_is_refused_before_the_prompt(stage: Stage) -> None:
    ending = stage.open(market(gateway=GatewaySettings(read_only_api=True))).confirm()
    assert (ending.code, ending.orders) == (5, [])
    assert "[y/N]" not in ending.err
    assert "read-only" in ending.last_line.lower()


def test_fractional_shares_that_the_account_refuses(stage: Stage) -> None:
    stage.changes = {"rebalance": {"allow_fractional": "true", "cash_buffer_pct": "1.234%"}}
    odd = account(cash={"USD": Decimal("5000.17")})
    ending = stage.open(market(accounts=(odd,))).confirm()
    assert ending.code == 4
    assert "Rejected" in ending.statuses.values()
    assert any("10243" in row["error"] for row in ending.rows)


# --- the algo and what takes its place -------------------------------------------------------


@pytest.mark.parametrize("changes", [ADAPTIVE, MIDPRICE])
def test_an_unsupported_order_type_falls_back_to_plain_market_once(
    stage: Stage, changes: Mapping[str, Mapping[str, object]]
) -> None:
    stage.changes = changes
    base = market()
    contracts = tuple(
        type(one)(
            con_id=one.con_id, symbol=one.symbol, price=one.price, algos=False, midprice=False
        )
        for one in base.contracts
    )
    ending = stage.open(market(contracts=contracts)).confirm()
    assert (ending.code, ending.statuses) == (0, FILLED)
    assert len(ending.orders) == 8
    assert [one.order_ref[-1] for one in ending.orders].count("2") == 4
    plain = [one for one in ending.orders if one.order_ref.endswith("-2")]
    assert {(one.order_type, one.algo) for one in plain} == {("MKT", "")}
    assert all("fallback" in row["notes"] for row in ending.rows)


def test_without_the_fallback_the_refusal_stands(stage: Stage) -> None:
    stage.changes = {"execution": {"algo_preference": "adaptive", "fallback_plain_market": "false"}}
    refused = OrderBehaviour(reject=Rejection(code=442, text="bad algo"))
    ending = stage.open(market(rule(refused, "AAA", algos=("Adaptive",)))).confirm()
    assert (ending.code, ending.statuses["AAA"]) == (4, "Rejected")
    assert len(ending.orders) == 4


def test_an_algo_whose_fate_is_unknown_is_not_replaced(stage: Stage) -> None:
    stage.changes = ADAPTIVE
    ending = stage.open(market(rule(OrderBehaviour(silence="lost"), "AAA"))).confirm()
    assert (ending.code, ending.statuses["AAA"]) == (4, "Unresolved")
    assert len([one for one in ending.orders if one.con_id == 11]) == 1


def test_midprice_goes_out_as_such(stage: Stage) -> None:
    stage.changes = MIDPRICE
    ending = stage.open(market()).confirm()
    assert (ending.code, {one.order_type for one in ending.orders}) == (0, {"MIDPRICE"})


# --- notices, holds, silence -----------------------------------------------------------------


@pytest.mark.parametrize("code", [10349, 399, 2109])
def test_a_notice_does_not_end_an_order(stage: Stage, code: int) -> None:
    noticed = OrderBehaviour(notices=(Notice(code=code, text="by the way"),), fill_delay_sec=0.1)
    ending = stage.open(market(rule(noticed, "AAA"))).confirm()
    assert (ending.code, ending.statuses) == (0, FILLED)


@pytest.mark.parametrize("release", [None, 0.1])
def test_an_order_held_until_the_open(stage: Stage, release: float | None) -> None:
    stage.changes = SHORT_LIMIT
    held = OrderBehaviour(hold=Hold(release_after_sec=release))
    ending = stage.open(market(rule(held, "DDD"))).confirm()
    expected = "Filled" if release else "Cancelled"
    assert (ending.code, ending.statuses["DDD"]) == (0 if release else 4, expected)
    assert ending.cancels == (0 if release else 1)


def test_an_order_that_works_without_a_word_is_found_by_asking(stage: Stage) -> None:
    ending = stage.open(market(rule(OrderBehaviour(silence="mute"), "AAA"))).confirm()
    assert (ending.code, ending.statuses) == (0, FILLED)


def test_an_order_that_vanished_stays_unresolved_until_accepted(stage: Stage) -> None:
    stage.open(market(rule(OrderBehaviour(silence="lost"), "AAA")))
    ending = stage.confirm()
    assert (ending.code, ending.statuses["AAA"]) == (4, "Unresolved")
    assert "unresolved: AAA" in ending.last_line
    (run,) = stage.open_runs()
    blocked = stage.confirm()
    assert (blocked.code, blocked.orders) == (5, [])
    assert f"--recover --accept {run.run_id}\n" in blocked.err
    assert (
        f"This run sent nothing. Not settled yet: run {run.run_id}, unresolved AAA" in blocked.err
    )
    stage.may_trade_more = True
    accepted = stage.recover("--accept", run.run_id)
    assert (accepted.code, stage.open_runs()) == (0, ())
    again = stage.confirm()
    assert again.code in (0, 4)
    assert run.run_id not in {one.order_ref.split("-")[1] for one in again.orders}


@pytest.mark.parametrize("events", ["no_status", "repeated", "reversed"])
def test_messages_in_any_order_and_number(
    stage: Stage, events: Literal["no_status", "repeated", "reversed"]
) -> None:
    steps = tuple(FillStep(after_sec=0.01, quantity=Decimal(qty)) for qty in (20, 20, 10))
    ending = stage.open(market(rule(OrderBehaviour(events=events, fills=steps), "AAA"))).confirm()
    assert (ending.code, ending.statuses) == (0, FILLED)


def test_everything_said_twice_and_statuses_before_executions(stage: Stage) -> None:
    wire = WireFaults(
        duplicate_messages=("ExecDetails", "OrderStatus", "CommissionReport", "OpenOrder"),
        reorder_messages=(("ExecDetails", "OrderStatus"), ("ExecDetails", "CommissionReport")),
    )
    ending = stage.open(market(wire=wire)).confirm()
    assert (ending.code, ending.statuses) == (0, FILLED)


# --- partial fills, time limits, cancel races ------------------------------------------------


def test_partial_then_silence_is_cancelled_at_the_time_limit(stage: Stage) -> None:
    stage.changes = SHORT_LIMIT
    partly = OrderBehaviour(fills=(FillStep(quantity=Decimal(7)),))
    ending = stage.open(market(rule(partly, "DDD"))).confirm()
    assert (ending.code, ending.statuses) == (4, FILLED | {"DDD": "PartiallyFilled"})
    assert ending.rows[3]["qty_shares"] == "7"
    assert ending.cancels == 1


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ("too_late", "Filled", 0),
        ("fills_first", "Filled", 0),
        ("fills_after", "Filled", 0),
        ("not_found", "Unresolved", 4),
        ("pending", "Unresolved", 4),
        ("ignored", "Unresolved", 4),
    ],
)
def test_a_cancel_and_a_fill_race(
    stage: Stage, answer: CancelAnswer, status: str, code: int
) -> None:
    stage.changes = SHORT_LIMIT
    resting = OrderBehaviour(never_fills=True, cancel=CancelSetup(answer=answer))
    ending = stage.open(market(rule(resting, "DDD"))).confirm()
    assert (ending.code, ending.statuses) == (code, FILLED | {"DDD": status})
    assert ending.cancels == 1
    assert len(ending.orders) == 4


def test_orders_one_at_a_time(stage: Stage) -> None:
    stage.changes = {"execution": {"batch_orders": "false"}}
    first = OrderBehaviour(fill_delay_sec=0.1)
    ending = stage.open(market(rule(first, "AAA"))).confirm()
    assert (ending.code, ending.statuses) == (0, FILLED)
    sent = [one.at_utc for one in ending.records if one.name == "PlaceOrder"]
    assert (sent[1] - sent[0]).total_seconds() >= 0.1


# --- executions that are wrong, late or corrected --------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"report_account": "DU7654321"},
        {"report_side": "BOT"},
        {"report_con_id": 12},
        {"report_order_ref": "IBR-20200101T000000Z-1-1"},
    ],
)
def test_an_execution_that_cannot_be_ours_stops_everything(
    stage: Stage, wrong: dict[str, object]
) -> None:
    steps = (FillStep(after_sec=0.01, **wrong),)  # type: ignore[arg-type]
    stage.may_trade_more = True
    ending = stage.open(market(rule(OrderBehaviour(fills=steps), "AAA"))).confirm()
    assert ending.code == 4
    assert ending.statuses["AAA"] == "Unresolved"
    assert {ending.statuses["CCC"], ending.statuses["DDD"]} == {"Skipped"}
    assert len(ending.orders) == 2
    assert "unresolved: AAA" in ending.last_line


def test_an_over_fill_is_said_loudly(stage: Stage) -> None:
    steps = (FillStep(), FillStep(after_sec=0.0, quantity=Decimal(3), extra=True))
    slow = OrderBehaviour(fill_delay_sec=0.15)
    stage.may_trade_more = True
    ending = stage.open(
        market(rule(OrderBehaviour(fills=steps), "AAA"), rule(slow, "BBB"))
    ).confirm()
    assert (ending.code, ending.statuses["AAA"]) == (4, "Unresolved")
    assert len(ending.orders) == 2
    assert "over-fill" in ending.out


def test_a_correction_replaces_its_execution(stage: Stage) -> None:
    corrected = Correction(after_sec=0.0, price=Decimal("99.5"))
    steps = (FillStep(correction=corrected),)
    slow = OrderBehaviour(fill_delay_sec=0.15)
    ending = stage.open(
        market(rule(OrderBehaviour(fills=steps), "AAA"), rule(slow, "BBB"))
    ).confirm()
    assert (ending.code, ending.rows[0]["fill_price"]) == (0, "99.5000")


def test_a_busted_execution_is_not_reported_as_filled(stage: Stage) -> None:
    steps = (FillStep(correction=Correction(after_sec=0.0, quantity=Decimal(0))),)
    slow = OrderBehaviour(fill_delay_sec=0.15)
    ending = stage.open(
        market(rule(OrderBehaviour(fills=steps), "AAA"), rule(slow, "BBB"))
    ).confirm()
    assert ending.code == 4
    assert ending.statuses["AAA"] != "Filled"
    assert "AAA" not in stage.executed()


@pytest.mark.parametrize("setup", [{"reported": "unset"}, {"delay_sec": 9}])
def test_a_commission_that_is_missing_is_called_pending(
    stage: Stage, setup: dict[str, object]
) -> None:
    unpaid = OrderBehaviour(commission=CommissionSetup(**setup))  # type: ignore[arg-type]
    ending = stage.open(market(rule(unpaid, "DDD"))).confirm()
    assert (ending.code, ending.statuses) == (0, FILLED)
    assert "pending" in ending.rows[3]["notes"]
    assert "1 commission pending" in ending.out


def test_positions_that_never_follow_the_fills(stage: Stage) -> None:
    ending = stage.open(market(gateway=GatewaySettings(account_lag_sec=60))).confirm()
    assert (ending.code, ending.statuses) == (4, FILLED)
    assert "Compare the positions in TWS before the next run." in ending.last_line


# --- order ids, strangers, interrupts --------------------------------------------------------


def test_order_ids_that_roll_back_are_not_used_again(stage: Stage) -> None:
    """F55: after a gateway restart nextValidId is lower than what the journal knows."""
    stage.open(market())
    stage.confirm()
    back = ScheduledEvent(what="ids_back", value=Decimal(10))
    stage.exchange.inject(back, stage.server._clock())
    stage.exchange.inject(
        ScheduledEvent(what="position", symbol="AAA", value=Decimal(150)), stage.server._clock()
    )
    stage.may_trade_more = True
    ending = stage.confirm()
    assert ending.code == 0
    assert min(one.order_id for one in ending.orders) > 4


def test_fills_of_an_earlier_run_are_no_strangers_though_the_brokers_clock_is_ahead(
    stage: Stage,
) -> None:
    """A question about an order brings all executions of the day, also the last run's."""
    ahead = datetime.now(timezone.utc) + timedelta(seconds=30)
    mute = OrderBehaviour(silence="mute")
    stage.open(market(rule(mute, numbers=(5,)), clock=ahead, market="open"))
    assert stage.confirm().code == 0
    back = ScheduledEvent(what="position", symbol="AAA", value=Decimal(150))
    stage.exchange.inject(back, stage.server._clock())
    stage.may_trade_more = True
    ending = stage.confirm()
    assert (ending.code, "alarm" in ending.err) == (0, False)
    assert ending.orders


def test_somebody_elses_working_order_refuses_the_run(stage: Stage) -> None:
    other = OrderSetup(symbol="CCC", quantity=Decimal(5), side="BUY", limit_price=Decimal(1))
    ending = stage.open(market(orders=(other,))).confirm()
    assert (ending.code, ending.orders, ending.cancels) == (5, [], 0)
    assert "working orders in planned symbols: BUY 5 CCC" in ending.last_line


@pytest.mark.parametrize("at_order", [1, 2, 3])
def test_ctrl_c_while_orders_work(stage: Stage, at_order: int) -> None:
    stage.order_hooks[at_order] = lambda _: signal.raise_signal(signal.SIGINT)
    ending = stage.open(market(rule(OrderBehaviour(never_fills=True), "BBB", "CCC"))).confirm()
    assert ending.code == 130
    assert set(ending.statuses.values()) <= {"Filled", "Cancelled", "Skipped"}
    assert ending.cancels >= 1 or at_order == 1
    assert "You stopped the run; start it again to plan the rest anew." in ending.last_line
    assert stage.open_runs() == ()


def test_ctrl_c_with_an_order_that_does_not_answer(stage: Stage) -> None:
    stage.order_hooks[1] = lambda _: signal.raise_signal(signal.SIGINT)
    dead = OrderBehaviour(never_fills=True, cancel=CancelSetup(answer="ignored"))
    ending = stage.open(market(rule(dead, "AAA"))).confirm()
    assert (ending.code, ending.statuses["AAA"]) == (4, "Unresolved")
    assert ACCOUNT not in ending.out


# --- the account afterwards ------------------------------------------------------------------


def test_an_account_that_cannot_be_read_after_trading_is_said_everywhere(stage: Stage) -> None:
    """All filled, then the account shows a short position: nobody knows where it stands."""
    gone = ScheduledEvent(what="position", after_orders=4, symbol="BBB", value=Decimal(-500))
    stage.may_trade_more = True
    ending = stage.open(market(events=(gone,))).confirm()
    assert (ending.code, ending.statuses) == (4, FILLED)
    assert "PROBLEM: the account could not be read after the last order" in ending.out
    assert "Nothing left to do" not in ending.last_line
    assert ending.last_line.endswith("Compare the positions in TWS before the next run.")
    notes = [row["notes"] for row in ending.rows]
    assert all("the account could not be read after the last order" in note for note in notes)
    (path,) = ending.new_posts
    written = path.read_bytes()
    path.unlink()
    run_id = path.stem.removeprefix("rebalance_post_")
    assert stage.run("--rebuild", run_id).code == 0
    assert path.read_bytes() == written


# --- a run that the user takes over ----------------------------------------------------------


def test_an_order_that_works_cannot_be_accepted(stage: Stage) -> None:
    """It is Unresolved as its cancel was ignored; accepting it would lose its later fill."""
    stage.changes = SHORT_LIMIT
    resting = OrderBehaviour(never_fills=True, cancel=CancelSetup(answer="ignored"))
    assert stage.open(market(rule(resting, "DDD"))).confirm().code == 4
    (run,) = stage.open_runs()
    refused = stage.recover("--accept", run.run_id)
    assert (refused.code, [one.run_id for one in stage.open_runs()]) == (5, [run.run_id])
    assert f"Run {run.run_id} is not accepted" in refused.out
    assert "still works" in refused.out
    stage.cancel_by_hand()
    proven = stage.recover("--accept", run.run_id)
    assert (proven.code, stage.open_runs()) == (0, ())
    assert f"Run {run.run_id} is settled" in proven.out
    assert {row["status"] for row in proven.rows} == {"Filled", "Cancelled"}


def test_a_run_is_not_accepted_without_asking_the_broker(stage: Stage) -> None:
    stage.open(market(rule(OrderBehaviour(silence="lost"), "AAA"))).confirm()
    (run,) = stage.open_runs()
    stage.changes = {"ibkr": {"host": "127.0.0.2"}}
    lost = stage.recover("--accept", run.run_id)
    assert (lost.code, [one.run_id for one in stage.open_runs()]) == (3, [run.run_id])


def test_what_is_open_is_a_table_and_three_ways_on(stage: Stage) -> None:
    """Not a paragraph: the same lines for the run that is refused and for ``--recover``."""
    behaviour = OrderBehaviour(silence="lost")
    stage.open(market(rule(behaviour, "AAA"), rule(behaviour, "BBB"))).confirm()
    (run,) = stage.open_runs()
    blocked, looked = stage.confirm(), stage.recover()
    assert (blocked.code, looked.code) == (5, 5)
    assert f"error: run {run.run_id} is unresolved (AAA" in blocked.err
    assert f"Still open: run {run.run_id} (AAA" in looked.out
    for text in (blocked.err, looked.out):
        lines = text.splitlines()
        head = next(number for number, line in enumerate(lines) if line.startswith("symbol "))
        assert lines[head + 1].split()[:6] == ["AAA", "SELL", "50", "0", "not", "listed"]
        shown = [line for line in lines[head:] if not line.startswith("This run sent nothing.")]
        ways = [line.partition("python rebalance.py ")[2] for line in shown]
        assert [way for way in ways if way] == [
            "--recover",
            "--recover --cancel",
            f"--recover --accept {run.run_id}",
        ]
        assert max(map(len, shown)) <= 80
