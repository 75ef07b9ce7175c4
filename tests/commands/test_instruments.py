"""F-118: which instrument a ticker is, from the file to the order."""

from __future__ import annotations

from decimal import Decimal

import rebalance
from src.errors import ExitCode
from src.io import validate_portfolios
from src.simulator.scenario import ContractSetup, Scenario, load_scenario
from tests.commands.conftest import OpenGateway
from tests.commands.kit import Workplace, sample

SAMPLE = load_scenario()
BERKSHIRE = ContractSetup(
    con_id=900_010,
    symbol="BRK B",
    price=Decimal(450),
    stock_type="COMMON",
    primary_exchange="NYSE",
    long_name="BERKSHIRE HATHAWAY INC-CL B",
)


def with_further(*contracts: ContractSetup) -> Scenario:
    """The sample with more instruments that can be traded."""
    return sample(contracts=(*SAMPLE.contracts, *contracts))


def write_models(place: Workplace, *symbols: str) -> None:
    """A portfolios file whose three models hold half of each of two symbols."""
    rows = [f"{symbol},50%,50%,50%" for symbol in symbols]
    place.csv.write_text("\n".join(["ETF,SMURF,BADASS,GLTR", *rows, ""]), encoding="utf-8")


def test_f118_a_share_class_written_as_elsewhere_is_told_the_brokers_spelling(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(with_further(BERKSHIRE))
    place.csv.write_text(
        "ETF,SMURF,BADASS,GLTR\nSPY,50%,50%,50%\nBRK.B,50%,,\nBRK-B,,50%,50%\n", encoding="utf-8"
    )
    for flags, main in (((), rebalance.main), ((str(place.csv),), validate_portfolios.main)):
        done = place.run(*flags, main=main)
        assert done.code == ExitCode.INPUT
        assert len(done.errors) == 2
        for written, error in zip(("BRK.B", "BRK-B"), done.errors, strict=True):
            assert f"{written}: not known" in error
            assert "IBKR writes it BRK B (BERKSHIRE HATHAWAY INC-CL B)" in error


def test_f118_the_brokers_own_spelling_is_bought(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    gateway = open_gateway(with_further(BERKSHIRE))
    write_models(place, "SPY", "BRK B")
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK, done.err
    assert ("BRK B", "BUY") in [(order.symbol, order.side) for order in gateway.orders]
