"""What forbids trading: exit 5 before the prompt, a warning in a dry run, and never an order."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from src.base.errors import ExitCode
from src.simulator.scenario.records import (
    AccountSetup,
    GatewaySettings,
    MarketDataSetup,
    OrderSetup,
    PositionSetup,
    RawDecimal,
    Scenario,
    ValueOverride,
    load_scenario,
)
from tests.commands.conftest import OpenGateway
from tests.commands.kit import PROMPT, Gateway, Workplace, sample
from tests.kits.host_zone import host_zone

ACCOUNT_SETUP = load_scenario().accounts[0]


def account(**changes: object) -> Scenario:
    """The sample with a changed account."""
    return sample(accounts=(replace(ACCOUNT_SETUP, **changes),))  # type: ignore[arg-type]


def contract(symbol: str, **changes: object) -> Scenario:
    """The sample with a changed contract."""
    contracts = tuple(
        replace(one, **changes) if (one.symbol, one.sec_type) == (symbol, "STK") else one  # type: ignore[arg-type]
        for one in load_scenario().contracts
    )
    return sample(contracts=contracts)


def holding(symbol: str, **changes: object) -> Scenario:
    """The sample with a changed holding."""
    return account(
        positions=tuple(
            replace(one, **changes) if one.symbol == symbol else one  # type: ignore[arg-type]
            for one in ACCOUNT_SETUP.positions
        )
    )


WORKING = OrderSetup(symbol="GDX", side="SELL", quantity=Decimal(5), limit_price=Decimal(60))
OURS = replace(
    WORKING, symbol="VTI", client_id=42, order_id=7, order_ref="IBR-20250101T000000Z-1-1"
)

# what stands in the way → what the refusal says
FORBIDS_TRADING: dict[str, tuple[Scenario, str]] = {
    "closed": (sample(market="closed"), "the market is closed for"),
    "pre-market": (sample(market="pre"), "the market is closed for"),
    "holiday": (sample(market="holiday"), "the market is closed for"),
    "working order by hand": (
        sample(orders=(WORKING,)),
        "working orders in planned symbols: SELL 5 GDX (Submitted, client 0)",
    ),
    "working order of another client": (
        sample(orders=(replace(WORKING, client_id=7, order_id=3, order_ref="robot"),)),
        "SELL 5 GDX (Submitted, client 7, ref robot)",
    ),
    "order of ours that no journal knows": (sample(orders=(OURS,)), "journal does not know"),
    "read-only API": (
        sample(gateway=GatewaySettings(read_only_api=True)),
        "the gateway's read-only API",
    ),
    "looks like a split": (contract("GDX", prev_close=Decimal("104.72")), "split"),
    "broker's net liq far off": (
        account(overrides=(ValueOverride(key="NetLiquidation", currency="USD", value="150000"),)),
        "150000",
    ),
}


@pytest.mark.parametrize("name", FORBIDS_TRADING)
def test_trading_is_refused_before_the_prompt(
    place: Workplace, open_gateway: OpenGateway, name: str
) -> None:
    setting, words = FORBIDS_TRADING[name]
    gateway = open_gateway(setting)
    looked = place.run()
    assert looked.code == ExitCode.OK
    told = " ".join(looked.out.split())
    assert words in told.replace(",", "") or words in told
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.REFUSED
    assert "Rebalance plan" in done.out
    assert PROMPT not in done.err
    (line,) = done.errors
    assert line.startswith("trading refused: ")
    assert words in line.replace(",", "") or words in line
    assert gateway.order_messages == []


@pytest.mark.parametrize("market", ["closed", "holiday"])
def test_a_closed_market_names_its_next_opening(
    place: Workplace, open_gateway: OpenGateway, market: str
) -> None:
    open_gateway(sample(market=market))
    with host_zone("Asia/Tokyo"):
        (line,) = place.run("--confirm", stdin="y\n").errors
    assert re.search(r"it opens \w{3} \d+ \w{3} \d\d:\d\d New York", line)
    assert " UTC)" in line.partition("it opens ")[2]


def test_several_reasons_are_told_together(place: Workplace, open_gateway: OpenGateway) -> None:
    open_gateway(sample(market="closed", orders=(WORKING,)))
    place.set("execution", max_orders=3, max_order_usd=5000, max_run_usd=20000)
    (line,) = place.run("--confirm", stdin="y\n").errors
    for words in (
        "the market is closed",
        "working orders",
        "13 orders are more than max_orders = 3",
        "in all are more than max_run_usd = 20000",
        "is more than max_order_usd = 5000",
    ):
        assert words in line


# what makes the figures untrue → what is said, dry run or not
UNTRUE: dict[str, tuple[Scenario, str]] = {
    "short": (holding("XLE", quantity=Decimal(-18)), "short positions are not supported: XLE"),
    "no USD cash row": (
        account(
            overrides=(
                ValueOverride(key="CashBalance", currency="USD", value=None),
                ValueOverride(key="TotalCashBalance", currency="USD", value=None),
            )
        ),
        "USD",
    ),
    "absurd position": (
        holding("GDX", reported_quantity=RawDecimal(Decimal("1.7976931348623157E308"))),
        "GDX",
    ),
    "no price": (
        contract("MGK", market_data=MarketDataSetup(access="none", refusal=10197)),
        "MGK",
    ),
    "not a number": (
        account(overrides=(ValueOverride(key="CashBalance", currency="USD", value="nan"),)),
        "CashBalance",
    ),
}


@pytest.mark.parametrize("name", UNTRUE)
def test_untrue_figures_are_refused_in_a_dry_run_too(
    place: Workplace, open_gateway: OpenGateway, name: str
) -> None:
    setting, words = UNTRUE[name]
    gateway = open_gateway(setting)
    place.set("pricing", price_timeout_sec="0.5")
    for flags in ((), ("--confirm",)):
        done = place.run(*flags, stdin="y\n")
        assert done.code == ExitCode.REFUSED
        (line,) = done.errors
        assert words in line
        assert PROMPT not in done.err
    assert gateway.order_messages == []


def test_an_account_that_is_not_in_the_login(place: Workplace, gateway: Gateway) -> None:
    place.set("ibkr", account_id="DU7654321")
    for flags in ((), ("--confirm",)):
        done = place.run(*flags, stdin="y\n")
        assert done.code == ExitCode.REFUSED
        (line,) = done.errors
        assert "account_id DU***321 is not an account of this login, which has DU***567" in line
        assert "7654321" not in done.out + done.err
    assert gateway.order_messages == []


def test_a_live_account_is_refused_and_its_settings_look_doubtful(
    place: Workplace, gateway: Gateway
) -> None:
    place.set("ibkr", account_id="U7654321")
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.REFUSED
    assert "7654321" not in done.out + done.err
    assert gateway.order_messages == []


def test_with_allow_live_the_answer_is_the_account_itself(
    place: Workplace, gateway: Gateway
) -> None:
    place.set("ibkr", allow_live="true")
    done = place.run("--confirm", stdin="y\n")
    assert (done.code, done.errors) == (ExitCode.OK, [])
    assert "Send 13 orders in DU***567 (paper): " in done.err
    assert "? Type the account id to send: " in done.err
    assert gateway.order_messages == []


def test_an_unlisted_position_can_forbid_the_run(place: Workplace, gateway: Gateway) -> None:
    place.set("rebalance", unlisted_positions="abort")
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.REFUSED
    assert "XLE" in done.errors[0]
    place.set("rebalance", unlisted_positions="keep")
    done = place.run("--confirm", stdin="n\n")
    assert done.code == ExitCode.OK
    assert "position XLE (STK), 18 held" in done.out
    assert gateway.order_messages == []


def test_a_reserve_above_the_account_is_refused(place: Workplace, gateway: Gateway) -> None:
    place.set("rebalance", cash_buffer_type="abs", cash_buffer_abs=200000)
    done = place.run()
    assert done.code == ExitCode.REFUSED
    assert "200000" in done.errors[0].replace(",", "")


def test_nothing_to_trade_is_no_question(place: Workplace, open_gateway: OpenGateway) -> None:
    cash_only = AccountSetup(
        account_id=ACCOUNT_SETUP.account_id,
        cash={"USD": Decimal(300)},
        positions=(PositionSetup(symbol="SPY", quantity=Decimal(0)),),
    )
    gateway = open_gateway(sample(accounts=(cash_only,)))
    done = place.run("--confirm", stdin="y\n")
    assert (done.code, done.errors) == (ExitCode.OK, [])
    assert "Nothing to trade." in done.out
    assert PROMPT not in done.err
    assert gateway.order_messages == []
