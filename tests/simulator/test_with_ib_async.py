"""The whole simulated gateway and the real ib_async, over a real socket."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import ib_async
import pytest

from src.simulator.exchange import Exchange
from src.simulator.gateway.server import SimulatedGateway, utc_now
from src.simulator.scenario.records import Scenario, load_scenario

TIMEOUT_SEC = 10.0
ACCOUNT = "DU1234567"
SPY = ib_async.Stock("SPY", "SMART", "USD", conId=756733)


async def connected(gateway: SimulatedGateway, client_id: int = 5) -> ib_async.IB:
    ib = ib_async.IB()
    await ib.connectAsync(
        gateway.host,
        gateway.port,
        clientId=client_id,
        timeout=TIMEOUT_SEC,
        fetchFields=ib_async.StartupFetch.POSITIONS | ib_async.StartupFetch.ACCOUNT_UPDATES,
        raiseSyncErrors=True,
    )
    return ib


def trade(scene: Callable[[ib_async.IB], Awaitable[None]], version: int = 178) -> None:
    """Play a scene with one connected client."""
    scenario = load_scenario()

    async def run() -> None:
        gateway = SimulatedGateway(Exchange(_at_version(scenario, version), utc_now()))
        async with gateway:
            ib = await connected(gateway)
            assert ib.client.serverVersion() == version
            await asyncio.wait_for(scene(ib), TIMEOUT_SEC)
            ib.disconnect()

    asyncio.run(run())


def _at_version(scenario: Scenario, version: int) -> Scenario:
    wire = dataclasses.replace(scenario.wire, server_version=version)
    return dataclasses.replace(scenario, wire=wire)


async def _until(event: ib_async.Event) -> None:
    await asyncio.wait_for(event, TIMEOUT_SEC)


@pytest.mark.parametrize("version", [157, 163, 166, 170, 176, 178])
def test_connect_and_ask_everything(version: int) -> None:
    expected = load_scenario().accounts[0]

    async def scene(ib: ib_async.IB) -> None:
        assert ib.managedAccounts() == [ACCOUNT]
        assert len(ib.positions()) == len(expected.positions)
        assert len(ib.portfolio()) == len(expected.positions)
        assert any(value.tag == "NetLiquidation" for value in ib.accountValues())
        (details,) = await ib.reqContractDetailsAsync(SPY)
        assert details.contract is not None
        assert (details.contract.conId, details.stockType) == (756733, "ETF")
        (ticker,) = await ib.reqTickersAsync(SPY)
        assert 0 < ticker.bid < ticker.ask
        stream = ib.reqMktData(SPY)
        await _until(stream.updateEvent)
        assert ib.cancelMktData(SPY)
        assert (await ib.reqCurrentTimeAsync()).utcoffset() is not None
        summary = await ib.accountSummaryAsync()
        assert ACCOUNT in {value.account for value in summary}
        assert await ib.reqAllOpenOrdersAsync() == []
        assert await ib.reqCompletedOrdersAsync(apiOnly=False) == []
        assert await ib.reqExecutionsAsync() == []

    trade(scene, version)


@pytest.mark.parametrize("version", [157, 163, 170, 176, 178])
def test_orders_fill_can_be_changed_and_cancelled(version: int) -> None:
    async def scene(ib: ib_async.IB) -> None:
        adaptive = ib_async.MarketOrder("BUY", 2, tif="DAY", account=ACCOUNT, orderRef="ref-1")
        adaptive.algoStrategy = "Adaptive"
        adaptive.algoParams = [ib_async.TagValue("adaptivePriority", "Patient")]
        filled = ib.placeOrder(SPY, adaptive)
        await _until(filled.commissionReportEvent)
        await ib.reqCurrentTimeAsync()
        assert filled.orderStatus.status == "Filled"
        assert filled.filled() == 2
        resting = ib.placeOrder(SPY, ib_async.LimitOrder("BUY", 3, 1.0, tif="DAY", account=ACCOUNT))
        await _until(resting.statusEvent)
        resting.order.lmtPrice = 1.5
        ib.placeOrder(SPY, resting.order)
        still_open = await ib.reqAllOpenOrdersAsync()  # ib_async also lists what is pushed
        assert {(item.order.orderId, item.order.lmtPrice) for item in still_open} == {
            (resting.order.orderId, 1.5)
        }
        ib.cancelOrder(resting.order)
        await _until(resting.cancelledEvent)
        done = await ib.reqCompletedOrdersAsync(apiOnly=False)
        assert {item.orderStatus.status for item in done} == {"Filled", "Cancelled"}
        (fill,) = await ib.reqExecutionsAsync()
        assert (fill.execution.orderRef, fill.execution.shares) == ("ref-1", 2.0)

    trade(scene, version)


def test_a_second_client_with_the_same_id_is_refused() -> None:
    async def scene(ib: ib_async.IB) -> None:
        errors: list[int] = []
        other = ib_async.IB()
        other.errorEvent += lambda _id, code, *_: errors.append(code)
        with pytest.raises(asyncio.TimeoutError):
            await other.connectAsync(ib.client.host, ib.client.port, clientId=5, timeout=0.5)
        assert errors == [326]

    trade(scene)
