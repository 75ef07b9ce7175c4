"""Market data of the simulated exchange: what is granted, in which order, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Literal

import pytest

from src.simulator.messages.market import (
    MarketDataTypeGrant,
    TickGeneric,
    TickPrice,
    TickReqParams,
    TickSize,
    TickSnapshotEnd,
    TickString,
)
from src.simulator.messages.orders import ContractKey
from src.simulator.messages.requests import CancelMktData, ReqMarketDataType, ReqMktData
from src.simulator.messages.responses import ErrorMessage, Response
from src.simulator.scenario.records import (
    GatewaySettings,
    MarketDataSetup,
    PriceStep,
    RawDecimal,
    Scenario,
    ScheduledEvent,
)
from tests.kits.exchange_kit import (
    IAU,
    SPY,
    Client,
    codes,
    only,
    prices,
    scenario,
    stock,
)

STREAM = ReqMktData(req_id=7, contract=stock())
SNAPSHOT = STREAM._replace(snapshot=True)
NAN = RawDecimal(Decimal("NaN"))


def _with(data: MarketDataSetup, **changes: object) -> Scenario:
    contract = replace(SPY, market_data=data)
    return scenario(contracts=(contract, *scenario().contracts[1:]), **changes)


def _asked(client: Client, kind: int, request: ReqMktData = STREAM) -> list[Response]:
    client.ask(ReqMarketDataType(market_data_type=kind))
    return client.ask(request)


def _granted(messages: list[Response]) -> list[int]:
    return [grant.market_data_type for grant in only(MarketDataTypeGrant, messages)]


def test_live_ticks_arrive_in_the_recorded_order() -> None:
    answer = Client().ask(STREAM)
    kinds = list(dict.fromkeys(type(message) for message in answer))
    assert kinds == [
        TickReqParams,
        MarketDataTypeGrant,
        TickPrice,
        TickSize,
        TickGeneric,
        TickString,
    ]
    assert _granted(answer) == [1]
    assert prices(answer) == {
        1: Decimal("599.99"),
        2: Decimal("600.01"),
        4: 600,
        6: 600,
        7: 600,
        9: 600,
        14: 600,
    }
    assert only(TickGeneric, answer) == [TickGeneric(req_id=7, tick_type=49, value=Decimal(0))]


def test_a_snapshot_ends_and_frees_its_line() -> None:
    client = Client(scenario(gateway=GatewaySettings(market_data_lines=1)))
    answer = client.ask(SNAPSHOT)
    assert answer[-1] == TickSnapshotEnd(req_id=7)
    assert codes(client.ask(CancelMktData(req_id=7))) == [300]
    assert codes(client.ask(SNAPSHOT)) == []


@pytest.mark.parametrize(
    "data",
    [
        MarketDataSetup(shown={"last": None}),
        MarketDataSetup(access="silent"),
        MarketDataSetup(snapshot_end_sec=11),
    ],
)
def test_an_incomplete_snapshot_ends_after_eleven_seconds(data: MarketDataSetup) -> None:
    client = Client(_with(data))
    assert not only(TickSnapshotEnd, [*client.ask(SNAPSHOT), *client.wait(10.9)])
    assert client.wait(0.2) == [TickSnapshotEnd(req_id=7)]


def test_a_missing_field_never_ticks() -> None:
    shown = prices(Client(_with(MarketDataSetup(shown={"last": None}))).ask(STREAM))
    assert 4 not in shown
    assert shown[1] == Decimal("599.99")


def test_false_prices_are_sent_as_they_are() -> None:
    data = MarketDataSetup(
        shown={
            "bid": RawDecimal(Decimal(-1)),
            "ask": RawDecimal(Decimal("1.7976931348623157E308")),
            "last": NAN,
        }
    )
    answer = Client(_with(data)).ask(STREAM)
    shown = prices(answer)
    assert shown[1] == -1
    assert shown[4].is_nan()
    sizes = {size.tick_type: size.size for size in only(TickSize, answer)}
    assert sizes[0] == 0


def test_a_silent_symbol_says_nothing() -> None:
    client = Client(_with(MarketDataSetup(access="silent")))
    assert client.ask(STREAM) == []
    assert client.wait(60) == []


def test_ticks_can_come_late() -> None:
    client = Client(_with(MarketDataSetup(delay_sec=2)))
    assert client.ask(STREAM) == []
    assert _granted(client.wait(2)) == [1]


@pytest.mark.parametrize(("kind", "granted"), [(1, 1), (2, 1), (3, 1), (4, 1)])
def test_with_permission_live_data_is_granted_while_the_market_is_open(
    kind: int, granted: int
) -> None:
    assert _granted(_asked(Client(), kind)) == [granted]


@pytest.mark.parametrize(("kind", "granted", "bid"), [(1, 1, -1), (2, 2, Decimal("599.99"))])
def test_a_closed_market_has_no_quote_unless_frozen(kind: int, granted: int, bid: Decimal) -> None:
    answer = _asked(Client(scenario(market="closed")), kind)
    assert _granted(answer) == [granted]
    assert prices(answer)[1] == bid
    first = only(TickPrice, answer)[0]
    assert first.size == (0 if bid == -1 else 400)
    assert prices(answer)[9] == 600


@pytest.mark.parametrize("code", [354, 10089, 10090])
def test_without_live_permission_live_is_refused_without_a_grant(code: int) -> None:
    client = Client(_with(MarketDataSetup(access="delayed", refusal=code)))
    answer = client.ask(STREAM)
    assert codes(answer) == [code]
    assert only(ErrorMessage, answer)[0].id == 7
    assert _granted(answer) == []


@pytest.mark.parametrize("kind", [3, 4])
def test_delayed_data_is_announced_and_granted_as_delayed(kind: int) -> None:
    client = Client(_with(MarketDataSetup(access="delayed")))
    answer = _asked(client, kind)
    assert codes(answer) == [10167]
    assert _granted(answer) == [3]
    assert {66, 67, 68, 75} <= prices(answer).keys()
    assert 1 not in prices(answer)
    assert [string.tick_type for string in only(TickString, answer)] == [88]


@pytest.mark.parametrize(("refusal", "live", "delayed"), [(354, 354, 10168), (10197, 10197, 10197)])
def test_no_permission_at_all(refusal: int, live: int, delayed: int) -> None:
    setting = _with(MarketDataSetup(access="none", refusal=refusal))
    assert codes(_asked(Client(setting), 1)) == [live]
    assert codes(_asked(Client(setting), 3)) == [delayed]


@pytest.mark.parametrize("value", [1, 2])
def test_a_halt_is_told(value: Literal[1, 2]) -> None:
    client = Client(_with(MarketDataSetup(halted=value)))
    assert [tick.value for tick in only(TickGeneric, client.ask(STREAM))] == [value]
    told = client.inject(ScheduledEvent(what="halt", symbol="SPY", value=Decimal(0)))
    assert told == [TickGeneric(req_id=7, tick_type=49, value=Decimal(0))]


def test_scripted_prices_tick_again() -> None:
    steps = (PriceStep(after_sec=5, price=Decimal(610)), PriceStep(after_sec=9, price=Decimal(620)))
    contracts = (replace(SPY, price_steps=steps), *scenario().contracts[1:])
    client = Client(scenario(contracts=contracts))
    client.ask(STREAM)
    assert prices(client.wait(4)) == {}
    assert prices(client.wait(1)) == {1: Decimal("609.99"), 2: Decimal("610.01"), 4: 610}
    client.ask(CancelMktData(req_id=7))
    assert client.wait(10) == []
    assert prices(client.ask(STREAM))[4] == 620


def test_lines_are_limited_over_all_clients() -> None:
    first = Client(scenario(gateway=GatewaySettings(market_data_lines=2)))
    second = Client(client_id=2, other=first)
    first.ask(STREAM)
    second.ask(STREAM)
    extra = ReqMktData(req_id=8, contract=stock(IAU))
    assert codes(first.ask(extra)) == [101]
    second.leave()
    assert codes(first.ask(extra)) == []


def test_bad_requests_are_refused() -> None:
    client = Client()
    client.ask(STREAM)
    assert codes(client.ask(STREAM)) == [102]
    assert codes(client.ask(CancelMktData(req_id=99))) == [300]
    assert codes(client.ask(SNAPSHOT._replace(req_id=8, generic_ticks="233"))) == [321]
    assert codes(client.ask(STREAM._replace(req_id=8, contract=stock(exchange="")))) == [321]
    unknown = ContractKey(con_id=99, exchange="SMART")
    assert codes(client.ask(STREAM._replace(req_id=8, contract=unknown))) == [200]
    assert codes(client.ask(ReqMarketDataType(market_data_type=5))) == [321]


def test_an_ambiguous_contract_has_no_data() -> None:
    twin = replace(SPY, con_id=9, primary_exchange="BATS")
    key = ContractKey(symbol="SPY", sec_type="STK", exchange="SMART", currency="USD")
    setting = scenario(
        contracts=(SPY, twin), accounts=(replace(scenario().accounts[0], positions=()),)
    )
    answer = Client(setting).ask(ReqMktData(req_id=1, contract=key))
    assert "ambiguous" in only(ErrorMessage, answer)[0].text
