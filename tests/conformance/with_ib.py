"""The script of actions with ib_async or ib_insync: ``with_ib.py LIBRARY PORT`` prints JSON.

Runs in an environment of its own, so it imports nothing of this project.
"""

import asyncio
import importlib
import json
import sys
from collections.abc import Awaitable
from typing import Any

ACCOUNT, CLIENT_ID, SPY_ID, LIMIT_SEC = "DU1234567", 7, 756733, 20.0


async def play(library: Any, port: int) -> dict[str, object]:
    """What the client saw, by action."""
    ib = library.IB()
    await ib.connectAsync("127.0.0.1", port, clientId=CLIENT_ID, timeout=LIMIT_SEC)
    spy = library.Stock("SPY", "SMART", "USD")
    seen: dict[str, object] = {"accounts": ib.managedAccounts()}
    seen["contract"] = [row.contract.conId for row in await ib.reqContractDetailsAsync(spy)]
    by_id = await ib.reqContractDetailsAsync(library.Contract(conId=SPY_ID))
    seen["contract by id"] = [row.contract.symbol for row in by_id]
    await ib.qualifyContractsAsync(spy)
    (ticker,) = await ib.reqTickersAsync(spy)
    seen["quote"] = 0 < ticker.bid < ticker.ask
    seen["holds SPY"] = any(item.contract.conId == SPY_ID for item in ib.positions())
    seen["net liquidation"] = any(v.tag == "NetLiquidation" for v in ib.accountValues())
    seen.update(await _orders(library, ib, spy))
    history = ib.reqHistoricalDataAsync(spy, "", "1 D", "1 hour", "TRADES", useRTH=True)
    seen["bars refused"] = not await history
    seen["open orders"] = len(await ib.reqAllOpenOrdersAsync())
    seen["executions"] = len(await ib.reqExecutionsAsync())
    done = await ib.reqCompletedOrdersAsync(apiOnly=False)
    seen["completed"] = sorted({trade.orderStatus.status for trade in done})
    ib.disconnect()
    return seen


async def _orders(library: Any, ib: Any, spy: Any) -> dict[str, object]:
    def market(**changes: object) -> Any:
        return library.MarketOrder("BUY", 1, tif="DAY", account=ACCOUNT, **changes)

    seen: dict[str, object] = {}
    adaptive = market(
        algoStrategy="Adaptive", algoParams=[library.TagValue("adaptivePriority", "Normal")]
    )
    for name, order in (("market", market()), ("adaptive", adaptive)):
        trade = ib.placeOrder(spy, order)
        await _until(trade.commissionReportEvent)
        seen[name] = [trade.orderStatus.status, trade.filled()]
    resting = ib.placeOrder(spy, library.LimitOrder("BUY", 2, 1.0, tif="GTC", account=ACCOUNT))
    while resting.orderStatus.status != "Submitted":
        await _until(resting.statusEvent)
    resting.order.lmtPrice = 1.5
    ib.placeOrder(spy, resting.order)
    ib.cancelOrder(resting.order)
    await _until(resting.cancelledEvent)
    seen["limit, changed, cancelled"] = [resting.orderStatus.status, resting.order.lmtPrice]
    refused = ib.placeOrder(spy, market(allOrNone=True))
    while not refused.isDone():
        await _until(refused.statusEvent)
    seen["all or none refused"] = [refused.filled(), len(refused.fills)]
    return seen


async def _until(event: Awaitable[object]) -> None:
    await asyncio.wait_for(event, LIMIT_SEC)


def main(name: str, port: int) -> None:
    """Play in a loop that is there before the library is loaded: the older one keeps it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    seen = loop.run_until_complete(play(importlib.import_module(name), port))
    print(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
