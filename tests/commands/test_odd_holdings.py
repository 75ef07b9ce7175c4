"""Holdings that are not what they seem: stubs without definition, a stock named CASH."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from src import snapshot
from src.base.errors import ExitCode
from src.io import validate_portfolios
from src.simulator.scenario.records import (
    ContractSetup,
    PositionSetup,
    RawDecimal,
    Scenario,
    load_scenario,
)
from tests.commands.conftest import OpenGateway
from tests.commands.kit import Done, Workplace, sample

SAMPLE = load_scenario()
STUB = "XYZ.CNT"


def holding(symbol: str, quantity: int, price: str, **changes: object) -> Scenario:
    """The sample with one more stock in the account, valued by the account at this price."""
    contract = ContractSetup(
        con_id=900_001,
        symbol=symbol,
        price=max(Decimal(price), Decimal("0.0001")),
        spread=Decimal(0),
        **changes,  # type: ignore[arg-type]
    )
    position = PositionSetup(
        symbol=symbol, quantity=Decimal(quantity), reported_price=RawDecimal(Decimal(price))
    )
    setup = SAMPLE.accounts[0]
    return sample(
        accounts=(replace(setup, positions=(*setup.positions, position)),),
        contracts=(*SAMPLE.contracts, contract),
    )


def one_line(text: str) -> str:
    """Wrapped text as one line."""
    return " ".join(text.split())


def planned(done: Done) -> list[str]:
    """The symbols of the tickets of a plan printed as JSON."""
    assert done.code == ExitCode.OK, done.err
    return [one["symbol"] for one in json.loads(done.out)["tickets"]]


def test_a_worthless_stub_stops_neither_plan_nor_snapshot(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(sample())
    healthy = planned(place.run("--json"))
    open_gateway(holding(STUB, 150, "0", is_delisted=True))
    assert planned(place.run("--json")) == healthy
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK
    assert f"left alone: {STUB} (150 shares, worth 0.00 USD" in one_line(done.out)
    assert "market is closed" not in done.out
    for flags in ((), ("--csv", str(place.csv))):
        document = json.loads(place.run(*flags, main=snapshot.main).out)
        assert STUB in [one["symbol"] for one in document["unmanaged"]]
        assert STUB not in [one["symbol"] for one in document["positions"]]


def test_a_stub_of_worth_names_keep_and_keep_works(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    gateway = open_gateway(holding(STUB, 150, "3", is_delisted=True))
    for flags in ((), ("--confirm",)):
        done = place.run(*flags, stdin="y\n")
        assert done.code == ExitCode.REFUSED
        assert f"{STUB} (150 shares, worth 450.00 USD" in done.errors[0]
        assert "unlisted_positions = keep" in done.errors[0]
        assert "closed" not in done.err
    assert gateway.order_messages == []
    place.set("rebalance", unlisted_positions="keep")
    assert STUB not in planned(place.run("--json"))
    for more in ((), ("--csv", str(place.csv))):
        assert place.run(*more, main=snapshot.main).code == ExitCode.OK


@pytest.mark.parametrize("quantity", [40, -40])
def test_a_stock_whose_ticker_is_cash_is_left_alone_and_named(
    place: Workplace, open_gateway: OpenGateway, quantity: int
) -> None:
    open_gateway(sample())
    healthy = json.loads(place.run("--json").out)
    open_gateway(holding("CASH", quantity, "20"))
    done = place.run()
    assert done.code == ExitCode.OK
    assert "the stock whose ticker is CASH" in one_line(done.out)
    document = json.loads(place.run("--json").out)
    assert document["tickets"] == healthy["tickets"]
    assert document["before"] == healthy["before"]


# --- names ------------------------------------------------------------------------------------

CHIPS = "PROSHARES ULTRA SEMICONDUCTORS"


def with_a_row_usd(place: Workplace) -> Scenario:
    """The sample's models with 10% in a ticker USD, which is a leveraged fund."""
    place.csv.write_text(
        "ETF,SMURF,BADASS,GLTR\nSPY,50%,50%,50%\nBIV,40%,40%,40%\nUSD,10%,10%,10%\n",
        encoding="utf-8",
    )
    fund = ContractSetup(con_id=900_002, symbol="USD", price=Decimal(80), long_name=CHIPS)
    return sample(contracts=(*SAMPLE.contracts, fund))


def test_what_is_bought_for_the_first_time_is_named(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(with_a_row_usd(place))
    told = one_line(place.run().out)
    new = told.partition("Bought for the first time:")[2].partition(":  ")[0]
    assert f"- USD: {CHIPS}, ARCA" in new
    assert "- SPY" not in new.partition("Left alone")[0]
    assert "USD is no cash but an instrument" in told
    assert "cash is written CASH" in told


def test_the_validator_says_what_each_symbol_is(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(with_a_row_usd(place))
    done = place.run(str(place.csv), main=validate_portfolios.main)
    assert done.code == ExitCode.OK
    first, head, *rows = done.out.splitlines()
    assert first.startswith("OK: ")
    assert head.split() == ["symbol", "name", "exchange", "conId"]
    (usd,) = (row for row in rows if row.startswith("USD"))
    assert usd.split() == ["USD", *CHIPS.split(), "ARCA", "900002"]
    assert "cash is written CASH" in done.err
