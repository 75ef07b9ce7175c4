"""What is held against each other after a seed: the gateway's record, the journal, the reports."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from src.core.orders.ref import OrderRef, parse_order_ref
from src.core.run.state import RunState
from src.simulator.gateway.wire_log import WireRecord
from src.simulator.messages.requests import CancelOrder, PlaceOrder
from src.simulator.messages.tables import parse_request
from src.simulator.orders.state import Execution
from tests.simulation.endings import Ending
from tests.simulation.script import Script
from tests.simulation.world import World

_VERSION = 178


@dataclass(frozen=True, slots=True, kw_only=True)
class WireOrder:
    """A placeOrder as its bytes arrived, whether or not anybody handled it."""

    at_utc: datetime
    order_id: int
    client_id: int
    con_id: int
    order_ref: str
    account_id: str
    signed_shares: Decimal
    ref: OrderRef | None


@dataclass(frozen=True, slots=True)
class Facts:
    """The world after the last invocation, in the shape the invariants ask for."""

    world: World
    runs: dict[str, RunState]
    wire_orders: tuple[WireOrder, ...]

    @property
    def script(self) -> Script:
        return self.world.script

    @property
    def endings(self) -> list[Ending]:
        return self.world.endings

    @property
    def wire_log(self) -> list[WireRecord]:
        return self.world.gateway.wire_log

    def executions(self, order_ref: str) -> list[Execution]:
        """What the exchange really executed for one of our orders, corrections applied."""
        book = self.world.order_book
        return [one for one in book.executions.values() if one.live.order.order_ref == order_ref]

    def line_executions(self, run_id: str, line: int) -> list[Execution]:
        """The same, over all attempts at a plan line."""
        refs = [
            one.order_ref
            for one in self.wire_orders
            if one.ref and (one.ref.run_id, one.ref.line) == (run_id, line)
        ]
        return [one for ref in dict.fromkeys(refs) for one in self.executions(ref)]

    def ending_of(self, run_id: str) -> Ending | None:
        """The start of the program that this run is of."""
        return next((one for one in self.endings if one.run_id == run_id), None)

    def sent_by(self, ending: Ending) -> list[WireOrder]:
        """The orders of the run of one start, by reference."""
        return [one for one in self.wire_orders if one.ref and one.ref.run_id == ending.run_id]

    def report(self, file_name: str) -> list[dict[str, str]] | None:
        """The rows of a report, or None when there is no such file."""
        path = self.world.report_dir / file_name
        if not path.exists():
            return None
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def gather(world: World) -> Facts:
    """Look at everything once."""
    return Facts(
        world=world,
        runs={state.run_id: state for state in world.runs()},
        wire_orders=tuple(_wire_orders(world)),
    )


def cancelled_ids(records: list[WireRecord]) -> Iterator[tuple[int, int]]:
    """Client and order id of every cancel request, in order."""
    for record in records:
        if record.name == CancelOrder.__name__:
            request = parse_request(record.fields, _VERSION)
            if isinstance(request, CancelOrder):
                yield record.client_id, request.order_id


def _wire_orders(world: World) -> Iterator[WireOrder]:
    versions = (_VERSION, world.script.scenario.wire.server_version)
    for record in world.gateway.wire_log:
        if record.name == PlaceOrder.__name__:
            request = _read_order(record, versions)
            order = request.order
            shares = order.total_quantity or Decimal(0)
            yield WireOrder(
                at_utc=record.at_utc,
                order_id=request.order_id,
                client_id=record.client_id,
                con_id=request.contract.con_id,
                order_ref=order.order_ref,
                account_id=order.account,
                signed_shares=shares if order.action == "BUY" else -shares,
                ref=parse_order_ref(order.order_ref),
            )


def _read_order(record: WireRecord, versions: tuple[int, ...]) -> PlaceOrder:
    """The order of a record; its fields stand where the version agreed upon has them."""
    read = [parse_request(record.fields, version) for version in versions]
    orders = [one for one in read if isinstance(one, PlaceOrder)]
    named = [one for one in orders if parse_order_ref(one.order.order_ref)]
    return (named or orders)[0]
