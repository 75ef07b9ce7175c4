"""Orders and broker evidence for tests of the order machine, and a small player of events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from src.core.journal.events import JournalEvent
from src.core.orders.events import (
    CommissionSeen,
    FillSeen,
    OpenOrderSeen,
    OrderErrorSeen,
    StatusSeen,
)
from src.core.orders.machine import next_step
from src.core.orders.state import (
    Begin,
    BrokerAnswered,
    OrderCommand,
    OrderEvent,
    OrderState,
    Phase,
    PlaceReturned,
    WriteJournal,
)
from src.core.records.orders import (
    CompletedOrder,
    Fill,
    OrderRequest,
    OrderStyle,
    Side,
    TicketStatus,
    WorkingOrder,
)
from tests.kits.builders import ACCOUNT, NOON_UTC, Number, con_id, dec

RUN_ID = "20250131T170000Z"
REF = f"IBR-{RUN_ID}-1-1"
ORDER_ID = 7
CLIENT_ID = 42
PERM_ID = 9001


def request(qty: Number = 10, *, side: Side = Side.SELL, symbol: str = "SPY") -> OrderRequest:
    return OrderRequest(
        order_ref=REF,
        order_id=ORDER_ID,
        account_id=ACCOUNT,
        con_id=con_id(symbol),
        symbol=symbol,
        side=side,
        qty_shares=dec(qty),
        style=OrderStyle.ADAPTIVE,
    )


def planned(qty: Number = 10) -> OrderState:
    return OrderState(run_id=RUN_ID, line=1, attempt=1, request=request(qty), client_id=CLIENT_ID)


def status(word: str, filled: Number = 0, *, qty: Number = 10) -> StatusSeen:
    return StatusSeen(
        order_id=ORDER_ID,
        client_id=CLIENT_ID,
        perm_id=PERM_ID,
        status=word,
        filled_shares=dec(filled),
    )


def fill(qty: Number, exec_id: str = "0001.01", *, price: Number = 100) -> Fill:
    return Fill(
        account_id=ACCOUNT,
        order_ref=REF,
        exec_id=exec_id,
        order_id=ORDER_ID,
        client_id=CLIENT_ID,
        perm_id=PERM_ID,
        con_id=con_id("SPY"),
        symbol="SPY",
        side=Side.SELL,
        qty_shares=dec(qty),
        price_usd=dec(price),
        at_utc=NOON_UTC,
    )


def executed(qty: Number, exec_id: str = "0001.01", *, price: Number = 100) -> FillSeen:
    return FillSeen(fill=fill(qty, exec_id, price=price))


def commission(exec_id: str, usd: Number | None) -> CommissionSeen:
    return CommissionSeen(exec_id=exec_id, commission_usd=None if usd is None else dec(usd))


def code(number: int, text: str = "said the broker") -> OrderErrorSeen:
    return OrderErrorSeen(order_id=ORDER_ID, code=number, text=text)


def working(word: str = "Submitted", qty: Number = 10) -> WorkingOrder:
    return WorkingOrder(
        account_id=ACCOUNT,
        order_id=ORDER_ID,
        client_id=CLIENT_ID,
        perm_id=PERM_ID,
        order_ref=REF,
        con_id=con_id("SPY"),
        symbol="SPY",
        side="SELL",
        qty_shares=dec(qty),
        status=word,
    )


def opened(word: str = "PreSubmitted", qty: Number = 10) -> OpenOrderSeen:
    return OpenOrderSeen(order=working(word, qty))


def completed(word: str, filled: Number, text: str = "") -> CompletedOrder:
    return CompletedOrder(
        account_id=ACCOUNT,
        perm_id=PERM_ID,
        order_ref=REF,
        con_id=con_id("SPY"),
        symbol="SPY",
        side="SELL",
        filled_shares=dec(filled),
        status=word,
        completed_status=text,
    )


def nothing_found(*fills: Fill) -> BrokerAnswered:
    return BrokerAnswered(working=(), completed=(), fills=fills)


def still_open(word: str = "Submitted", *fills: Fill) -> BrokerAnswered:
    return BrokerAnswered(working=(working(word),), completed=(), fills=fills)


def ended(word: str, filled: Number, *fills: Fill, text: str = "") -> BrokerAnswered:
    return BrokerAnswered(working=(), completed=(completed(word, filled, text),), fills=fills)


@dataclass(slots=True)
class Player:
    """Feeds events to one order and keeps everything it asked for."""

    state: OrderState = field(default_factory=planned)
    commands: list[OrderCommand] = field(default_factory=list)
    at_utc: datetime = NOON_UTC

    def feed(self, *events: OrderEvent) -> tuple[OrderCommand, ...]:
        """The commands of these events alone."""
        new: list[OrderCommand] = []
        for event in events:
            self.state, commands = next_step(self.state, event, self.at_utc)
            new += commands
        self.commands += new
        return tuple(new)

    def has(self, status: TicketStatus | None) -> bool:
        return self.state.status is status

    def is_in(self, phase: Phase) -> bool:
        return self.state.phase is phase

    @property
    def journal(self) -> tuple[JournalEvent, ...]:
        return tuple(c.event for c in self.commands if isinstance(c, WriteJournal))


def sent(qty: Number = 10) -> Player:
    """An order whose bytes left and about which nothing was said yet."""
    player = Player(state=planned(qty))
    player.feed(Begin(), PlaceReturned())
    return player


def alive(qty: Number = 10) -> Player:
    """An order the broker has acknowledged."""
    player = sent(qty)
    player.feed(opened(qty=qty), status("PreSubmitted", qty=qty))
    return player


def of_kind(commands: Iterable[OrderCommand], kind: type) -> list[OrderCommand]:
    return [command for command in commands if isinstance(command, kind)]


def with_commission(one: Fill, usd: Number) -> Fill:
    return replace(one, commission_usd=dec(usd))
