"""One scripted broker for tests of the execution, in virtual time.

``FakeDesk`` implements the write port. Per symbol a behaviour decides what the broker does with an
order; everything sent is kept in ``wire``. The event loop's clock jumps from one timer to the
next, so 300 seconds of waiting take no time and nothing ever sleeps.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from src.base.errors import BrokerLost, JournalError, NeverSent, Refused
from src.base.settings import PricingSettings
from src.broker.wire.clock import SystemClock
from src.core.journal.events import IntentRecorded, JournalEvent
from src.core.orders.events import (
    BrokerEvent,
    CommissionSeen,
    FillSeen,
    LinkSeen,
    LinkState,
    OpenOrderSeen,
    OrderErrorSeen,
    StatusSeen,
)
from src.core.records.account import AccountSnapshot
from src.core.records.market import Quote, Quotes, SymbolLookup
from src.core.records.orders import CompletedOrder, Fill, OrderRequest, Side, WorkingOrder
from src.core.records.portfolios import Symbol
from tests.kits.builders import (
    ACCOUNT,
    MARGIN,
    NOON_UTC,
    Number,
    cash_terms,
    dec,
    listing,
    quote,
    snapshot,
)

T = TypeVar("T")
CLIENT_ID = 42


# --- virtual time ----------------------------------------------------------------------------


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting for a timer, it jumps there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits, and for nothing that could ever come")
        self.now += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock costs no time."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


class VirtualClock(SystemClock):
    """Noon plus the loop's time."""

    def now_utc(self) -> datetime:
        return NOON_UTC + timedelta(seconds=self.monotonic())


# --- journal ---------------------------------------------------------------------------------


@dataclass(slots=True)
class FakeJournal:
    """Keeps events; fails from commit ``fails_from`` (counted from 1) for ``fails`` commits."""

    events: list[JournalEvent] = field(default_factory=list)
    commits: int = 0
    fails_from: int | None = None
    fails: int = 10**6

    def append_all(self, events: Iterable[JournalEvent]) -> None:
        self.commits += 1
        first = self.fails_from
        if first is not None and first <= self.commits < first + self.fails:
            raise JournalError("disk full")
        self.events.extend(events)

    def has_intent(self, order_ref: str) -> bool:
        return any(
            isinstance(event, IntentRecorded) and event.request.order_ref == order_ref
            for event in self.events
        )


# --- broker ----------------------------------------------------------------------------------


@dataclass(slots=True)
class FakeOrder:
    """An order at the fake broker, and everything the broker can do with it."""

    desk: FakeDesk
    request: OrderRequest
    perm_id: int
    status: str = "PreSubmitted"
    filled: Decimal = Decimal(0)
    is_listed: bool = True
    executions: int = 0

    def later(self, delay: float, action: Callable[..., object], *args: object) -> None:
        asyncio.get_running_loop().call_later(delay, action, *args)

    @property
    def left_shares(self) -> Decimal:
        return self.request.qty_shares - self.filled

    def acknowledge(self, status: str = "PreSubmitted") -> None:
        self.say(status)
        self.desk.emit(OpenOrderSeen(order=self.as_working()))

    def say(self, status: str) -> None:
        """An orderStatus message."""
        self.status = status
        self.desk.emit(
            StatusSeen(
                order_id=self.request.order_id,
                client_id=CLIENT_ID,
                perm_id=self.perm_id,
                status=status,
                filled_shares=self.filled,
            )
        )

    def fill(self, qty: Number | None = None, price: Number = 100, commission: Number = 1) -> None:
        """An execution (of all that is left by default), its status, and its commission."""
        if not self.is_listed or self.left_shares == 0:
            return
        fill = self.execute(qty, price)
        if self.filled == self.request.qty_shares:
            self.is_listed = False
            self.say("Filled")
        self.charge(fill, commission)

    def execute(self, qty: Number | None = None, price: Number = 100) -> Fill:
        """An execution without status and commission; never more than what is left."""
        shares = self.left_shares if qty is None else min(dec(qty), self.left_shares)
        self.executions += 1
        self.filled += shares
        fill = Fill(
            account_id=self.request.account_id,
            order_ref=self.request.order_ref,
            exec_id=f"{self.perm_id}.{self.executions}.01",
            order_id=self.request.order_id,
            client_id=CLIENT_ID,
            perm_id=self.perm_id,
            con_id=self.request.con_id,
            symbol=self.request.symbol,
            side=self.request.side,
            qty_shares=shares,
            price_usd=dec(price),
            at_utc=NOON_UTC,
        )
        self.desk.book(fill)
        self.desk.emit(FillSeen(fill=fill))
        return fill

    def charge(self, fill: Fill, commission: Number = 1) -> None:
        self.desk.charge(fill, dec(commission))
        self.desk.emit(CommissionSeen(exec_id=fill.exec_id, commission_usd=dec(commission)))

    def error(self, code: int, text: str = "") -> None:
        self.desk.emit(OrderErrorSeen(order_id=self.request.order_id, code=code, text=text))

    def reject(self, code: int = 201, text: str = "no") -> None:
        self.is_listed = False
        self.say("Inactive")
        self.error(code, text)

    def end(self) -> None:
        """A confirmed cancel."""
        if self.is_listed:
            self.is_listed = False
            self.say("Cancelled")
            self.error(202, "Order Canceled - reason:")

    def as_working(self) -> WorkingOrder:
        return WorkingOrder(
            account_id=self.request.account_id,
            order_id=self.request.order_id,
            client_id=CLIENT_ID,
            perm_id=self.perm_id,
            order_ref=self.request.order_ref,
            con_id=self.request.con_id,
            symbol=self.request.symbol,
            side=self.request.side.value,
            qty_shares=self.request.qty_shares,
            status=self.status,
        )

    def as_completed(self) -> CompletedOrder:
        return CompletedOrder(
            account_id=self.request.account_id,
            perm_id=self.perm_id,
            order_ref=self.request.order_ref,
            con_id=self.request.con_id,
            symbol=self.request.symbol,
            side=self.request.side.value,
            filled_shares=self.filled,
            status="Filled" if self.filled == self.request.qty_shares else "Cancelled",
        )


Behaviour = Callable[[FakeOrder], None]


def fills(
    after: float = 0.1, price: Number = 100, commission: Number = 1, parts: tuple[Number, ...] = ()
) -> Behaviour:
    """Acknowledged at once, filled after a while, in parts if wanted (the rest stays open)."""

    def behave(order: FakeOrder) -> None:
        order.later(0, order.acknowledge)
        for number, part in enumerate(parts, start=1):
            order.later(after * number, order.fill, part, price, commission)
        if not parts:
            order.later(after, order.fill, None, price, commission)

    return behave


def rejects(code: int = 201, text: str = "no", after: float = 0.1) -> Behaviour:
    """Refused for good."""
    return lambda order: order.later(after, order.reject, code, text)


def ignores(order: FakeOrder) -> None:
    """Never says a word, and knows nothing when asked."""
    order.is_listed = False
    order.desk.orders.remove(order)


def rests(order: FakeOrder) -> None:
    """Acknowledged, never filled."""
    order.later(0, order.acknowledge, "Submitted")


def drops_before(order: FakeOrder) -> None:
    """The connection dies before the order reaches the broker."""
    order.desk.orders.remove(order)
    order.desk.break_off()
    raise BrokerLost("socket closed")


def drops_after(order: FakeOrder) -> None:
    """The connection dies after the broker took the order, which then fills."""
    order.later(0.1, order.fill)
    order.desk.break_off()
    raise BrokerLost("socket closed")


def say_only(order: FakeOrder, word: str) -> None:
    """A status message that the broker's own lists contradict."""
    order.desk.emit(
        StatusSeen(
            order_id=order.request.order_id,
            client_id=CLIENT_ID,
            perm_id=order.perm_id,
            status=word,
            filled_shares=order.filled,
        )
    )


def found_again(after: float) -> Behaviour:
    """Nowhere to be found at first, so believed lost; then it works."""

    def behave(order: FakeOrder) -> None:
        order.desk.orders.remove(order)
        order.later(after, order.desk.orders.append, order)
        order.later(after, order.acknowledge, "Submitted")

    return behave


def falsely_called_dead(after: float, word: str = "Cancelled") -> Behaviour:
    """Works, while one message says that it is over."""

    def behave(order: FakeOrder) -> None:
        order.later(0, order.acknowledge, "Submitted")
        order.later(after, say_only, order, word)

    return behave


def parked(after: float) -> Behaviour:
    """Refused and gone from the lists, so proven Rejected; later it works all the same."""

    def behave(order: FakeOrder) -> None:
        order.later(0.1, order.reject)

        def revive() -> None:
            order.is_listed = True
            order.acknowledge("Submitted")

        order.later(after, revive)

    return behave


def fills_on(after: float) -> Behaviour:
    """Refused and gone from the lists; later an execution, and it is listed as working."""

    def behave(order: FakeOrder) -> None:
        order.later(0.1, order.reject)

        def revive() -> None:
            order.is_listed, order.status = True, "Submitted"
            order.execute(3)

        order.later(after, revive)

    return behave


def gate_refuses(order: FakeOrder) -> None:
    """Stopped in front of the socket."""
    order.desk.orders.remove(order)
    order.desk.wire.pop()
    raise Refused("above max_order_usd")


@dataclass(slots=True)
class FakeDesk:
    """The write port, with a broker behind it that keeps its state over reconnects."""

    behaviours: dict[Symbol, list[Behaviour]] = field(default_factory=dict)
    default: Behaviour = field(default_factory=fills)
    holdings: dict[Symbol, Number] = field(default_factory=dict)
    cash: Decimal = Decimal(0)
    prices: dict[Symbol, Number] = field(default_factory=dict)
    journal: FakeJournal | None = None
    answers_cancel: bool = True
    lists_orders: bool = True
    can_reconnect: bool = True
    quotes_after: float = 0.01
    away_sec: float = 0.5
    lag_sec: float = 0
    can_read_account: bool = True
    settled: Decimal | None = None
    generation: int = 0
    wire: list[tuple[float, str, object]] = field(default_factory=list)
    orders: list[FakeOrder] = field(default_factory=list)
    booked: list[Fill] = field(default_factory=list)
    stale: list[tuple[float, AccountSnapshot]] = field(default_factory=list)
    is_connected: bool = True
    reconnects: int = 0
    trouble: str = ""
    next_id: int = 1
    events: asyncio.Queue[BrokerEvent] = field(default_factory=asyncio.Queue)

    # --- what tests look at ---

    def placed(self) -> list[OrderRequest]:
        return [what for _, kind, what in self.wire if isinstance(what, OrderRequest)]

    def placed_at(self) -> list[float]:
        return [moment for moment, kind, _ in self.wire if kind == "place"]

    def cancelled(self) -> list[object]:
        return [what for _, kind, what in self.wire if kind == "cancel"]

    # --- the broker's side ---

    def emit(self, event: BrokerEvent) -> None:
        """Say something, unless nobody is connected: then it is lost."""
        if self.is_connected:
            self.events.put_nowait(event)

    def link(self, state: LinkState, code: int = 0, text: str = "") -> None:
        seen = LinkSeen(state=state, code=code, text=text, generation=self.generation)
        self.events.put_nowait(seen)

    def break_off(self, *, quietly: bool = False) -> None:
        """The socket closes; ``quietly``: who sends next notices it first."""
        if self.is_connected:
            self.is_connected = False
            if not quietly:
                lost = LinkState.SOCKET_LOST
                said = LinkSeen(state=lost, text="socket closed", generation=self.generation)
                self.events.put_nowait(said)

    def book(self, fill: Fill) -> None:
        until = asyncio.get_running_loop().time() + self.lag_sec
        self.stale.append((until, self._account()))
        self.booked.append(fill)
        sign = -1 if fill.side is Side.SELL else 1
        held = dec(self.holdings.get(fill.symbol, 0))
        self.holdings[fill.symbol] = held + sign * fill.qty_shares
        self.cash -= sign * fill.qty_shares * fill.price_usd
        if self.settled is not None and fill.side is Side.BUY:
            self.settled -= fill.qty_shares * fill.price_usd

    def charge(self, fill: Fill, commission: Decimal) -> None:
        self.cash -= commission
        self.settled = None if self.settled is None else self.settled - commission
        self.booked = [
            replace(one, commission_usd=commission) if one.exec_id == fill.exec_id else one
            for one in self.booked
        ]

    async def reconnect(self) -> FakeDesk:
        await asyncio.sleep(self.away_sec)
        if not self.can_reconnect:
            raise BrokerLost("connection refused")
        self.is_connected = True
        self.reconnects += 1
        self.generation += 1
        return self

    # --- the port ---

    @property
    def account_id(self) -> str:
        return ACCOUNT

    @property
    def managed_accounts(self) -> tuple[str, ...]:
        return (ACCOUNT,)

    @property
    def highest_order_id(self) -> int:
        return self.next_id - 1

    @property
    def client_id(self) -> int:
        return CLIENT_ID

    def claim_order_id(self, at_least: int) -> int:
        claimed = max(self.next_id, at_least)
        self.next_id = claimed + 1
        return claimed

    async def place(self, request: OrderRequest) -> None:
        assert self.journal is None or self.journal.has_intent(request.order_ref)
        if not self.is_connected:
            raise NeverSent("the connection was lost")
        self.wire.append((asyncio.get_running_loop().time(), "place", request))
        order = FakeOrder(desk=self, request=request, perm_id=9000 + request.order_id)
        self.orders.append(order)
        if self._lacks_settled_cash():
            order.later(0.1, order.reject, 201, "Available settled cash converted to base: 0 USD")
            return
        waiting = self.behaviours.get(request.symbol, [])
        behave = waiting.pop(0) if waiting else self.default
        behave(order)

    async def cancel(self, order_id: int) -> None:
        self.wire.append((asyncio.get_running_loop().time(), "cancel", order_id))
        if not self.is_connected:
            raise BrokerLost("socket closed")
        for order in self.orders:
            if order.request.order_id == order_id and self.answers_cancel:
                order.later(0.05, order.end)

    async def next_event(self) -> BrokerEvent:
        return await self.events.get()

    async def fetch_working_orders(self) -> tuple[WorkingOrder, ...] | None:
        await self._answer()
        if not self.lists_orders:
            return None
        return tuple(order.as_working() for order in self.orders if order.is_listed)

    async def fetch_completed_orders(self) -> tuple[CompletedOrder, ...] | None:
        await self._answer()
        if not self.lists_orders:
            return None
        return tuple(order.as_completed() for order in self.orders if not order.is_listed)

    async def fetch_fills(self) -> tuple[Fill, ...]:
        await self._answer()
        return tuple(self.booked)

    async def fetch_snapshot(self, *, fresh: bool = False) -> AccountSnapshot:
        await self._answer()
        if not self.can_read_account:
            raise BrokerLost("no answer: positions")
        lagging = [one for until, one in self.stale if until > asyncio.get_running_loop().time()]
        return lagging[0] if lagging else self._account()

    def _account(self) -> AccountSnapshot:
        held = {symbol: qty for symbol, qty in self.holdings.items() if dec(qty)}
        terms = MARGIN if self.settled is None else cash_terms(self.settled)
        return snapshot(held, self.cash, terms=terms)

    def _lacks_settled_cash(self) -> bool:
        """In a cash account 105% of every buy that has not filled is reserved; sells settle later.

        ``settled`` None: no such account.
        """
        if self.settled is None:
            return False
        working = [one for one in self.orders if one.is_listed and one.request.side is Side.BUY]
        prices = [dec(self.prices[one.request.symbol]) for one in working]
        value = sum((o.left_shares * p for o, p in zip(working, prices, strict=True)), Decimal(0))
        return Decimal("1.05") * value > self.settled

    async def fetch_quotes(self, symbols: Collection[Symbol], pricing: PricingSettings) -> Quotes:
        await asyncio.sleep(self.quotes_after)
        return {symbol: (self._quote(symbol),) for symbol in symbols if symbol in self.prices}

    async def known_symbols(self, symbols: Collection[Symbol]) -> Mapping[Symbol, SymbolLookup]:
        return {symbol: SymbolLookup(symbol=symbol, listing=listing(symbol)) for symbol in symbols}

    async def fetch_clock_offset(self) -> timedelta:
        return timedelta(0)

    def _quote(self, symbol: Symbol) -> Quote:
        return quote(symbol, last=self.prices[symbol])

    async def _answer(self) -> None:
        """One round trip."""
        await asyncio.sleep(0.01)
        if not self.is_connected:
            raise BrokerLost("socket closed")
