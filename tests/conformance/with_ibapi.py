"""The script of actions with the official client: ``with_ibapi.py ibapi PORT`` prints JSON.

Runs in an environment of its own, so it imports nothing of this project. The client calls back from
a thread; every call is put into one queue, in order.
"""

import inspect
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from decimal import Decimal

from ibapi.client import EClient  # type: ignore[import-not-found]
from ibapi.contract import Contract  # type: ignore[import-not-found]
from ibapi.execution import ExecutionFilter  # type: ignore[import-not-found]
from ibapi.order import Order  # type: ignore[import-not-found]
from ibapi.tag_value import TagValue  # type: ignore[import-not-found]
from ibapi.wrapper import EWrapper  # type: ignore[import-not-found]

ACCOUNT, CLIENT_ID, SPY_ID, LIMIT_SEC = "DU1234567", 7, 756733, 20.0
BID, ASK = 1, 2
Call = tuple[str, tuple[object, ...]]
NOTED = (
    *("nextValidId", "managedAccounts", "contractDetails", "contractDetailsEnd", "tickPrice"),
    *("tickSnapshotEnd", "position", "positionEnd", "updateAccountValue", "accountDownloadEnd"),
    *("orderStatus", "openOrder", "openOrderEnd", "execDetails", "execDetailsEnd", "error"),
    *("commissionReport", "commissionAndFeesReport", "completedOrder", "completedOrdersEnd"),
)


class App(EWrapper, EClient):  # type: ignore[misc]
    """A client that notes every call of its wrapper."""

    def __init__(self) -> None:
        EClient.__init__(self, self)
        self.calls: queue.Queue[Call] = queue.Queue()
        for name in NOTED:
            setattr(self, name, self._noting(name))

    def _noting(self, name: str) -> Callable[..., None]:
        return lambda *args, **_named: self.calls.put((name, args))

    def until(self, *names: str, about: int | None = None) -> list[Call]:
        """All calls up to the first one of these names (and of this id)."""
        heard: list[Call] = []
        while True:
            call = self.calls.get(timeout=LIMIT_SEC)
            heard.append(call)
            if call[0] in names and (about is None or call[1][0] == about):
                return heard

    def until_status(self, order_id: int, *words: str) -> list[Call]:
        """All calls up to one of these statuses of the order."""
        heard = self.until("orderStatus", about=order_id)
        while heard[-1][1][1] not in words:
            heard += self.until("orderStatus", about=order_id)
        return heard


def play(port: int) -> dict[str, object]:
    """What the client saw, by action."""
    app = App()
    app.connect("127.0.0.1", port, CLIENT_ID)
    threading.Thread(target=app.run, daemon=True).start()
    start = app.until("nextValidId")
    accounts = next((a[0] for name, a in start if name == "managedAccounts"), "")
    seen: dict[str, object] = {"accounts": str(accounts).rstrip(",").split(",")}
    seen.update(_reading(app))
    (order_id,) = start[-1][1]
    assert isinstance(order_id, int)
    seen.update(_orders(app, order_id))
    app.reqHistoricalData(9, _spy(), "", "1 D", "1 hour", "TRADES", 1, 1, False, [])
    seen["bars refused"] = app.until("error", about=9)[-1][0] == "error"
    app.reqAllOpenOrders()
    seen["open orders"] = _count("openOrder", app.until("openOrderEnd"))
    app.reqExecutions(10, ExecutionFilter())
    seen["executions"] = _count("execDetails", app.until("execDetailsEnd"))
    app.reqCompletedOrders(False)
    done = [args for name, args in app.until("completedOrdersEnd") if name == "completedOrder"]
    seen["completed"] = sorted({getattr(args[2], "status", "") for args in done})
    app.disconnect()
    return seen


def _reading(app: App) -> dict[str, object]:
    seen: dict[str, object] = {}
    by_id = Contract()
    by_id.conId = SPY_ID
    for name, field, contract in (("", "conId", _spy()), (" by id", "symbol", by_id)):
        app.reqContractDetails(1, contract)
        rows = [a[1] for n, a in app.until("contractDetailsEnd") if n == "contractDetails"]
        found = [getattr(row, "contract", None) for row in rows]
        seen[f"contract{name}"] = [getattr(one, field, None) for one in found]
    app.reqMktData(2, _spy(), "", True, False, [])
    ticks = {a[1]: a[2] for n, a in app.until("tickSnapshotEnd") if n == "tickPrice"}
    bid, ask = ticks.get(BID), ticks.get(ASK)
    seen["quote"] = isinstance(bid, float) and isinstance(ask, float) and 0 < bid < ask
    app.reqPositions()
    held = [args[1] for name, args in app.until("positionEnd") if name == "position"]
    seen["holds SPY"] = any(getattr(one, "conId", 0) == SPY_ID for one in held)
    app.reqAccountUpdates(True, ACCOUNT)
    values = [a[0] for n, a in app.until("accountDownloadEnd") if n == "updateAccountValue"]
    seen["net liquidation"] = "NetLiquidation" in values
    return seen


def _orders(app: App, order_id: int) -> dict[str, object]:
    seen: dict[str, object] = {}
    adaptive = _order("MKT", 1)
    adaptive.algoStrategy = "Adaptive"
    adaptive.algoParams = [TagValue("adaptivePriority", "Normal")]
    for name, order in (("market", _order("MKT", 1)), ("adaptive", adaptive)):
        app.placeOrder(order_id, _spy(), order)
        status = app.until_status(order_id, "Filled")[-1][1]
        app.until("commissionReport", "commissionAndFeesReport")
        seen[name] = [status[1], _number(status[2])]
        order_id += 1
    resting = _order("LMT", 2)
    resting.tif = "GTC"
    resting.lmtPrice = 1.0
    app.placeOrder(order_id, _spy(), resting)
    app.until_status(order_id, "Submitted")
    resting.lmtPrice = 1.5
    app.placeOrder(order_id, _spy(), resting)
    price = app.until("openOrder", about=order_id)[-1][1][2]
    _cancel(app, order_id)
    status = app.until_status(order_id, "Cancelled")[-1][1]
    seen["limit, changed, cancelled"] = [status[1], getattr(price, "lmtPrice", None)]
    odd = _order("MKT", 1)
    odd.allOrNone = True
    app.placeOrder(order_id + 1, _spy(), odd)
    heard = app.until_status(order_id + 1, "Cancelled")
    fills = [args for name, args in heard if name == "execDetails"]
    seen["all or none refused"] = [_number(heard[-1][1][2]), len(fills)]
    return seen


def _spy() -> Contract:
    contract = Contract()
    contract.symbol, contract.secType = "SPY", "STK"
    contract.exchange, contract.currency = "SMART", "USD"
    return contract


def _order(kind: str, quantity: int) -> Order:
    order = Order()
    order.action, order.orderType, order.tif, order.account = "BUY", kind, "DAY", ACCOUNT
    order.totalQuantity = Decimal(quantity)
    return order


def _cancel(app: App, order_id: int) -> None:
    """Newer clients ask for more than the id: first for a time, then for a record."""
    try:
        from ibapi.order_cancel import OrderCancel  # type: ignore[import-not-found]
    except ImportError:
        more = ("",) if len(inspect.signature(app.cancelOrder).parameters) > 1 else ()
        app.cancelOrder(order_id, *more)
    else:
        app.cancelOrder(order_id, OrderCancel())


def _number(value: object) -> float:
    return float(str(value))


def _count(name: str, heard: list[Call]) -> int:
    return sum(called == name for called, _ in heard)


if __name__ == "__main__":
    try:
        print(json.dumps(play(int(sys.argv[2]))), flush=True)
    except queue.Empty:
        traceback.print_exc()
        os._exit(1)  # the client's own threads would keep the process
    os._exit(0)
