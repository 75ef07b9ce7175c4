"""What the exchange knows of orders and executions; shared by all that works on them.

An order is named by (client id, order id); a hand-typed one has client 0 and order id 0. It is done
when nothing more is expected of it; a parked ``Inactive`` order is not done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from src.simulator.accounts.account import ZERO
from src.simulator.messages.orders import ContractKey, Order
from src.simulator.outbox.gateway_times import GatewayTimes
from src.simulator.scenario.records import ContractSetup, GatewaySettings, OrderBehaviour

PENDING_SUBMIT, PRE_SUBMITTED, SUBMITTED = "PendingSubmit", "PreSubmitted", "Submitted"
PENDING_CANCEL, CANCELLED, FILLED, INACTIVE = "PendingCancel", "Cancelled", "Filled", "Inactive"
_FIRST_PERM_ID = 1_732_500_001
_FIRST_EXEC_NUMBER = 0x67F01000
FINISHED_KEPT = 1000
"""So many finished orders are remembered, and at times twice as many."""
_EXEC_SERIES = 0x0000E0D5


@dataclass(slots=True, kw_only=True)
class LiveOrder:
    """One order from its arrival on. ``value`` is the sum of shares times price of its fills.

    ``version`` rises whenever what was planned for the order no longer holds. ``expires_at``: the
    end of the session a DAY order is for. ``cancelled_by``: another client that asked to cancel it.
    """

    client_id: int
    order_id: int
    perm_id: int
    contract: ContractSetup
    key: ContractKey
    order: Order
    placed_at: datetime
    behaviour: OrderBehaviour
    status: str = PENDING_SUBMIT
    filled: Decimal = ZERO
    value: Decimal = ZERO
    last_price: Decimal = ZERO
    commission: Decimal = ZERO
    why_held: str = ""
    reason: str = ""
    is_transmitted: bool = True
    is_done: bool = False
    is_held: bool = False
    next_step: int = 0
    is_step_waiting: bool = False
    version: int = 0
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    cancelled_by: int | None = None

    @property
    def is_manual(self) -> bool:
        """Typed into TWS by hand, not placed through the API."""
        return self.client_id == 0 and self.order_id <= 0

    @property
    def is_buy(self) -> bool:
        """True for BUY."""
        return self.order.action == "BUY"

    @property
    def quantity(self) -> Decimal:
        """Shares ordered."""
        return self.order.total_quantity or ZERO

    @property
    def remaining(self) -> Decimal:
        """Shares not filled yet, never below 0."""
        return max(self.quantity - self.filled, ZERO)

    @property
    def avg_price(self) -> Decimal:
        """Average fill price, 0 before the first fill."""
        return self.value / self.filled if self.filled else ZERO

    @property
    def commission_currency(self) -> str:
        """What the commission is charged in."""
        return self.behaviour.commission.currency or self.contract.currency

    @property
    def is_muted(self) -> bool:
        """True when no callback ever tells of this order."""
        return self.behaviour.silence != "no"


class Execution(NamedTuple):
    """One execution report; a correction of it has the same number and the next revision."""

    number: int
    live: LiveOrder
    at: datetime
    shares: Decimal
    price: Decimal
    side: str
    account: str
    contract: ContractSetup
    order_ref: str
    cum_qty: Decimal
    avg_price: Decimal
    commission: Decimal
    realized_pnl: Decimal | None = None
    revision: int = 1

    @property
    def venue(self) -> str:
        """Where it happened: the exchange ordered, or one that a smart order was routed to."""
        ordered = self.live.key.exchange
        if ordered not in ("", "SMART"):
            return ordered
        own = self.contract.primary_exchange
        others = [name for name in self.contract.valid_exchanges if name not in ("SMART", own)]
        return others[-1] if others else own

    @property
    def exec_id(self) -> str:
        """Unique id in TWS's form; what follows the last point is the revision."""
        return f"{_EXEC_SERIES:08x}.{self.number:08x}.01.{self.revision:02d}"


class OrderBook:
    """All orders and executions of the session, and the counters that number them."""

    def __init__(self, gateway: GatewaySettings) -> None:
        self.orders: list[LiveOrder] = []
        self.executions: dict[int, Execution] = {}
        self.told_commissions: set[str] = set()
        self._by_name: dict[tuple[int, int], LiveOrder] = {}
        self._next_ids = {int(client): n for client, n in gateway.next_valid_ids.items()}
        self._first_id = gateway.first_order_id
        self.times = GatewayTimes(gateway)
        self._used_ids: dict[int, int] = {}
        self._last_perm_id, self._last_exec_number = _FIRST_PERM_ID - 1, _FIRST_EXEC_NUMBER - 1

    def next_valid_id(self, client_id: int) -> int:
        """The order id the gateway offers to this client."""
        return self._next_ids.get(client_id, self._first_id)

    def highest_id(self, client_id: int) -> int:
        """The highest order id this client has really used."""
        return self._used_ids.get(client_id, 0)

    def use_id(self, client_id: int, order_id: int) -> None:
        """Count an order id as used."""
        self._used_ids[client_id] = max(self.highest_id(client_id), order_id)
        self._next_ids[client_id] = max(self.next_valid_id(client_id), order_id + 1)

    def roll_ids_back(self, by: int) -> None:
        """Offer lower order ids again, as after a gateway restart that lost orders in flight."""
        self._next_ids = {client: max(1, n - by) for client, n in self._next_ids.items()}
        self._used_ids = {client: max(0, n - by) for client, n in self._used_ids.items()}

    def new_perm_id(self) -> int:
        """The next permanent id."""
        self._last_perm_id += 1
        return self._last_perm_id

    def new_exec_number(self) -> int:
        """The next execution number."""
        self._last_exec_number += 1
        return self._last_exec_number

    def add(self, live: LiveOrder) -> None:
        """Take an order in; a hand-typed one has no name. Old finished ones are forgotten."""
        if len(self.orders) >= 2 * FINISHED_KEPT:
            self._forget()
        self.orders.append(live)
        self._last_perm_id = max(self._last_perm_id, live.perm_id)
        if not live.is_manual:
            self._by_name[live.client_id, live.order_id] = live
            self.use_id(live.client_id, live.order_id)

    def _forget(self) -> None:
        finished = [live for live in self.orders if live.is_done]
        old = {id(live) for live in finished[: -FINISHED_KEPT or None]}
        self.orders = [live for live in self.orders if id(live) not in old]
        self._by_name = {k: live for k, live in self._by_name.items() if id(live) not in old}
        gone = [one for one in self.executions.values() if id(one.live) in old]
        self.told_commissions -= {one.exec_id for one in gone}
        for one in gone:
            del self.executions[one.number]

    def keep(self, execution: Execution) -> None:
        """Take in an execution that was reported with its commission before the start."""
        self.executions[execution.number] = execution
        self.told_commissions.add(execution.exec_id)
        self._last_exec_number = max(self._last_exec_number, execution.number)

    def find(self, client_id: int, order_id: int) -> LiveOrder | None:
        """The latest order of that name."""
        return self._by_name.get((client_id, order_id))

    def find_of_others(self, order_id: int) -> LiveOrder | None:
        """The one working order of that id, whoever placed it; none if several clients have one."""
        found = [live for live in self.working() if live.order_id == order_id > 0]
        return found[0] if len(found) == 1 else None

    def working(self) -> list[LiveOrder]:
        """Orders that are not done and known to the exchange."""
        return [live for live in self.orders if not live.is_done and live.is_transmitted]
