"""Timed events: notices, a lost and restored link, order-counted triggers, connections."""

from __future__ import annotations

from decimal import Decimal

import pytest

from src.simulator.exchange import Exchange
from src.simulator.messages.requests import ReqCurrentTime, ReqMktData
from src.simulator.messages.responses import ErrorMessage, ExecDetails
from src.simulator.scenario.records import OrderBehaviour, OrderRule, Scenario, ScheduledEvent
from tests.kits.exchange_kit import (
    START,
    Client,
    codes,
    only,
    order,
    prices,
    scenario,
    stock,
    words,
)

LOST = ScheduledEvent(what="link_lost", after_sec=10)
BACK = ScheduledEvent(what="link_back", after_sec=20)
STREAM = ReqMktData(req_id=7, contract=stock())


def _slow(*events: ScheduledEvent) -> Scenario:
    rule = OrderRule(then=OrderBehaviour(fill_delay_sec=15))
    return scenario(events=events, order_rules=(rule,))


@pytest.mark.parametrize("code", [1300, 2103, 2105, 2157])
def test_a_notice_reaches_every_client(code: int) -> None:
    event = ScheduledEvent(what="notice", code=code, text="something", after_sec=3)
    client = Client(scenario(events=(event,)))
    Client(client_id=2, other=client)
    client.now = START
    told = client.exchange.advance(client.exchange.next_due_utc() or START)
    assert [(item.client_id, item.message) for item in told] == [
        (number, ErrorMessage(id=-1, code=code, text="something")) for number in (1, 2)
    ]


def test_fills_in_the_gap_are_told_when_the_link_is_back() -> None:
    client = Client(_slow(LOST, BACK))
    client.place(1, order("BUY", 5))
    assert words(client.wait(19)) == ["error 1100"]
    told = words(client.wait(1))
    assert told[0] == "error 1102"
    assert "status Filled 5/0" in told


def test_fills_in_the_gap_can_stay_untold() -> None:
    never = ScheduledEvent(what="link_lost", after_sec=10, told_after="never", code=2110)
    client = Client(_slow(never, BACK))
    client.place(1, order("BUY", 5))
    assert words(client.wait(3600)) == ["error 2110", "error 1102"]


def test_with_1101_market_data_must_be_asked_for_again() -> None:
    back = ScheduledEvent(what="link_back", after_sec=20, code=1101)
    price = ScheduledEvent(what="price", symbol="SPY", after_sec=30, value=Decimal(610))
    client = Client(scenario(events=(LOST, back, price)))
    client.ask(STREAM)
    assert codes(client.wait(25)) == [1100, 1101]
    assert client.wait(10) == []
    assert prices(client.ask(STREAM))[4] == 610


def test_with_1102_streams_go_on() -> None:
    price = ScheduledEvent(what="price", symbol="SPY", after_sec=30, value=Decimal(610))
    client = Client(scenario(events=(LOST, BACK, price)))
    client.ask(STREAM)
    assert prices(client.wait(40))[4] == 610


def test_orders_sent_into_the_gap_are_answered_after_it() -> None:
    client = Client(_slow(LOST, BACK))
    client.wait(12)
    assert client.place(1, order("BUY", 5)) == []
    assert words(client.wait(8))[1:] == ["open PreSubmitted", "status PreSubmitted 0/5"]


def test_who_connects_in_the_gap_is_told_of_it() -> None:
    client = Client(_slow(LOST, BACK))
    client.wait(12)
    assert codes(Client(client_id=2, other=client).greeting) == [2110]


def test_events_can_wait_for_a_number_of_orders() -> None:
    event = ScheduledEvent(what="link_lost", after_orders=2, after_sec=0.01)
    client = Client(scenario(events=(event,)))
    assert codes(client.trade(1, order("BUY", 1))) == []
    told = client.trade(2, order("BUY", 1))
    assert codes(told) == [1100]
    assert not only(ExecDetails, told)


def test_a_client_id_is_in_use_until_it_leaves() -> None:
    client = Client()
    assert client.exchange.is_client_id_in_use(1)
    with pytest.raises(ValueError, match="connected already"):
        client.exchange.connect(1, START)
    client.leave()
    assert not client.exchange.is_client_id_in_use(1)
    with pytest.raises(ValueError, match="not connected"):
        client.ask(ReqCurrentTime())


def test_nothing_is_due_on_an_idle_exchange() -> None:
    exchange = Exchange(scenario(), START)
    assert exchange.next_due_utc() is None
    assert exchange.advance(START) == []
