"""Why it stopped: the broker's last word about what a failure depends on, and what would help."""

from __future__ import annotations

from dataclasses import replace

import pytest

from src.base.errors import ExitCode
from src.io import validate_portfolios
from src.simulator.scenario.records import MarketDataSetup, Scenario, ScheduledEvent, load_scenario
from tests.commands.conftest import OpenGateway
from tests.commands.kit import Workplace, sample

NEW = "MGK"
"""In the sample's models and not held: the account gives no price for it."""


@pytest.fixture(autouse=True)
def quick(place: Workplace) -> None:
    place.set("ibkr", connect_timeout_sec=1)
    place.set("pricing", price_timeout_sec=0.3)


def shown_as(data: MarketDataSetup, *events: ScheduledEvent) -> Scenario:
    """The sample whose one new symbol has such market data."""
    contracts = tuple(
        replace(one, market_data=data) if one.symbol == NEW else one
        for one in load_scenario().contracts
    )
    return sample(contracts=contracts, events=events)


def refused(place: Workplace) -> str:
    done = place.run()
    assert done.code == ExitCode.REFUSED, done
    (line,) = done.errors
    return line


def test_f117_the_fields_that_came_are_named_and_the_source_that_would_do_does(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    data = MarketDataSetup(access="delayed", shown={"last": None})
    gateway = open_gateway(shown_as(data))
    line = refused(place)
    assert f"no usable price (last) for {NEW} (354: " in line
    assert "; delayed bid, ask, close came); set price_source = close " in line
    assert gateway.order_messages == []
    place.set("pricing", price_source="close")
    assert place.run().code == ExitCode.OK


FARM = "Market data farm connection is broken:usfarm"
SECDEF = "Sec-def data farm connection is broken:secdefil"


def said(code: int, text: str, after_sec: float = 0) -> ScheduledEvent:
    return ScheduledEvent(what="notice", code=code, text=text, after_sec=after_sec)


SILENT = MarketDataSetup(access="silent")


def test_f116_no_price_names_the_farm_that_is_broken(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    gateway = open_gateway(shown_as(SILENT, said(2103, FARM)))
    line = refused(place)
    assert f"no usable price (last) for {NEW} (2103: {FARM}); " in line
    assert line.endswith("then run again")
    assert gateway.order_messages == []


def test_f116_a_farm_that_is_back_is_not_blamed(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    healed = said(2104, "Market data farm connection is OK:usfarm")
    open_gateway(shown_as(SILENT, said(2103, FARM), healed))
    assert f"for {NEW} (nothing came); " in refused(place)


def test_f116_what_no_contract_came_for_names_the_farm(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    setting = sample(events=(said(2157, SECDEF),))
    contracts = tuple(one for one in setting.contracts if one.symbol != NEW)
    open_gateway(replace(setting, contracts=contracts))
    for done in (place.run(), place.run(main=validate_portfolios.main)):
        assert done.code == ExitCode.INPUT
        (line,) = done.errors
        assert f"{NEW}: not known to the broker as a USD stock or ETF (the broker said 2157" in line


def test_f116_a_lost_line_is_told_in_the_broker_s_words(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(sample(events=(ScheduledEvent(what="link_lost", after_sec=0, code=2110),)))
    done = place.run()
    assert done.code == ExitCode.LOST
    (line,) = done.errors
    assert "(the broker said 2110: Connectivity between" in line


def test_f116_figures_that_are_not_ready_say_what_the_broker_said(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    accounts = tuple(replace(one, ready=False) for one in sample().accounts)
    gateway = open_gateway(sample(accounts=accounts))

    def be_switched() -> None:
        gateway.wait_for("ReqPositions", 2)
        gateway.happen(said(2100, "New account data requested from TWS"))

    done = place.run(during=be_switched)
    assert done.code == ExitCode.REFUSED
    assert "(the broker said 2100: New account data requested" in done.errors[0]
