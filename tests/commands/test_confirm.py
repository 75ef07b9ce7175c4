"""``--confirm``: a yes trades exactly what was shown, anything else sends nothing."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from src.base.errors import ExitCode
from src.broker.client.guarded_client import GuardedClient
from src.simulator.scenario.records import (
    GatewaySettings,
    OrderBehaviour,
    OrderRule,
    Rejection,
    ScheduledEvent,
)
from tests.commands.conftest import OpenGateway
from tests.commands.kit import (
    ACCOUNT,
    LIMIT_SEC,
    PROMPT,
    ROOT,
    STILL,
    Done,
    Gateway,
    LateAnswer,
    Order,
    Workplace,
    finish,
    orders_among,
    sample,
)


def planned(place: Workplace, *flags: str) -> list[Order]:
    """What a dry run plans now, as orders."""
    document = json.loads(place.run("--json", *flags).out)
    return [
        Order(side=one["side"], qty=str(one["qty_shares"]), symbol=one["symbol"])
        for one in document["tickets"]
    ]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def in_report(path: Path) -> list[Order]:
    """What a pre-trade report says is to be traded."""
    return [
        Order(side=row["action"], qty=row["qty_shares"], symbol=row["symbol"])
        for row in rows(path)
        if row["action"] != "NONE"
    ]


@contextmanager
def standalone(wire_log: Path) -> Iterator[int]:
    """``python -m src.simulator`` as a process; its port."""
    command = [sys.executable, "-m", "src.simulator", "--port", "0", "--wire-log", str(wire_log)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            ready = dict(part.split("=") for part in process.stdout.readline().split()[1:])
            yield int(ready["port"])
        finally:
            process.terminate()
            process.wait(LIMIT_SEC)


def test_processes_of_their_own_trade_once(place: Workplace, tmp_path: Path) -> None:
    """As a person does it: the gateway alone, a dry run, the trades, and nothing left to do."""
    wire_log = tmp_path / "wire.jsonl"
    with standalone(wire_log) as port:
        place.set("ibkr", port=port, account_id=ACCOUNT, read_only="false")
        expected = planned(place)
        first = finish(place.start("--confirm"), "y\n")
        second = finish(place.start("--confirm"), "y\n")
    assert first.code == ExitCode.OK
    assert PROMPT in first.err
    assert "13 orders sent; 13 of 13 tickets filled; nothing unresolved." in first.out
    assert second.code == ExitCode.OK
    assert "Nothing to trade." in second.out
    assert PROMPT not in second.err
    messages = [json.loads(line) for line in wire_log.read_text(encoding="utf-8").splitlines()]
    sent = orders_among((one["name"], one["fields"]) for one in messages)
    assert sent == sorted(expected, key=lambda order: order.side == "BUY")
    assert not [one for one in messages if one["name"] in ("CancelOrder", "ReqGlobalCancel")]


def test_the_records_of_a_run_agree(place: Workplace, gateway: Gateway) -> None:
    expected = planned(place)
    done = place.run("--confirm", stdin="yes\n")
    assert done.code == ExitCode.OK
    assert sorted(map(str, gateway.orders)) == sorted(map(str, expected))
    _, pre = place.reports_named("rebalance_pre_")
    (post,) = place.reports_named("rebalance_post_")
    *_, log = place.reports_named("rebalance_2")
    run_id = place.run_id()
    assert [path.stem.rpartition("_")[2] for path in (pre, post, log)] == [run_id] * 3
    for name, path in (("Plan:   ", pre), ("Report: ", post), ("Log:    ", log)):
        assert f"{name}{path.relative_to(place.path)}" in done.out.splitlines()[-6:]
    told = in_report(pre)
    filled = [
        Order(
            side="SELL" if Decimal(row["qty_shares"]) < 0 else "BUY",
            qty=row["qty_shares"].lstrip("-"),
            symbol=row["symbol"],
        )
        for row in rows(post)
    ]
    assert sorted(map(str, told)) == sorted(map(str, filled)) == sorted(map(str, expected))
    assert {row["status"] for row in rows(post)} == {"Filled"}
    text = log.read_text(encoding="utf-8")
    assert "plan approved" in text
    assert "run finished exit_code=0" in text
    assert ACCOUNT not in text
    rebuilt = post.read_bytes()
    post.unlink()
    assert place.run("--rebuild", run_id).code == ExitCode.OK
    assert post.read_bytes() == rebuilt


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yess\n", "no\n", f"{ACCOUNT}\n", "\udcff\n"])
def test_anything_but_a_yes_sends_nothing(place: Workplace, gateway: Gateway, answer: str) -> None:
    done = place.run("--confirm", stdin=answer)
    assert (done.code, done.errors) == (ExitCode.OK, [])
    assert done.out.splitlines()[-1] == "Nothing was sent."
    assert done.err.splitlines()[0] == (
        "Send 13 orders in DU***567 (paper): sell 7 for $28,862.79 (incl. ALL 18 XLE, in no model),"
        f" buy 6 for $32,141.22{PROMPT}"
    )
    assert gateway.order_messages == []
    (log,) = place.reports_named("rebalance_2")
    assert "plan declined" in log.read_text(encoding="utf-8")
    assert place.reports_named("rebalance_post_") == []


@pytest.mark.parametrize("answer", ["y", " Y ", "YES", "Yes"])
def test_every_spelling_of_yes_trades(
    place: Workplace, open_gateway: OpenGateway, answer: str
) -> None:
    place.set("rebalance", per_holding_band_bps=600)
    gateway = open_gateway(sample())
    assert place.run("--confirm", stdin=answer + "\n").code == ExitCode.OK
    assert gateway.orders


@pytest.mark.parametrize("answer", ["nothing", "everything"])
def test_f124_a_confirmed_run_works_however_a_second_subscription_is_answered(
    place: Workplace, open_gateway: OpenGateway, answer: Literal["nothing", "everything"]
) -> None:
    place.set("rebalance", per_holding_band_bps=600)
    place.set("ibkr", connect_timeout_sec=2)
    gateway = open_gateway(sample(gateway=GatewaySettings(repeated_subscription=answer)))
    done = place.run("--confirm", stdin="y\n")
    assert (done.code, done.errors) == (ExitCode.OK, [])
    assert gateway.orders
    assert "2100" not in done.out + done.err


def test_simulated_runs_start_afresh_each_time(place: Workplace) -> None:
    place.set("rebalance", per_holding_band_bps=900)
    for _ in range(2):
        done = place.run("--confirm", "--simulate", STILL, stdin="y\n")
        assert done.code == ExitCode.OK
        assert "1 of 1 ticket filled" in done.out
        assert done.out.count("SIMULATED") >= 2


# --- the second look ------------------------------------------------------------------------

IN_THE_MEANTIME = {
    "position": (ScheduledEvent(what="position", symbol="GDX", value=Decimal(150)), "GDX: 205"),
    "price": (ScheduledEvent(what="price", symbol="IBIT", value=Decimal("65.00")), "IBIT: price"),
    "cash": (ScheduledEvent(what="cash", value=Decimal(9000)), "- cash: "),
}


@pytest.mark.parametrize("name", IN_THE_MEANTIME)
def test_what_changed_while_the_prompt_was_open_is_planned_anew(
    place: Workplace, gateway: Gateway, name: str
) -> None:
    event, words = IN_THE_MEANTIME[name]
    before = planned(place)
    happens = {1: lambda: gateway.happen(event)}
    done = place.run("--confirm", stdin=LateAnswer(["y", "n"], happens))
    assert (done.code, done.errors) == (ExitCode.OK, [])
    assert "The plan no longer holds and is made again:" in done.out
    assert words in done.out
    assert done.err.count(PROMPT) == 2
    assert gateway.order_messages == []
    assert planned(place) != before


def test_on_24_lines_the_last_ones_say_what_a_yes_needs(place: Workplace, gateway: Gateway) -> None:
    event, _ = IN_THE_MEANTIME["position"]
    happens = {1: lambda: gateway.happen(event)}
    done = place.run("--confirm", stdin=LateAnswer(["y", "n"], happens))
    screen = done.out.removesuffix("Nothing was sent.\n").splitlines()[-20:]
    changed = screen[screen.index("Changed since the last question:") + 1 :]
    changed = [line for line in changed if line.startswith("- ")]
    assert "- GDX: SELL 127 before, 74 now" in changed
    first, second = sorted(place.reports_named("rebalance_pre_"), key=lambda path: len(path.name))
    before, now = ({one.symbol: one for one in in_report(path)} for path in (first, second))
    differ = {symbol for symbol in before if before[symbol] != now[symbol]}
    assert {line[2:].partition(":")[0] for line in changed} == differ
    assert "Changed since" not in done.out.partition("The plan no longer holds")[0]


@pytest.mark.parametrize("code", [354, 10197])
def test_f91_a_price_whose_stream_the_broker_ended_is_not_traded_on(
    place: Workplace, gateway: Gateway, code: int
) -> None:
    place.set("pricing", fallback_to_snapshot="false", price_timeout_sec=1)
    ended = ScheduledEvent(what="data_refused", code=code, symbol="IBIT")
    done = place.run("--confirm", stdin=LateAnswer(["y"], {1: lambda: gateway.happen(ended)}))
    assert done.code == ExitCode.REFUSED
    (line,) = done.errors
    assert f"no usable price (last) for IBIT ({code}: " in line
    assert gateway.order_messages == []


def test_a_yes_to_the_second_plan_trades_the_second_plan(
    place: Workplace, gateway: Gateway
) -> None:
    place.set("rebalance", per_holding_band_bps=600)
    event, _ = IN_THE_MEANTIME["position"]
    happens = {1: lambda: gateway.happen(event)}
    done = place.run("--confirm", stdin=LateAnswer(["y", "y"], happens))
    assert done.code == ExitCode.OK
    first, second = sorted(place.reports_named("rebalance_pre_"), key=lambda path: len(path.name))
    assert in_report(first) != in_report(second)
    assert sorted(map(str, gateway.orders)) == sorted(map(str, in_report(second)))


def test_a_working_order_that_appears_meanwhile_is_a_refusal(
    place: Workplace, gateway: Gateway
) -> None:
    event = ScheduledEvent(what="order", symbol="GDX", value=Decimal(-5))
    happens = {1: lambda: gateway.happen(event)}
    done = place.run("--confirm", stdin=LateAnswer(["y", "y"], happens))
    assert done.code == ExitCode.REFUSED
    assert "new working order" in done.out
    assert "working orders in planned symbols: SELL 5 GDX" in done.err
    assert gateway.order_messages == []


def test_a_market_that_never_rests_ends_the_asking(place: Workplace, gateway: Gateway) -> None:
    def move(price: int) -> None:
        gateway.happen(ScheduledEvent(what="price", symbol="IBIT", value=Decimal(price)))

    happens = {number: lambda n=number: move(60 + 4 * (n % 2)) for number in range(1, 6)}
    done = place.run("--confirm", stdin=LateAnswer(["y"] * 6, happens))
    assert done.code == ExitCode.REFUSED
    assert done.err.count(PROMPT) == 3
    assert "kept changing over 3 plans" in done.err
    assert gateway.order_messages == []


def test_an_old_plan_is_not_traded(place: Workplace, gateway: Gateway) -> None:
    place.set("execution", plan_max_age_sec="0.000001")
    done = place.run("--confirm", stdin="y\nn\n")
    assert done.code == ExitCode.OK
    assert re.search(r"- the plan is \d+ s old, 0.000001 s allowed", done.out)
    assert gateway.order_messages == []


def test_a_plan_that_slept_with_the_computer_is_old(
    place: Workplace, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F80: the lid was closed for ten minutes at the prompt; the monotonic clock stood still."""
    slept = 0.0

    def close_the_lid() -> None:
        nonlocal slept
        slept = 600.0

    monkeypatch.setattr("src.broker.wire.clock.sec_with_sleep", lambda: slept)
    done = place.run("--confirm", stdin=LateAnswer(["y", "n"], {1: close_the_lid}))
    assert done.code == ExitCode.OK
    assert "- the plan is 600 s old, 120 s allowed" in done.out
    assert gateway.order_messages == []


# --- how a run that traded ends -------------------------------------------------------------


def ends(done: Done, code: ExitCode, *words: str) -> None:
    assert done.code == code, done
    last = done.out.splitlines()[-1]
    assert " sent; " in last
    assert [word for word in words if word not in done.out] == []


def test_a_rejected_order_is_exit_4_and_does_not_stop_the_others(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    refused = OrderBehaviour(reject=Rejection(code=201, text="Order rejected - reason:Test."))
    gateway = open_gateway(sample(order_rules=(OrderRule(then=refused, symbols=("GLD",)),)))
    done = place.run("--confirm", stdin="y\n")
    ends(done, ExitCode.UNFILLED, "Rejected", "12 of 13 tickets filled; nothing unresolved")
    (post,) = place.reports_named("rebalance_post_")
    status = {row["symbol"]: row["status"] for row in rows(post)}
    assert status.pop("GLD") == "Rejected"
    assert set(status.values()) == {"Filled"}
    assert len(gateway.orders) == 14  # a 201 may mean the algo: one plain attempt
    again = place.run("--confirm", stdin="n\n")
    assert "1 order: 0 to sell, 1 to buy" in again.out


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends a process on Windows")
def test_ctrl_c_cancels_what_works_and_a_later_run_goes_on(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    resting = OrderRule(then=OrderBehaviour(never_fills=True), numbers=tuple(range(3, 20)))
    gateway = open_gateway(sample(order_rules=(resting,)))
    done = place.run("--confirm", stdin="y\n", during=lambda: stop_after_orders(gateway, 7))
    ends(done, ExitCode.INTERRUPTED, "2 of 13 tickets filled; nothing unresolved", "You stopped")
    (post,) = place.reports_named("rebalance_post_")
    assert Counter(row["status"] for row in rows(post)) == {
        "Filled": 2,
        "Cancelled": 5,
        "Skipped": 6,
    }
    assert gateway.order_messages.count("CancelOrder") == 5
    again = place.run("--confirm", stdin="n\n")
    assert again.code == ExitCode.OK
    assert PROMPT in again.err


def stop_after_orders(gateway: Gateway, count: int) -> None:
    """Press Ctrl+C once the gateway has that many orders."""
    gateway.wait_for("PlaceOrder", count)
    os.kill(os.getpid(), signal.SIGINT)


def test_a_report_that_cannot_be_written_goes_to_the_screen(
    place: Workplace, gateway: Gateway
) -> None:
    place.set("rebalance", per_holding_band_bps=900)

    def put_a_file_in_the_way() -> None:
        place.reports.rename(place.path / "elsewhere")
        place.reports.write_text("in the way", encoding="utf-8")

    done = place.run("--confirm", stdin=LateAnswer(["y"], {1: put_a_file_in_the_way}))
    ends(done, ExitCode.UNFILLED, "1 of 1 ticket filled", "--rebuild", "could not be written")
    printed = [line for line in done.out.splitlines() if line.startswith("timestamp_run,")]
    assert len(printed) == 1
    place.reports.unlink()
    (place.path / "elsewhere").rename(place.reports)
    assert place.run("--rebuild", place.run_id()).code == ExitCode.OK
    (post,) = place.reports_named("rebalance_post_")
    assert post.read_text(encoding="utf-8").splitlines()[0] in done.out
    assert [row["status"] for row in rows(post)] == ["Filled"]
    assert len(gateway.orders) == 1


def test_ctrl_c_after_the_yes_and_before_the_first_order_sends_nothing(
    place: Workplace, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = GuardedClient.calm

    async def interrupted(client: GuardedClient, messages: int) -> None:
        """The questions of before still have to pass when the user thinks better of it."""
        monkeypatch.setattr(GuardedClient, "calm", calm)
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0.01)

    monkeypatch.setattr(GuardedClient, "calm", interrupted)
    done = place.run("--confirm", stdin="y\n")
    assert gateway.orders == []
    assert done.code == ExitCode.INTERRUPTED
    (post,) = place.reports_named("rebalance_post_")
    assert {row["status"] for row in rows(post)} == {"Skipped"}
