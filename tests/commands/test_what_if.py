"""``--what-if`` through the whole command: the broker is asked, shown, believed, and watched."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from src.base.errors import ExitCode
from src.broker.sending import what_if_desk
from src.core.costs.what_if import WhatIfBook
from src.simulator.messages.requests import PlaceOrder
from src.simulator.messages.tables import parse_request
from src.simulator.scenario.records import (
    GatewaySettings,
    Notice,
    OrderBehaviour,
    OrderRule,
    Scenario,
    WhatIfSetup,
)
from tests.commands.conftest import OpenGateway
from tests.commands.kit import PROMPT, Gateway, LateAnswer, Workplace, sample

MARGIN = Notice(code=201, text="Order rejected - reason:INSUFFICIENT MARGIN")
TITLE = "What it will cost, as the broker says now (--what-if):"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_if_desk, "DEADLINE_SEC", 1.0)
    monkeypatch.setattr(what_if_desk, "QUIET_SEC", 0.1)
    monkeypatch.setattr(what_if_desk, "_END_SEC", 0.2)


def answering(setup: WhatIfSetup, *symbols: str, **changes: object) -> Scenario:
    """The sample account, where what-ifs in these symbols are answered so."""
    rule = OrderRule(then=OrderBehaviour(what_if=setup), symbols=symbols)
    return sample(order_rules=(rule,), **changes)


def placed(gateway: Gateway) -> list[PlaceOrder]:
    """Every placeOrder that arrived, as the gateway reads it."""
    wire = gateway.server.wire_log
    found = [parse_request(one.fields, 178) for one in wire if one.name == "PlaceOrder"]
    return [one for one in found if isinstance(one, PlaceOrder)]


def costs_of(out: str) -> list[str]:
    """The lines about what the plan costs."""
    lines = out.splitlines()
    return lines[lines.index(TITLE) :][: out.partition(TITLE)[2].count("\n")]


def test_a_dry_run_sends_questions_alone_and_one_without_the_flag_none(
    place: Workplace, gateway: Gateway
) -> None:
    done = place.run("--what-if")
    assert done.code == ExitCode.OK
    assert set(gateway.order_messages) == {"PlaceOrder"}
    assert [(one.order.what_if, one.order.transmit) for one in placed(gateway)] == [
        (True, True)
    ] * 13
    assert "- commissions $13.00 for 13 orders" in costs_of(done.out)
    assert "To trade it: python rebalance.py --confirm --what-if" in done.out
    plain = place.run()
    assert TITLE not in plain.out
    assert len(placed(gateway)) == 13


def test_a_read_only_run_may_ask(place: Workplace, gateway: Gateway) -> None:
    done = place.run("--confirm", "--read-only", "--what-if", stdin="y\n")
    assert done.code == ExitCode.OK
    assert TITLE in done.out
    assert all(one.order.what_if for one in placed(gateway))


def test_a_confirmed_run_asks_first_and_trades_under_other_ids(
    place: Workplace, gateway: Gateway
) -> None:
    done = place.run("--confirm", "--what-if", stdin="y\n")
    assert done.code == ExitCode.OK
    questions = [one for one in placed(gateway) if one.order.what_if]
    orders = [one for one in placed(gateway) if not one.order.what_if]
    assert (len(questions), len(orders)) == (13, 13)
    assert max(one.order_id for one in questions) < min(one.order_id for one in orders)
    before_the_question = done.out[: done.out.index("Plan ")]
    assert TITLE in before_the_question


def test_after_a_no_only_questions_have_left(place: Workplace, gateway: Gateway) -> None:
    done = place.run("--confirm", "--what-if", stdin="n\n")
    assert done.code == ExitCode.OK
    assert all(one.order.what_if for one in placed(gateway))
    screen = done.out.removesuffix("Nothing was sent.\n").splitlines()[-22:]
    assert any("commissions $13.00" in line for line in screen)
    assert any(line.startswith("Excess liquidity") for line in screen)
    assert max(map(len, done.out.splitlines())) <= 80


def test_a_program_gets_the_figures_and_null_without_the_flag(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(answering(WhatIfSetup(answer="unset"), "GDX"))
    what_if = json.loads(place.run("--what-if", "--json").out)["what_if"]
    assert (what_if["commission_from_usd"], what_if["commission_to_usd"]) == (12, 12)
    assert what_if["commission_unknown"] == ["GDX"]
    assert what_if["before"]["initial_margin_usd"] == 48872.95
    assert what_if["after"]["initial_margin_usd"] is None
    (gdx,) = [one for one in what_if["tickets"] if one["symbol"] == "GDX"]
    assert (gdx["commission_from"], gdx["unknown"]) == (None, "the answer came without figures")
    assert json.loads(place.run("--json").out)["what_if"] is None


def test_a_sell_that_the_broker_refuses_forbids_trading_until_it_is_skipped(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    gateway = open_gateway(answering(WhatIfSetup(refusal=MARGIN), "GDX"))
    done = place.run("--confirm", "--what-if", stdin="y\n")
    assert done.code == ExitCode.REFUSED
    assert PROMPT not in done.err
    (line,) = done.errors
    assert "refuse the SELL of GDX: 201: Order rejected - reason:INSUFFICIENT MARGIN" in line
    assert "add --skip GDX to leave it out" in line
    assert all(one.order.what_if for one in placed(gateway))
    again = place.run("--confirm", "--what-if", "--skip", "GDX", stdin="y\n")
    assert again.code == ExitCode.OK
    dry = place.run("--what-if")
    assert dry.code == ExitCode.OK
    assert "trading: the broker would refuse the SELL of GDX" in dry.out


def test_a_refused_buy_is_a_warning_where_something_is_sold_before(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(answering(WhatIfSetup(refusal=MARGIN), "MGK"))
    done = place.run("--confirm", "--what-if", stdin="n\n")
    assert done.code == ExitCode.OK
    assert PROMPT in done.err
    assert "(checked before the sells)" in " ".join(done.out.split())


def test_a_refused_buy_in_a_plan_without_sells_forbids_trading(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(answering(WhatIfSetup(refusal=MARGIN), "MGK"))
    done = place.run("--confirm", "--what-if", "--only", "MGK", stdin="y\n")
    assert done.code == ExitCode.REFUSED
    assert "the broker would refuse the BUY of MGK" in done.errors[0]


def test_answers_that_never_come_leave_the_cost_unknown_and_trading_possible(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(answering(WhatIfSetup(answer="never"), "GDX", "MGK"))
    done = place.run("--confirm", "--what-if", stdin="y\n")
    assert done.code == ExitCode.OK
    assert "commissions $11.00 for 11 orders; unknown for GDX, MGK" in done.out
    assert "- GDX: unknown (no answer within 10 s)" in done.out
    assert "- margins after are unknown: no figures for GDX, MGK" in done.out


def test_the_read_only_api_says_so(place: Workplace, open_gateway: OpenGateway) -> None:
    gateway = open_gateway(sample(gateway=GatewaySettings(read_only_api=True)))
    done = place.run("--what-if")
    assert done.code == ExitCode.OK
    assert "- unknown: the gateway's read-only API takes no what-ifs; untick" in done.out
    assert gateway.order_messages == []


@pytest.mark.parametrize("flags", [("--what-if",), ("--confirm", "--what-if")])
def test_a_question_that_became_an_order_is_cancelled_and_exit_4(
    place: Workplace, open_gateway: OpenGateway, flags: tuple[str, ...]
) -> None:
    rule = OrderRule(
        then=OrderBehaviour(what_if=WhatIfSetup(answer="order"), never_fills=True), symbols=("GDX",)
    )
    gateway = open_gateway(sample(order_rules=(rule,)))
    done = place.run(*flags, stdin="y\n")
    assert done.code == ExitCode.UNFILLED
    assert PROMPT not in done.err
    assert "SELL 127 GDX" in done.errors[0]
    assert "status Cancelled" in done.errors[0]
    assert "look at the orders and positions in TWS" in done.errors[0]
    assert "sent nothing" not in done.err
    assert gateway.order_messages.count("CancelOrder") == 1


def test_a_stray_order_is_told_although_the_user_interrupts_at_the_question(
    place: Workplace, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    books: list[WhatIfBook] = []

    def book(client_id: int) -> WhatIfBook:
        books.append(WhatIfBook(client_id=client_id))
        return books[-1]

    def come_to_life() -> None:
        books[0].strays[placed(gateway)[0].order_id] = ("status Submitted",)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(what_if_desk, "WhatIfBook", book)
    done = place.run("--confirm", "--what-if", stdin=LateAnswer(["y"], {1: come_to_life}))
    assert done.code == ExitCode.UNFILLED
    assert "status Submitted; a cancel was sent" in done.errors[0]
    assert "nothing was sent" not in done.err
    assert gateway.order_messages.count("CancelOrder") == 1


def test_too_little_excess_liquidity_forbids_trading_and_asks_by_itself(
    place: Workplace, gateway: Gateway
) -> None:
    place.set("rebalance", min_excess_liquidity_usd=78_000)
    assert place.run("--confirm", stdin="n\n").code == ExitCode.OK
    assert len(placed(gateway)) == 13
    place.set("rebalance", min_excess_liquidity_usd=79_000)
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.REFUSED
    assert "below min_excess_liquidity_usd = $79,000.00" in done.errors[0]
    assert PROMPT not in done.err
    dry = place.run()
    assert "min_excess_liquidity_usd = $79,000.00 is not checked here" in " ".join(dry.out.split())


def test_excess_liquidity_that_is_unknown_counts_as_too_little(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(answering(WhatIfSetup(answer="unset"), "SPY"))
    place.set("rebalance", min_excess_liquidity_usd=1)
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.REFUSED
    assert "the excess liquidity after the plan is unknown" in done.errors[0]


def test_a_plan_that_borrows_shows_its_leverage_beside_the_margins(
    place: Workplace, gateway: Gateway
) -> None:
    assert gateway.port
    Path("m.csv").write_text("ETF,ALL\nSPY,130%\nCASH,-30%\n", encoding="utf-8")
    text = place.config.read_text(encoding="utf-8")
    head, _, rest = text.partition("[models]")
    tail = rest.partition("\n[")[2]
    place.config.write_text(f"{head}[models]\nALL = 1\n\n[{tail}", encoding="utf-8")
    done = place.run("--what-if", "--csv", "m.csv")
    assert done.code == ExitCode.OK
    lines = done.out.splitlines()
    place_of = next(n for n, line in enumerate(lines) if line.startswith("Excess liquidity"))
    assert lines[place_of + 1].startswith("Leverage, planned")


@pytest.mark.parametrize(
    "flags",
    [
        ("--recover", "--what-if"),
        ("--rebuild", "20250131T143000Z", "--what-if"),
        ("--from-snapshot", "x.json", "--what-if"),
    ],
)
def test_what_if_goes_with_a_new_plan_of_the_broker_s_alone(
    place: Workplace, flags: tuple[str, ...]
) -> None:
    done = place.run(*flags)
    assert done.code == ExitCode.INPUT
    assert "--what-if" in done.errors[0]
