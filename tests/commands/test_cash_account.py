"""An account that may not spend the proceeds of its sells before they settle, as whole commands.

47% of it must be sold; the buys go far beyond its settled cash (F-108).
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from src import snapshot
from src.base.errors import ExitCode
from src.simulator.scenario.records import (
    AccountSetup,
    ContractSetup,
    OrderSetup,
    PositionSetup,
    Scenario,
    ValueOverride,
)
from tests.commands.conftest import OpenGateway
from tests.commands.kit import ACCOUNT, Gateway, Workplace

PRICES = {"AAA": 100, "BBB": 50, "CCC": 25, "DDD": 40}
PORTFOLIO = "ETF,ONE\nAAA,34%\nBBB,13%\nCCC,33%\nDDD,19%\nCASH,1%\n"


def market(spread: str = "0", **changes: object) -> Scenario:
    """94,000 USD of AAA and BBB and 6,000 in cash, where 47% is to be sold."""
    setup = AccountSetup(
        account_id=ACCOUNT,
        type="cash",
        cash={"USD": Decimal(6000)},
        positions=(
            PositionSetup(symbol="AAA", quantity=Decimal(470), avg_cost=Decimal(10)),
            PositionSetup(symbol="BBB", quantity=Decimal(940), avg_cost=Decimal(10)),
        ),
    )
    return Scenario(
        accounts=(replace(setup, **changes),),  # type: ignore[arg-type]
        contracts=tuple(
            ContractSetup(con_id=11 + n, symbol=name, price=Decimal(price), spread=Decimal(spread))
            for n, (name, price) in enumerate(PRICES.items())
        ),
        usd_rates={"EUR": Decimal("1.1")},
        fill_delay_sec=0.02,
    )


def settings_text(port: int, **rebalance: object) -> str:
    rules = {"min_order_usd": 500, "cash_buffer_pct": "1%", **rebalance}
    return "\n".join(
        (
            f"[ibkr]\nport = {port}\naccount_id = {ACCOUNT}\nread_only = false",
            "[models]\nONE = 1",
            "[rebalance]",
            *(f"{key} = {value}" for key, value in rules.items()),
            "[execution]\nalgo_preference = none",
        )
    )


def prepare(
    place: Workplace,
    open_gateway: OpenGateway,
    setting: Scenario,
    portfolio: str = PORTFOLIO,
    **rebalance: object,
) -> Gateway:
    """Start the gateway; write both files for it."""
    running = open_gateway(setting)
    place.csv.write_text(portfolio, encoding="utf-8")
    place.config.write_text(settings_text(running.port, **rebalance), encoding="utf-8")
    return running


def one_line(text: str) -> str:
    return " ".join(text.split())


def bought_usd(gateway: Gateway) -> int:
    return sum(int(one.qty) * PRICES[one.symbol] for one in gateway.orders if one.side == "BUY")


def test_what_waits_for_the_proceeds_is_said_before_the_answer_and_is_exit_0(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    gateway = prepare(place, open_gateway, market())
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK, done.err
    told = one_line(done.out.partition("orders sent")[0])
    assert "Cash account (STKCASH INDIVIDUAL), available funds $6,000.00" in told
    assert "of the buys waits for the sells' proceeds to settle (IBKR decides; usually" in told
    assert "$47,300.00 stays in cash" in told
    assert "Run again when the sells have settled" in done.out.strip().splitlines()[-1]
    assert sum(one.side == "SELL" for one in gateway.orders) == 2
    assert bought_usd(gateway) == 5700
    assert gateway.server.exchange.next_due_utc() is not None


def test_the_reserve_is_counted_at_the_ask(place: Workplace, open_gateway: OpenGateway) -> None:
    """The broker reserves at what a buy will cost, not at the last price that planned it."""
    gateway = prepare(place, open_gateway, market(spread="2"))
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK, done.err
    assert 0 < bought_usd(gateway) < 5700
    assert "refitted from" in (place.reports_named("rebalance_post")[0]).read_text()


def test_the_rest_of_the_plan_is_skipped_with_its_code(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    prepare(place, open_gateway, market())
    shown = json.loads(place.run("--json").out)
    assert [(one["symbol"], one["code"]) for one in shown["skipped"]] == [("DDD", "settlement")]
    assert any("stays in cash" in text for text in shown["notices"])


def test_a_snapshot_file_of_it_gives_the_same_plan(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    prepare(place, open_gateway, market())
    printed = place.run("--config", str(place.config), "--csv", str(place.csv), main=snapshot.main)
    file = place.path / "snapshot.json"
    file.write_text(printed.out, encoding="utf-8")
    live = json.loads(place.run("--json").out)
    planned = json.loads(place.run("--from-snapshot", str(file), "--json").out)
    assert planned["tickets"] != []
    assert [(one["symbol"], one["qty_shares"]) for one in planned["tickets"]] == [
        (one["symbol"], one["qty_shares"]) for one in live["tickets"]
    ]
    assert [one["code"] for one in planned["skipped"]] == ["settlement"]


@pytest.mark.parametrize("trading_type", ["STKNOPT", "IRAMRGN"])
def test_other_kinds_spend_the_proceeds_at_once(
    place: Workplace, open_gateway: OpenGateway, trading_type: str
) -> None:
    gateway = prepare(place, open_gateway, market(type="margin", trading_type=trading_type))
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK, done.err
    assert "settle" not in done.out
    assert bought_usd(gateway) > 51_000


@pytest.mark.parametrize("said", [None, "STKSOMETHING"])
def test_an_unknown_kind_is_treated_as_cash_and_says_so(
    place: Workplace, open_gateway: OpenGateway, said: str | None
) -> None:
    unknown = (ValueOverride(key="TradingType-S", currency="", value=said),)
    gateway = prepare(place, open_gateway, market(overrides=unknown))
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK, done.err
    assert "it is treated as a cash account" in one_line(done.out)
    assert bought_usd(gateway) == 5700


def test_available_funds_in_another_base_currency_are_converted(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    setting = market(base_currency="EUR", cash={"USD": Decimal(6000), "EUR": Decimal(3000)})
    gateway = prepare(place, open_gateway, setting)
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK, done.err
    assert bought_usd(gateway) == 5700  # the lower of 9,300 USD available and 6,000 USD cash
    assert "available funds $9,300" in one_line(done.out)


@pytest.mark.parametrize("kind", ["STKCASH", "IRAMRGN", ""])
def test_a_negative_cash_target_is_refused_before_the_prompt(
    place: Workplace, open_gateway: OpenGateway, kind: str
) -> None:
    borrows = "ETF,ONE\nAAA,60%\nBBB,60%\nCCC,0%\nDDD,0%\nCASH,-20%\n"
    gateway = prepare(place, open_gateway, market(trading_type=kind), borrows)
    dry = place.run()
    assert dry.code == ExitCode.OK
    assert "cannot borrow" in one_line(dry.out)
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.REFUSED
    assert "[y/N]" not in done.err
    assert "the CASH target is -19%" in done.errors[0]
    assert gateway.orders == []


def test_selling_what_was_bought_today_is_warned_of_above_the_prompt(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    by_hand = OrderSetup(
        side="BUY",
        symbol="BBB",
        quantity=Decimal(100),
        filled=Decimal(100),
        minutes_ago=1,
        fill_price=Decimal(50),
        order_type="MKT",
        status="Filled",
    )
    gateway = prepare(place, open_gateway, replace(market(), orders=(by_hand,)))
    done = place.run("--confirm", stdin="n\n")
    assert done.code == ExitCode.OK
    assert "BBB was bought today or on the last trading day" in one_line(done.out)
    assert "90 days" in one_line(done.out)
    assert gateway.orders == []


def test_buys_go_one_after_another_where_the_reserve_of_all_is_too_much(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    """Nothing is sold; 20,000 are there for 19,700 of buys, 20,685 with the reserve."""
    idle = market(cash={"USD": Decimal(20_000)}, positions=())
    portfolio = "ETF,ONE\nAAA,40%\nBBB,35%\nCCC,15%\nDDD,8.5%\nCASH,1.5%\n"
    gateway = prepare(place, open_gateway, idle, portfolio)
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK, done.err
    assert len(gateway.orders) == 4
    assert bought_usd(gateway) == 19_700 - 20
    assert "Rejected" not in done.out
    assert "Nothing left to do" in done.out
