"""F87: the simulated gateway writes times in every form, and the real client reads one moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from src.broker.ibkr_client import IbkrSession
from src.core.records.orders import Fill
from src.simulator.gateway.session import Session
from src.simulator.messages.requests import ReqCompletedOrders, ReqExecutions
from src.simulator.messages.responses import CompletedOrder, ExecDetails
from src.simulator.messages.wire import decode_fields
from src.simulator.outbox.gateway_times import GatewayTimes
from src.simulator.scenario.reader import read_record
from src.simulator.scenario.records import GatewaySettings, OrderSetup, Scenario, ScenarioError
from tests.kits.client_kit import talk
from tests.kits.exchange_kit import Client, only, order, scenario
from tests.kits.host_zone import HOST_ZONES, host_zone
from tests.simulator.test_session import HELLO, feed

CLOCK = datetime(2025, 7, 2, 15, 0, tzinfo=timezone.utc)
WARSAW: dict[str, Any] = {
    "time_zone": "Europe/Warsaw",
    "time_zone_name": "Central European Standard Time",
}
NOWHERE: dict[str, Any] = {**WARSAW, "time_zone_name": "Nowhere Standard Time"}
FORMS: dict[str, tuple[dict[str, Any], str, bool]] = {
    "default": ({}, "20250702 11:00:00 US/Eastern", True),
    "operator": ({"time_form": "operator", "time_zone": "MET"}, "20250702 17:00:00 MET", True),
    "two words": (
        {"time_form": "operator", **WARSAW},
        "20250702 17:00:00 Central European Standard Time",
        True,
    ),
    "utc": ({"time_form": "utc", **WARSAW}, "20250702-15:00:00", True),
    "bare": ({"time_form": "bare", **WARSAW}, "20250702 17:00:00", True),
    "bare, zone not told": (
        {"time_form": "bare", "time_zone": "MET", "time_zone_name": ""},
        "20250702 17:00:00",
        False,
    ),
    "bare, zone unknown": ({"time_form": "bare", **NOWHERE}, "20250702 17:00:00", False),
    "unknown": (
        {"time_form": "operator", **NOWHERE},
        "20250702 17:00:00 Nowhere Standard Time",
        False,
    ),
}
"""Settings of the gateway, what it writes, and whether that is one moment for certain."""


def showing(changes: dict[str, Any], **others: object) -> Scenario:
    gateway = GatewaySettings(**changes)
    return replace(scenario(**others), gateway=gateway)


@pytest.mark.parametrize("form", FORMS)
def test_executions_and_ended_orders_are_timed_in_the_form_that_is_set(form: str) -> None:
    changes, text, _ = FORMS[form]
    client = Client(showing(changes, clock=CLOCK))
    fills = only(ExecDetails, client.trade(1, order("BUY", 1)))
    listed = only(ExecDetails, client.ask(ReqExecutions(req_id=3)))
    (ended,) = only(CompletedOrder, client.ask(ReqCompletedOrders(api_only=False)))
    assert {one.time for one in (*fills, *listed)} == {ended.completed_time} == {text}


@pytest.mark.parametrize("form", FORMS)
def test_the_greeting_tells_the_gateway_s_own_zone(form: str) -> None:
    changes, _, _ = FORMS[form]
    settings = GatewaySettings(**changes)
    session = Session(times=GatewayTimes(settings))
    feed(session, HELLO)
    _, time = decode_fields(session.hello(CLOCK)[4:])
    hour = 15 if settings.time_zone == "UTC" else 17
    name = settings.time_zone_name if settings.time_zone_name is not None else settings.time_zone
    assert time == f"20250702 {hour}:00:00 {name}".strip()


def test_a_gateway_s_zone_must_exist() -> None:
    with pytest.raises(ScenarioError, match="time_zone 'Mars/City' is not known"):
        read_record(GatewaySettings, {"time_zone": "Mars/City"}, "gateway")


@pytest.mark.parametrize("host", HOST_ZONES)
@pytest.mark.parametrize("form", FORMS)
def test_the_client_reads_the_same_moment_on_every_computer(form: str, host: str) -> None:
    changes, _, is_certain = FORMS[form]
    filled = OrderSetup(
        symbol="SPY",
        side="BUY",
        quantity=Decimal(4),
        filled=Decimal(4),
        fill_price=Decimal(590),
        status="Filled",
        minutes_ago=1,  # of the same day, but for one minute after midnight
    )

    async def work(session: IbkrSession) -> tuple[Fill, ...]:
        return await session.fetch_fills()

    with host_zone(host):
        (fill,) = talk(showing(changes, orders=(filled,)), work)
    if not is_certain:
        assert fill.at_utc is None
    else:
        assert fill.at_utc is not None
        a_minute_ago = datetime.now(timezone.utc) - timedelta(minutes=1)
        assert abs(fill.at_utc - a_minute_ago) < timedelta(minutes=1)
