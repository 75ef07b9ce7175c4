"""What is not served ends the caller's wait at once: every request method of the real ib_async."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping

import ib_async
import pytest

from src.simulator.exchange import Exchange
from src.simulator.gateway.server import SimulatedGateway, utc_now
from src.simulator.messages.responses import ErrorMessage
from src.simulator.messages.tables import Refusal, parse_request
from src.simulator.messages.unserved import UNSERVED
from src.simulator.scenario.records import load_scenario

ENDS_WITHIN_SEC = 3.5  # ib_async sends 45 messages a second and gives requestFA 4 s
ACCOUNT = "DU1234567"
SPY = ib_async.Stock("SPY", "SMART", "USD", conId=756733)
OPTION = ib_async.Option("SPY", "20270115", 500, "C", "SMART")
SCAN = ib_async.ScannerSubscription(instrument="STK", scanCode="TOP_PERC_GAIN")
WSH = ib_async.WshEventData(conId=756733)
Ask = Callable[[ib_async.IB], object]

# every method of IB that asks the gateway something and waits for the answer
WAITING: Mapping[str, Ask] = {
    "accountSummaryAsync": lambda ib: ib.accountSummaryAsync(),
    "calculateImpliedVolatilityAsync": lambda ib: ib.calculateImpliedVolatilityAsync(
        OPTION, 9, 500
    ),
    "calculateOptionPriceAsync": lambda ib: ib.calculateOptionPriceAsync(OPTION, 0.2, 500),
    "getWshEventDataAsync": lambda ib: ib.getWshEventDataAsync(WSH),
    "getWshMetaDataAsync": lambda ib: ib.getWshMetaDataAsync(),
    "qualifyContractsAsync": lambda ib: ib.qualifyContractsAsync(SPY),
    "reqAccountSummaryAsync": lambda ib: ib.reqAccountSummaryAsync(),
    "reqAccountUpdatesMultiAsync": lambda ib: ib.reqAccountUpdatesMultiAsync(ACCOUNT),
    "reqAllOpenOrdersAsync": lambda ib: ib.reqAllOpenOrdersAsync(),
    "reqCompletedOrdersAsync": lambda ib: ib.reqCompletedOrdersAsync(apiOnly=False),
    "reqContractDetailsAsync": lambda ib: ib.reqContractDetailsAsync(SPY),
    "reqCurrentTimeAsync": lambda ib: ib.reqCurrentTimeAsync(),
    "reqExecutionsAsync": lambda ib: ib.reqExecutionsAsync(),
    "reqFundamentalDataAsync": lambda ib: ib.reqFundamentalDataAsync(SPY, "ReportSnapshot"),
    "reqHeadTimeStampAsync": lambda ib: ib.reqHeadTimeStampAsync(
        SPY, "TRADES", useRTH=True, formatDate=1
    ),
    "reqHistogramDataAsync": lambda ib: ib.reqHistogramDataAsync(SPY, useRTH=True, period="1 week"),
    "reqHistoricalDataAsync": lambda ib: ib.reqHistoricalDataAsync(
        SPY, "", "1 D", "1 hour", "TRADES", useRTH=True
    ),
    "reqHistoricalNewsAsync": lambda ib: ib.reqHistoricalNewsAsync(756733, "BZ", "", "", 5),
    "reqHistoricalScheduleAsync": lambda ib: ib.reqHistoricalScheduleAsync(SPY, 5),
    "reqHistoricalTicksAsync": lambda ib: ib.reqHistoricalTicksAsync(
        SPY, "", "20250701 10:00:00", 5, "TRADES", useRth=True
    ),
    "reqMarketRuleAsync": lambda ib: ib.reqMarketRuleAsync(9999),
    "reqMatchingSymbolsAsync": lambda ib: ib.reqMatchingSymbolsAsync("SPY"),
    "reqMktDepthExchangesAsync": lambda ib: ib.reqMktDepthExchangesAsync(),
    "reqNewsArticleAsync": lambda ib: ib.reqNewsArticleAsync("BZ", "1"),
    "reqNewsProvidersAsync": lambda ib: ib.reqNewsProvidersAsync(),
    "reqOpenOrdersAsync": lambda ib: ib.reqOpenOrdersAsync(),
    "reqPositionsAsync": lambda ib: ib.reqPositionsAsync(),
    "reqScannerDataAsync": lambda ib: ib.reqScannerDataAsync(SCAN),
    "reqScannerParametersAsync": lambda ib: ib.reqScannerParametersAsync(),
    "reqSecDefOptParamsAsync": lambda ib: ib.reqSecDefOptParamsAsync("SPY", "", "STK", 756733),
    "reqSmartComponentsAsync": lambda ib: ib.reqSmartComponentsAsync("9c0001"),  # type: ignore[no-untyped-call]
    "reqTickersAsync": lambda ib: ib.reqTickersAsync(SPY),
    "reqUserInfoAsync": lambda ib: ib.reqUserInfoAsync(),  # type: ignore[no-untyped-call]
    "requestFAAsync": lambda ib: ib.requestFAAsync(1),
    "whatIfOrderAsync": lambda ib: ib.whatIfOrderAsync(
        SPY, ib_async.MarketOrder("BUY", 1, tif="DAY", account=ACCOUNT, allOrNone=True)
    ),
}
# those that only begin something: the refusal is an error with their request's id
BEGINNING: Mapping[str, Ask] = {
    "reqPnL": lambda ib: ib.reqPnL(ACCOUNT),
    "reqPnLSingle": lambda ib: ib.reqPnLSingle(ACCOUNT, "", 756733),
    "reqMktDepth": lambda ib: ib.reqMktDepth(SPY),
    "reqTickByTickData": lambda ib: ib.reqTickByTickData(SPY, "Last"),
    "reqRealTimeBars": lambda ib: ib.reqRealTimeBars(SPY, 5, "TRADES", useRTH=True),
    "reqScannerSubscription": lambda ib: ib.reqScannerSubscription(SCAN),
    "replaceFA": lambda ib: ib.replaceFA(1, "<xml/>"),
    "generic ticks": lambda ib: ib.reqMktData(SPY, "233"),
}
# asked by connecting; a clock that asks nothing
ELSEWHERE = {"connectAsync", "reqAccountUpdatesAsync", "timeRangeAsync"}
ENDINGS: Mapping[str, Ask] = {
    "cancelPnL": lambda ib: (ib.reqPnL(ACCOUNT), ib.cancelPnL(ACCOUNT)),
    "cancelMktDepth": lambda ib: (ib.reqMktDepth(SPY), ib.cancelMktDepth(SPY)),
    "cancelMktData": lambda ib: (ib.reqMktData(SPY, "233"), ib.cancelMktData(SPY)),
    "cancelTickByTickData": lambda ib: (
        ib.reqTickByTickData(SPY, "Last"),
        ib.cancelTickByTickData(SPY, "Last"),
    ),
    "cancelRealTimeBars": lambda ib: ib.cancelRealTimeBars(
        ib.reqRealTimeBars(SPY, 5, "TRADES", useRTH=True)
    ),
    "cancelScannerSubscription": lambda ib: ib.cancelScannerSubscription(
        ib.reqScannerSubscription(SCAN)
    ),
    "news bulletins": lambda ib: (
        ib.reqNewsBulletins(allMessages=True),
        ib.cancelNewsBulletins(),  # type: ignore[no-untyped-call]
    ),
}


def play(scene: Callable[[ib_async.IB, list[tuple[int, int]]], Awaitable[None]]) -> None:
    """A connected client and the errors it hears, as request id and code."""

    async def run() -> None:
        async with SimulatedGateway(Exchange(load_scenario(), utc_now())) as gateway:
            ib, heard = ib_async.IB(), list[tuple[int, int]]()
            await ib.connectAsync(gateway.host, gateway.port, clientId=5, timeout=10)
            ib.errorEvent += lambda about, code, *_: heard.append((about, code))
            await scene(ib, heard)
            ib.disconnect()

    asyncio.run(run())


def test_no_method_that_waits_waits_for_ever() -> None:
    async def scene(ib: ib_async.IB, _: list[tuple[int, int]]) -> None:
        for name, ask in WAITING.items():
            answer = ask(ib)
            assert inspect.isawaitable(answer), name
            done, _open = await asyncio.wait(
                [asyncio.ensure_future(answer)], timeout=ENDS_WITHIN_SEC
            )
            assert done, f"{name} waits on"
            if name == "reqMarketRuleAsync":
                assert done.pop().result() == [], "its own limit of one second gives None"

    play(scene)


def test_the_table_has_every_method_that_waits() -> None:
    methods = {name for name in dir(ib_async.IB) if name.endswith("Async")}
    assert methods == set(WAITING) | ELSEWHERE


@pytest.mark.parametrize("name", BEGINNING)
def test_what_only_begins_is_refused_by_its_id(name: str) -> None:
    async def scene(ib: ib_async.IB, heard: list[tuple[int, int]]) -> None:
        BEGINNING[name](ib)
        await ib.reqCurrentTimeAsync()
        ((about, code),) = heard
        assert about > 0
        assert code in {321, 322}

    play(scene)


@pytest.mark.parametrize("name", ENDINGS)
def test_the_end_of_what_was_refused_is_silent(name: str) -> None:
    async def scene(ib: ib_async.IB, heard: list[tuple[int, int]]) -> None:
        ENDINGS[name](ib)
        await ib.reqCurrentTimeAsync()
        assert len(heard) <= 1  # of the beginning

    play(scene)


def test_contracts_by_id_by_local_symbol_and_of_the_portfolio_are_one_row() -> None:
    async def scene(ib: ib_async.IB, _: list[tuple[int, int]]) -> None:
        asked = [
            ib_async.Contract(conId=756733),
            ib_async.Contract(localSymbol="SPY", exchange="SMART", currency="USD"),
            ib_async.Contract(secType="STK", localSymbol="SPY"),
            *(item.contract for item in ib.portfolio()),
            *(item.contract for item in ib.positions()),
        ]
        for contract in asked:
            assert len(await ib.reqContractDetailsAsync(contract)) == 1, contract
        by_id, *_rest = await ib.qualifyContractsAsync(*asked)
        assert isinstance(by_id, ib_async.Contract)
        assert (by_id.symbol, by_id.exchange) == ("SPY", "SMART")
        rows = await ib.reqContractDetailsAsync(ib_async.Stock("SPY", currency="USD"))
        assert len(rows) > 1, "one row per venue, as TWS answers a symbol without exchange"
        unknown = ib_async.Contract(secIdType="ISIN", secId="US78462F1030", secType="STK")
        assert await ib.reqContractDetailsAsync(unknown) == []

    play(scene)


@pytest.mark.parametrize("number", UNSERVED)
def test_every_refusal_ends_the_call_or_is_silent(number: int) -> None:
    row = UNSERVED[number]
    refusal = parse_request((str(number), *"123456789"), 178)
    assert isinstance(refusal, Refusal)
    for reply in refusal.replies:
        if isinstance(reply, ErrorMessage):
            assert reply.code in {162, 322}
            assert row.name in reply.text
    assert bool(refusal.replies) != row.is_silent
