"""Questions about orders: who sees which, what survives a reconnect, what a day leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from src.simulator.messages.requests import (
    ReqAllOpenOrders,
    ReqAutoOpenOrders,
    ReqCompletedOrders,
    ReqExecutions,
    ReqIds,
    ReqOpenOrders,
)
from src.simulator.messages.responses import (
    CompletedOrder,
    ExecDetails,
    NextValidId,
    OpenOrder,
)
from src.simulator.scenario.records import GatewaySettings, OrderSetup, ScheduledEvent
from tests.kits.exchange_kit import (
    ACCOUNT,
    IAU,
    Client,
    codes,
    only,
    order,
    scenario,
    words,
)

RESTS = order("BUY", 5, order_type="LMT", lmt_price=Decimal(500))
MANUAL = OrderSetup(symbol="SPY", side="SELL", quantity=Decimal(3))
OTHERS = OrderSetup(symbol="IAU", side="BUY", quantity=Decimal(7), client_id=9, order_id=40)
EARLIER = OrderSetup(
    symbol="SPY",
    side="BUY",
    quantity=Decimal(4),
    client_id=1,
    order_id=12,
    order_ref="old-1",
    order_type="MKT",
    status="Filled",
    filled=Decimal(4),
    fill_price=Decimal(590),
)
DROPPED = replace(EARLIER, order_id=13, status="Cancelled", filled=Decimal(1), order_ref="old-2")
PRESET = scenario(orders=(MANUAL, OTHERS, EARLIER, DROPPED))


def _identities(client: Client, *, everybody: bool) -> list[tuple[int, int, str]]:
    request = ReqAllOpenOrders() if everybody else ReqOpenOrders()
    orders = only(OpenOrder, client.ask(request))
    return [(item.client_id, item.order_id, item.contract.symbol) for item in orders]


def test_a_client_sees_its_own_open_orders_and_on_request_all() -> None:
    client = Client(PRESET)
    client.trade(14, RESTS)
    assert _identities(client, everybody=False) == [(1, 14, "SPY")]
    assert _identities(client, everybody=True) == [(0, 0, "SPY"), (9, 40, "IAU"), (1, 14, "SPY")]


def test_presets_set_the_next_order_id() -> None:
    assert NextValidId(order_id=14) in Client(PRESET).greeting
    other = Client(PRESET, client_id=9)
    assert other.greeting[1] == NextValidId(order_id=41)


def test_completed_orders_have_no_quantity_once_filled_and_keep_their_reference() -> None:
    answer = only(CompletedOrder, Client(PRESET).ask(ReqCompletedOrders(api_only=True)))
    filled, cancelled = answer
    assert filled.status == "Filled"
    assert [filled.order.total_quantity, filled.filled_quantity] == [0, 4]
    assert (filled.order.order_ref, filled.completed_status) == ("old-1", "Filled Size: 4")
    assert cancelled.status == "Cancelled"
    assert [cancelled.order.total_quantity, cancelled.filled_quantity] == [4, 1]
    assert filled.completed_time.endswith("US/Eastern")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (ReqExecutions(req_id=3), 2),
        (ReqExecutions(req_id=3, client_id=1), 2),
        (ReqExecutions(req_id=3, client_id=8), 0),
        (ReqExecutions(req_id=3, account=ACCOUNT, symbol="SPY", sec_type="STK"), 2),
        (ReqExecutions(req_id=3, symbol="IAU"), 0),
        (ReqExecutions(req_id=3, side="BUY", exchange="IEX"), 2),
        (ReqExecutions(req_id=3, side="SELL"), 0),
        (ReqExecutions(req_id=3, time="20250702-14:00:00"), 2),
        (ReqExecutions(req_id=3, time="20250702-14:59:00"), 0),
        (ReqExecutions(req_id=3, time="20250702 10:00:00"), 2),
        (ReqExecutions(req_id=3, time="20250702 11:00:00 US/Eastern"), 0),
    ],
)
def test_executions_by_filter(request_: ReqExecutions, expected: int) -> None:
    answer = Client(PRESET).ask(request_)
    fills = only(ExecDetails, answer)
    assert len(fills) == expected
    assert all(fill.req_id == 3 for fill in fills)
    assert words(answer)[-1] == "ExecDetailsEnd"


def test_executions_come_with_their_commissions() -> None:
    answer = Client(PRESET).ask(ReqExecutions(req_id=3))
    assert words(answer)[:2] == ["exec BOT 4 @ 590", "commission 1.00"]


def test_a_bad_time_in_the_filter_is_refused() -> None:
    assert codes(Client().ask(ReqExecutions(req_id=3, time="yesterday"))) == [321]
    assert codes(Client().ask(ReqExecutions(req_id=3, time="20250702 10:00:00 Mars/City"))) == [321]


def test_after_midnight_yesterday_is_gone() -> None:
    clock = datetime(2025, 7, 2, 19, 0, tzinfo=timezone.utc)
    client = Client(scenario(clock=clock))
    client.trade(1, order("BUY", 1))
    client.wait(timedelta(hours=8).total_seconds())
    assert only(ExecDetails, client.ask(ReqExecutions(req_id=3)))
    client.wait(timedelta(hours=2).total_seconds())
    assert words(client.ask(ReqExecutions(req_id=3))) == ["ExecDetailsEnd"]
    assert words(client.ask(ReqCompletedOrders(api_only=False))) == ["CompletedOrdersEnd"]


def test_orders_fill_while_the_client_is_away_and_nothing_is_replayed() -> None:
    client = Client()
    client.place(1, order("BUY", 5))
    client.leave()
    client.wait()
    back = Client(client_id=1, other=client)
    assert back.wait() == []
    assert NextValidId(order_id=2) in back.greeting
    assert words(back.ask(ReqExecutions(req_id=1)))[:1] == ["exec BOT 5 @ 600.01"]
    (done,) = only(CompletedOrder, back.ask(ReqCompletedOrders(api_only=False)))
    assert done.order.order_ref == "ref-1"
    assert done.filled_quantity == 5


def test_events_go_to_the_placing_client_only() -> None:
    client = Client()
    other = Client(client_id=2, other=client)
    assert set(_listeners_to_a_trade(client)) == {1}
    assert other.wait() == []


def test_the_master_client_hears_of_every_order() -> None:
    client = Client(scenario(gateway=GatewaySettings(master_client_id=5)))
    master = Client(client_id=5, other=client)
    client.place(1, order("BUY", 5))
    heard = words(master.wait())
    assert "exec BOT 5 @ 600.01" in heard
    assert "commission 1.00" in heard


def test_ids_are_counted_per_client() -> None:
    client = Client()
    client.trade(30, order("BUY", 1))
    other = Client(client_id=2, other=client)
    assert client.ask(ReqIds()) == [NextValidId(order_id=31)]
    assert other.ask(ReqIds()) == [NextValidId(order_id=1)]
    assert codes(other.trade(1, order("BUY", 1))) == []


def test_first_ids_can_be_set_and_roll_back() -> None:
    client = Client(scenario(gateway=GatewaySettings(next_valid_ids={"1": 200})))
    assert NextValidId(order_id=200) in client.greeting
    client.trade(200, RESTS)
    client.inject(ScheduledEvent(what="ids_back", value=Decimal(5)))
    assert client.ask(ReqIds()) == [NextValidId(order_id=196)]


def test_a_read_only_api_refuses_order_lists_without_an_end() -> None:
    client = Client(scenario(gateway=GatewaySettings(read_only_api=True)))
    for request in (ReqOpenOrders(), ReqAllOpenOrders(), ReqCompletedOrders(api_only=True)):
        assert words(client.ask(request)) == ["error 321"]
    assert words(client.ask(ReqExecutions(req_id=1))) == ["ExecDetailsEnd"]


def test_only_client_zero_binds_manual_orders() -> None:
    assert codes(Client().ask(ReqAutoOpenOrders(auto_bind=True))) == [321]
    binder = Client(PRESET, client_id=0)
    assert binder.ask(ReqAutoOpenOrders(auto_bind=True)) == []
    assert _identities(binder, everybody=False) == [(0, 0, "SPY")]


def test_a_manual_order_appears_to_client_zero_and_in_lists() -> None:
    client = Client()
    zero = Client(client_id=0, other=client)
    typed = ScheduledEvent(what="order", symbol="IAU", value=Decimal(-6))
    assert words(zero.inject(typed)) == ["open Submitted", "status Submitted 0/6"]
    assert _identities(client, everybody=True) == [(0, 0, IAU.symbol)]
    assert client.wait() == []


def test_the_same_calls_give_the_same_answers() -> None:
    first, second = Client(PRESET), Client(PRESET)
    assert first.trade(20, order("BUY", 2)) == second.trade(20, order("BUY", 2))


def _listeners_to_a_trade(client: Client) -> list[int]:
    client.now += timedelta(seconds=1)
    client.place(1, order("BUY", 5))
    client.now += timedelta(seconds=1)
    return [item.client_id for item in client.exchange.advance(client.now)]
