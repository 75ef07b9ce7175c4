"""The wishes of one run through the whole command: dry run, from a file, and traded."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

from src.base.errors import ExitCode
from src.simulator.scenario.orders import OrderBehaviour, OrderRule
from tests.commands.conftest import OpenGateway
from tests.commands.kit import ACCOUNT, Done, Gateway, Workplace, sample

PRICES = {"AAA": 100, "BBB": 50, "CCC": 25}


def from_file(place: Workplace, *flags: str) -> Done:
    """A plan of $10,000: AAA 20% over, BBB 20% and CCC 10% under, cash 10%."""
    held = {"AAA": 70, "BBB": 20, "CCC": 40}
    document = {
        "account_id": ACCOUNT,
        "cash_usd": 1000,
        "positions": [{"symbol": symbol, "qty_shares": qty} for symbol, qty in held.items()],
        "prices": PRICES,
    }
    Path("held.json").write_text(json.dumps(document), encoding="utf-8")
    Path("model.csv").write_text("ETF,ALL\nAAA,50%\nBBB,30%\nCCC,20%\n", encoding="utf-8")
    lines = ("[ibkr]", f"account_id = {ACCOUNT}", "[models]", "ALL = 1")
    Path("own.ini").write_text("\n".join(lines), encoding="utf-8")
    files = ("--from-snapshot", "held.json", "--config", "own.ini", "--csv", "model.csv")
    return place.run(*files, "--json", *flags)


def test_wishes_change_a_plan_from_a_file(place: Workplace) -> None:
    done = from_file(place, "--skip", "aaa", "--no-sell")
    assert done.code == ExitCode.OK
    document = json.loads(done.out)
    assert document["wishes"] == {"no_sell": True, "skip": ["AAA"]}
    assert {one["side"] for one in document["tickets"]} == {"BUY"}
    assert {"symbol": "AAA", "code": "wish", "reason": "left alone: skipped by you"} in document[
        "skipped"
    ]


def test_a_name_that_is_neither_held_nor_targeted_is_exit_2(place: Workplace) -> None:
    done = from_file(place, "--only", "AAB,BBB")
    assert done.code == ExitCode.INPUT
    assert "--only AAB: neither held nor in the models' targets, did you mean AAA?" in done.err


def test_only_the_named_symbols_are_traded(place: Workplace, gateway: Gateway) -> None:
    done = place.run("--confirm", "--only", "SPY,GDX", stdin="y\n")
    assert done.code == ExitCode.OK
    assert {order.symbol for order in gateway.orders} == {"SPY", "GDX"}
    assert "wish: only SPY, GDX traded (--only)" in done.out
    (report,) = Path("reports").glob("*post*.csv")
    assert "wish: only SPY, GDX traded (--only)" in report.read_text(encoding="utf-8")


def test_new_money_is_invested_and_the_next_wish_hears_of_it(
    place: Workplace, gateway: Gateway
) -> None:
    done = place.run("--confirm", "--invest", "1000", stdin="y\n")
    assert done.code == ExitCode.OK
    assert {order.side for order in gateway.orders} == {"BUY"}
    assert "wish: $1,000.00 is invested (--invest)" in done.out
    again = place.run("--invest", "1000")
    assert again.code == ExitCode.OK
    assert "Before you invest again:\n- you invested $9" in again.out
    assert "Before you invest again" not in place.run().out


def test_an_amount_that_is_none_is_exit_2_and_says_what_is_meant(place: Workplace) -> None:
    done = from_file(place, "--invest", "0")
    assert done.code == ExitCode.INPUT
    assert done.errors == ["--invest '0': the amount must be above 0 (--help shows all flags)"]


def test_nothing_to_invest_is_said_with_exit_0(place: Workplace) -> None:
    done = from_file(place, "--invest", "7")
    assert done.code == ExitCode.OK
    assert "--invest 500.00 would do" in done.out


def test_money_is_freed_and_the_next_run_names_it_above_everything(
    place: Workplace, gateway: Gateway
) -> None:
    done = place.run("--confirm", "--withdraw", "15000", stdin="y\n")
    assert done.code == ExitCode.OK
    assert {order.side for order in gateway.orders} == {"SELL"}
    last = done.out.rstrip().splitlines()[-1]
    assert re.search(
        r"\$15,000\.00 is free to take out once the sells have settled, on \w{3} \d", last
    )
    again = place.run()
    assert again.out.startswith("$15,000.00 freed on ")
    assert "would be invested again" in again.out
    assert "freed on" not in place.run("--withdraw", "15000").out


def test_a_sell_that_does_not_fill_leaves_the_missing_sum_and_exit_4(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    never = OrderRule(then=OrderBehaviour(never_fills=True), symbols=("GDX",))
    gateway = open_gateway(sample(order_rules=(never,)))
    place.set("execution", order_timeout_sec="0.5")
    done = place.run("--confirm", "--withdraw", "15000", stdin="y\n")
    assert done.code == ExitCode.UNFILLED
    assert {order.side for order in gateway.orders} == {"SELL"}
    last = done.out.rstrip().splitlines()[-1]
    amount = r"\$([\d,.]+)"
    words = f"PROBLEM: {amount} of {amount} is free to take out, {amount} is missing"
    ((freed, total, missing),) = re.findall(words, done.out)
    assert f"${freed} is free to take out" in last
    amounts = [Decimal(one.replace(",", "")) for one in (freed, missing, total)]
    assert amounts[0] + amounts[1] == amounts[2] == 15000
    assert 0 < amounts[1] < 15000


def test_more_than_there_is_to_take_out_is_exit_5_with_the_most(place: Workplace) -> None:
    done = from_file(place, "--withdraw", "10000")
    assert done.code == ExitCode.REFUSED
    assert "out of reach: at most $9,945.00 can be freed" in done.err


def test_a_dry_run_ends_with_the_command_that_trades_the_same(
    place: Workplace, gateway: Gateway
) -> None:
    done = place.run("--withdraw", "15000", "--skip", "SPY")
    assert "python rebalance.py --confirm --withdraw 15000 --skip SPY" in done.out
    assert gateway.order_messages == []
