"""``python -m tests.benchmarks.long_day``: what the simulated exchange holds through 24 hours.

On a scripted clock a client sends an order every second while prices move; the memory held is read
now and then. Exit code 1 when the later half of the readings is more than a tenth above the first.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tracemalloc
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from src.simulator.exchange import Exchange
from src.simulator.messages.orders import ContractKey, Order
from src.simulator.messages.requests import PlaceOrder, ReqMktData
from src.simulator.orders.state import FINISHED_KEPT
from src.simulator.scenario.records import load_scenario

START: Final = datetime(2025, 7, 2, 15, 0, tzinfo=timezone.utc)
HOURS: Final = 24
_READINGS: Final = 32


def held_kib(seconds: int, read_every_sec: int) -> list[int]:
    """KiB that are held after each stretch of a day with an order every second."""
    exchange = Exchange(load_scenario(moves=True), START)
    account = exchange.scenario.accounts[0].account_id
    spy = ContractKey(con_id=756733, exchange="SMART")
    exchange.connect(1, START)
    exchange.handle(1, ReqMktData(req_id=1, contract=spy), START)
    tracemalloc.start()
    readings = []
    try:
        for number in range(1, seconds + 1):
            order = Order(
                action="BUY" if number % 2 else "SELL",
                total_quantity=Decimal(1),
                order_type="MKT",
                tif="DAY",
                account=account,
            )
            request = PlaceOrder(order_id=number, contract=spy, order=order)
            exchange.handle(1, request, START + timedelta(seconds=number))
            if number % read_every_sec == 0:
                gc.collect()
                readings.append(tracemalloc.get_traced_memory()[0] // 1024)
    finally:
        tracemalloc.stop()
    return readings


def main() -> int:
    """Print the readings; 1 when the later half of them is above the first."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.long_day")
    parser.add_argument("--hours", type=int, default=HOURS)
    seconds = parser.parse_args().hours * 3600
    steps = -(-seconds // (_READINGS * FINISHED_KEPT))
    every = steps * FINISHED_KEPT  # always as long after the oldest orders were forgotten
    readings = held_kib(seconds, every)
    for number, kib in enumerate(readings, start=1):
        sys.stdout.write(f"after {timedelta(seconds=number * every)}: {kib} KiB\n")
    half = len(readings) // 2
    return int(max(readings[half:]) > max(readings[:half]) * 1.1)


if __name__ == "__main__":
    sys.exit(main())
