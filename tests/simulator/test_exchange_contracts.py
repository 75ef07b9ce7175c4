"""Contracts of the simulated exchange: details, ambiguity, samples, market rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal

import pytest

from src.simulator.messages.market import (
    ContractDetails,
    ContractDetailsEnd,
    MarketRule,
    PriceIncrement,
    SymbolSamples,
)
from src.simulator.messages.orders import ContractKey
from src.simulator.messages.requests import (
    ReqContractDetails,
    ReqCurrentTime,
    ReqIds,
    ReqMarketRule,
    ReqMatchingSymbols,
)
from src.simulator.messages.responses import CurrentTime, ErrorMessage, NextValidId
from tests.kits.exchange_kit import IAU, SPY, START, Client, codes, only, scenario, stock

SPY_BY_NAME = ContractKey(symbol="SPY", sec_type="STK", exchange="SMART", currency="USD")
LONDON = replace(
    SPY, con_id=11, symbol="IGLN", primary_exchange="LSEETF", valid_exchanges=("SMART", "LSEETF")
)
SWISS = replace(LONDON, con_id=12, primary_exchange="EBS", time_zone="MET")


def _ask(key: ContractKey, client: Client | None = None) -> list[ContractDetails | object]:
    return list((client or Client()).ask(ReqContractDetails(req_id=5, contract=key)))


@pytest.mark.parametrize(
    "key",
    [
        SPY_BY_NAME,
        SPY_BY_NAME._replace(symbol="spy"),
        SPY_BY_NAME._replace(primary_exchange="ARCA"),
        SPY_BY_NAME._replace(exchange="ARCA"),
        stock(SPY),
    ],
)
def test_one_row_then_the_end(key: ContractKey) -> None:
    row, end = _ask(key)
    assert isinstance(row, ContractDetails)
    assert (row.contract.con_id, row.contract.exchange) == (1, key.exchange)
    assert row.contract.primary_exchange == "ARCA"
    assert end == ContractDetailsEnd(req_id=5)


def test_details_describe_an_etf_with_sessions_and_steps() -> None:
    row = _ask(SPY_BY_NAME)[0]
    assert isinstance(row, ContractDetails)
    assert row.stock_type == "ETF"
    assert row.time_zone_id == "US/Eastern"
    assert row.liquid_hours.startswith("20250702:0900-20250702:1530;")
    assert row.min_tick == Decimal("0.01")
    assert row.size_increment == Decimal("0.0001")
    assert len(row.market_rule_ids.split(",")) == len(row.valid_exchanges.split(","))
    assert {"ALGO", "MKT", "LMT", "MIDPX"} <= set(row.order_types.split(","))


def test_without_an_exchange_there_is_a_row_per_venue() -> None:
    rows = only(
        ContractDetails,
        Client().ask(ReqContractDetails(req_id=5, contract=SPY_BY_NAME._replace(exchange=""))),
    )
    assert [row.contract.exchange for row in rows] == list(SPY.valid_exchanges)


@pytest.mark.parametrize(
    "key",
    [
        stock(SPY, ""),
        ContractKey(local_symbol="SPY", sec_type="STK"),
        ContractKey(local_symbol="SPY"),
        ContractKey(con_id=1, symbol="SPY", sec_type="STK", right="0", primary_exchange="ARCA"),
    ],
)
def test_an_id_or_a_local_symbol_is_one_row(key: ContractKey) -> None:
    (row,) = only(ContractDetails, Client().ask(ReqContractDetails(req_id=5, contract=key)))
    assert (row.contract.con_id, row.contract.exchange) == (1, "SMART")


def test_ids_of_others_are_not_known() -> None:
    named = ReqContractDetails(req_id=5, contract=SPY_BY_NAME, sec_id_type="ISIN", sec_id="US1")
    assert codes(Client().ask(named)) == [200]


@pytest.mark.parametrize(
    "key",
    [
        SPY_BY_NAME._replace(symbol="NONE"),
        SPY_BY_NAME._replace(currency="EUR"),
        SPY_BY_NAME._replace(exchange="LSE"),
        SPY_BY_NAME._replace(primary_exchange="NASDAQ"),
        ContractKey(con_id=999, exchange="SMART"),
        ContractKey(sec_type="STK", exchange="SMART", currency="USD"),
    ],
)
def test_unknown_contracts_are_error_200_without_an_end(key: ContractKey) -> None:
    text = "No security definition has been found for the request"
    assert _ask(key) == [ErrorMessage(id=5, code=200, text=text)]


def test_a_symbol_without_security_type_is_refused() -> None:
    assert codes(
        Client().ask(ReqContractDetails(req_id=5, contract=ContractKey(symbol="SPY")))
    ) == [321]


def test_ambiguous_symbols_give_several_rows() -> None:
    client = Client(scenario(contracts=(*scenario().contracts, LONDON, SWISS)))
    key = SPY_BY_NAME._replace(symbol="IGLN")
    assert len(_ask(key, client)) == 3
    assert len(_ask(key._replace(primary_exchange="EBS"), client)) == 2


def test_an_option_is_not_the_stock_of_its_symbol() -> None:
    row = _ask(SPY_BY_NAME._replace(sec_type="OPT", strike=Decimal(700), right="CALL"))[0]
    assert isinstance(row, ContractDetails)
    assert (row.contract.con_id, row.contract.multiplier) == (3, "100")
    assert row.real_expiration_date == "20271217"


def test_details_can_be_false() -> None:
    false = replace(SPY, details_con_id=0, details_symbol="SPX")
    row = _ask(SPY_BY_NAME, Client(scenario(contracts=(false, *scenario().contracts[1:]))))[0]
    assert isinstance(row, ContractDetails)
    assert (row.contract.con_id, row.contract.symbol) == (0, "SPX")


def test_the_old_name_of_nasdaq_is_understood() -> None:
    key = SPY_BY_NAME._replace(symbol="IAU", primary_exchange="ISLAND")
    assert len(_ask(key)) == 2


def test_real_clock_gives_real_sessions_and_time() -> None:
    clock = datetime(2025, 7, 3, 14, 0, tzinfo=timezone.utc)
    client = Client(scenario(clock=clock))
    row = _ask(SPY_BY_NAME, client)[0]
    assert isinstance(row, ContractDetails)
    assert row.liquid_hours.startswith("20250703:0930-20250703:1300;20250704:CLOSED")
    client.wait(10)
    assert client.ask(ReqCurrentTime()) == [CurrentTime(epoch_sec=int(clock.timestamp()) + 10)]


def test_matching_symbols_put_the_exact_one_first() -> None:
    contracts = (*scenario().contracts, replace(IAU, con_id=8, symbol="SPYG"), LONDON)
    client = Client(scenario(contracts=contracts))
    (answer,) = client.ask(ReqMatchingSymbols(req_id=2, pattern="spy"))
    assert isinstance(answer, SymbolSamples)
    assert [sample.symbol for sample in answer.samples] == ["SPY", "SPYG"]
    assert [t.name for t in answer.samples[0].derivative_sec_types] == ["OPT"]
    (named,) = client.ask(ReqMatchingSymbols(req_id=2, pattern="S&P 500"))
    assert isinstance(named, SymbolSamples)
    assert named.samples
    assert client.ask(ReqMatchingSymbols(req_id=3, pattern="ZZZ")) == [
        SymbolSamples(req_id=3, samples=())
    ]


def test_market_rules_give_the_price_step() -> None:
    step = PriceIncrement(low_edge=Decimal(0), increment=Decimal("0.01"))
    client = Client()
    assert client.ask(ReqMarketRule(rule_id=26)) == [MarketRule(rule_id=26, increments=(step,))]
    assert client.ask(ReqMarketRule(rule_id=999)) == [MarketRule(rule_id=999, increments=())]


def test_time_and_ids() -> None:
    client = Client()
    assert client.ask(ReqCurrentTime()) == [CurrentTime(epoch_sec=int(START.timestamp()))]
    assert client.ask(ReqIds()) == [NextValidId(order_id=1)]
