"""A client of the simulated exchange without a socket: asks, waits, and reads answers as words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TypeVar

from src.simulator.exchange import Delivery, Exchange
from src.simulator.messages.account import AccountValue, Position
from src.simulator.messages.market import TickPrice
from src.simulator.messages.orders import ContractKey, Order
from src.simulator.messages.requests import CancelOrder, PlaceOrder, Request
from src.simulator.messages.responses import (
    CommissionReport,
    CompletedOrder,
    ErrorMessage,
    ExecDetails,
    OpenOrder,
    OrderStatus,
    Response,
)
from src.simulator.scenario.records import (
    AccountSetup,
    ContractSetup,
    OrderBehaviour,
    OrderRule,
    PositionSetup,
    Scenario,
    ScheduledEvent,
)

ACCOUNT = "DU1234567"
OTHER_ACCOUNT = "DU7654321"
START = datetime(2025, 7, 2, 15, 0, tzinfo=timezone.utc)
SPY = ContractSetup(
    con_id=1, symbol="SPY", price=Decimal(600), spread=Decimal("0.02"), long_name="SPDR S&P 500"
)
IAU = ContractSetup(con_id=2, symbol="IAU", price=Decimal(60), primary_exchange="NASDAQ")
CALL = ContractSetup(
    con_id=3,
    symbol="SPY",
    price=Decimal(12),
    sec_type="OPT",
    multiplier="100",
    right="C",
    strike=Decimal(700),
    last_trade_date="20271217",
    local_symbol="SPY   271217C00700000",
)
XIU = ContractSetup(con_id=4, symbol="XIU", price=Decimal(40), currency="CAD")
SAMPLE_CONTRACTS = (SPY, IAU, CALL, XIU)
_T = TypeVar("_T")


def account(**changes: object) -> AccountSetup:
    """A margin account: 10 000 USD, 500 CAD, 20 SPY, one call."""
    values: dict[str, object] = {
        "account_id": ACCOUNT,
        "cash": {"USD": Decimal(10_000), "CAD": Decimal(500)},
        "positions": (
            PositionSetup(symbol="SPY", quantity=Decimal(20), avg_cost=Decimal(500)),
            PositionSetup(con_id=3, quantity=Decimal(1), avg_cost=Decimal(1000)),
        ),
    }
    return AccountSetup(**{**values, **changes})  # type: ignore[arg-type]


def scenario(**changes: object) -> Scenario:
    """A healthy exchange with the sample account and four contracts."""
    values: dict[str, object] = {
        "accounts": (account(),),
        "contracts": SAMPLE_CONTRACTS,
        "usd_rates": {"CAD": Decimal("0.75")},
    }
    return Scenario(**{**values, **changes})  # type: ignore[arg-type]


def behaving(behaviour: OrderBehaviour, **conditions: tuple[object, ...]) -> Scenario:
    """A scenario in which orders behave so."""
    rule = OrderRule(then=behaviour, **conditions)  # type: ignore[arg-type]
    return scenario(order_rules=(rule,))


def stock(contract: ContractSetup = SPY, exchange: str = "SMART") -> ContractKey:
    """The contract as a client names it in orders and market data requests."""
    return ContractKey(con_id=contract.con_id, exchange=exchange)


def order(side: str, quantity: int | str, **changes: object) -> Order:
    """A market order for the sample account."""
    values: dict[str, object] = {
        "action": side,
        "total_quantity": Decimal(quantity),
        "order_type": "MKT",
        "tif": "DAY",
        "account": ACCOUNT,
        "order_ref": "ref-1",
    }
    return Order(**{**values, **changes})  # type: ignore[arg-type]


class Client:
    """One API client; time stands still unless it waits."""

    def __init__(
        self, setting: Scenario | None = None, client_id: int = 1, other: Client | None = None
    ) -> None:
        self.exchange: Exchange = (
            other.exchange if other else Exchange(setting or scenario(), START)
        )
        self.now: datetime = other.now if other else START
        self.client_id = client_id
        self.greeting = self._own(self.exchange.connect(client_id, self.now))

    def ask(self, request: Request) -> list[Response]:
        """What the exchange answers at once."""
        return self._own(self.exchange.handle(self.client_id, request, self.now))

    def wait(self, seconds: float = 1) -> list[Response]:
        """What arrives in the next seconds."""
        self.now += timedelta(seconds=seconds)
        return self._own(self.exchange.advance(self.now))

    def place(self, order_id: int, what: Order, contract: ContractSetup = SPY) -> list[Response]:
        """Send an order; what arrives at once."""
        return self.ask(PlaceOrder(order_id=order_id, contract=stock(contract), order=what))

    def trade(self, order_id: int, what: Order, contract: ContractSetup = SPY) -> list[Response]:
        """Send an order and wait a second; all that arrives."""
        return [*self.place(order_id, what, contract), *self.wait()]

    def cancel(self, order_id: int) -> list[Response]:
        """Ask to cancel an order; what arrives at once."""
        return self.ask(CancelOrder(order_id=order_id))

    def inject(self, event: ScheduledEvent) -> list[Response]:
        """Have an event happen now."""
        return self._own(self.exchange.inject(event, self.now))

    def leave(self) -> None:
        """Disconnect."""
        self.exchange.disconnect(self.client_id)

    def _own(self, deliveries: list[Delivery]) -> list[Response]:
        return [item.message for item in deliveries if item.client_id == self.client_id]


def only(kind: type[_T], messages: list[Response]) -> list[_T]:
    """The messages of one kind."""
    return [message for message in messages if isinstance(message, kind)]


def words(messages: list[Response]) -> list[str]:
    """Order messages in short words, in order; other kinds by name."""
    return [_word(message) for message in messages]


def values(messages: list[Response]) -> Mapping[tuple[str, str], str]:
    """Account values by key and currency."""
    return {(row.key, row.currency): row.value for row in only(AccountValue, messages)}


def prices(messages: list[Response]) -> dict[int, Decimal]:
    """Price ticks by tick type."""
    return {tick.tick_type: tick.price for tick in only(TickPrice, messages)}


def holdings(messages: list[Response]) -> dict[int, Decimal]:
    """Positions by contract id."""
    return {row.contract.con_id: row.position for row in only(Position, messages)}


def codes(messages: list[Response]) -> list[int]:
    """Error codes, in order."""
    return [error.code for error in only(ErrorMessage, messages)]


def _word(message: Response) -> str:
    word = type(message).__name__
    match message:
        case OpenOrder():
            costs = "" if message.state.commission is None else f" {message.state.commission}"
            word = f"open {message.state.status}{costs}"
        case OrderStatus():
            word = f"status {message.status} {message.filled:f}/{message.remaining:f}"
        case ExecDetails():
            word = f"exec {message.side} {message.shares:f} @ {message.price}"
        case CommissionReport():
            word = f"commission {message.commission}"
        case ErrorMessage():
            word = f"error {message.code}"
        case CompletedOrder():
            word = f"completed {message.status} {message.filled_quantity}"
    return word
