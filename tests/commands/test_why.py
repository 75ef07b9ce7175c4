"""Why it stopped: the broker's last word about what a failure depends on, and what would help."""

from __future__ import annotations

from dataclasses import replace

import pytest

from src.errors import ExitCode
from src.simulator.scenario import MarketDataSetup, Scenario, ScheduledEvent, load_scenario
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
