"""What is known of a confirmed run while it works.

``machine`` decides; this module only names. Moments of deadlines are durations since
some fixed start (a monotonic clock), stamps of records are UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from src.base.money import ZERO
from src.base.settings import Settings
from src.core.journal.events import JournalEvent
from src.core.orders.events import CommissionSeen
from src.core.orders.state import OrderState, Patience, TimerKind
from src.core.orders.tickets import TicketState
from src.core.permission.permit import TradePermit
from src.core.records.account import AccountSnapshot
from src.core.records.market import Listing, Quotes
from src.core.records.orders import Fill
from src.core.records.plan import OrderOutcome, TradePlan
from src.core.records.portfolios import Symbol
from src.core.run.ticket_outcome import ticket_outcome
from src.core.running.words import Read, RunCommand

NO_TIME: Final = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The moment of a step, for records and for deadlines.

    ``said`` is the broker's trouble that stands at this moment; empty: none.
    """

    at_utc: datetime
    elapsed: timedelta
    said: str = ""


class Stage(str, Enum):
    """What the run is at; ``src.core.running.machine`` has the rule for each."""

    SELLS = "sells work"
    FUNDS = "what may be spent after the sells is read"
    CONNECTION = "the connection is waited for, to read quotes"
    QUOTES = "quotes of the buys are read"
    PRICES = "the account's own prices are read, where quotes lack"
    BUYS = "buys work"
    ORDERS = "the last orders end"
    LATE_FILLS = "late executions are listened for"
    COMMISSIONS = "commissions are waited for"
    ACCOUNT = "the account is read"
    PAUSE = "the account did not agree yet"
    OVER = "done"

    @property
    def is_after_orders(self) -> bool:
        """True once no order follows from what is heard."""
        last = (Stage.ORDERS, Stage.LATE_FILLS, Stage.COMMISSIONS, Stage.ACCOUNT, Stage.PAUSE)
        return self in (*last, Stage.OVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is to be carried out, the same for the whole run.

    ``before`` was read after the answer: its cash is what the buys start from.
    ``least_order_id`` is above every order id in the journal, open orders and executions.
    ``earlier_refs`` are the orders of earlier runs, as the journal knows them. ``clock_offset`` is
    the gateway's time minus ours, and sessions are judged by it. ``patience`` says how long answers
    are waited for (the time limit of orders is a setting).
    """

    plan: TradePlan
    permit: TradePermit
    settings: Settings
    before: AccountSnapshot
    listings: Mapping[Symbol, Listing]
    client_id: int
    least_order_id: int = 0
    earlier_refs: Collection[str] = frozenset()
    clock_offset: timedelta = NO_TIME
    patience: Patience = Patience()

    @property
    def since_utc(self) -> datetime:
        """Executions from before, by the gateway's clock, are of earlier runs: the day's repeat."""
        return (self.permit.granted_at_utc + self.clock_offset).replace(microsecond=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The way to the broker: our socket, and the gateway's own line.

    ``lost_at`` is since when either is missing, ``lost_by`` what the gateway last said of its own.
    What is said of an earlier ``generation`` of connections says nothing of the present one.
    """

    generation: int = 0
    is_open: bool = True
    was_lost: bool = False
    is_reconnecting: bool = False
    lost_at: timedelta | None = None
    lost_by: str = ""

    @property
    def is_usable(self) -> bool:
        """True when orders and questions can reach the broker."""
        return self.is_open and self.lost_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Asking the broker for everything it knows: at most one question at any time.

    An order that comes to be doubted while a question is under way (``asked``) waits for the next
    one: the lists it is judged by were always asked for after the doubt arose.
    """

    doubted: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    is_wanted: bool = False
    wants_account: bool = False
    is_under_way: bool = False
    includes_account: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The gaps in the connection: nothing leaves while the last is open (not yet understood).

    ``count`` is how many there were, ``cash_short_usd`` how much less cash the last reading showed
    than the executions explain. ``has_fitted``: buys were cut to the cash of before.
    The last began at ``began_at``; since ``opened_at`` none was understood.
    """

    count: int = 0
    cash_short_usd: Decimal = ZERO
    has_fitted: bool = False
    is_open: bool = False
    opened_at: timedelta = NO_TIME
    began_at: timedelta = NO_TIME
    pause: timedelta = NO_TIME
    look_at: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the buys are fitted to: money and prices, as last read.

    ``spendable_usd`` None: unsettled money may be spent. ``dearest`` holds the ask that a buy may
    have been sent at. ``gaps`` counts those before the quotes were asked for.
    """

    spendable_usd: Decimal | None
    read_at: timedelta
    prices: Mapping[Symbol, Decimal] = field(default_factory=dict)
    no_price: Mapping[Symbol, str] = field(default_factory=dict)
    dearest: Mapping[Symbol, Decimal] = field(default_factory=dict)
    halted: frozenset[Symbol] = frozenset()
    quotes: Quotes = field(default_factory=dict)
    rounds: int = 0
    gaps: int = 0


class Run(NamedTuple):
    """One confirmed run, whole; ``moment`` is that of the step that is being made.

    ``rest`` are lines whose turn comes once those before have ended, ``lines`` and ``cancels``
    wait to be sent; ``order_id`` is claimed for the next order, ``early`` are commissions of
    executions not heard of yet. ``until`` ends the stage, ``read`` is what the stage waited for.
    ``unwritten`` is not yet on disk: the journal never has a gap. ``out`` is what is to be done
    after the step, ``shown`` what the live display shows. A named tuple, because it is large and
    made anew with every move: replacing a field of a dataclass takes many times as long.
    """

    terms: Terms
    moment: Now
    tickets: tuple[TicketState, ...]
    means: Means
    link: Link
    stage: Stage = Stage.SELLS
    rest: tuple[int, ...] = ()
    until: timedelta | None = None
    read: Read | None = None
    lines: tuple[int, ...] = ()
    cancels: tuple[int, ...] = ()
    free_at: timedelta = NO_TIME
    spacing: timedelta = NO_TIME
    order_id: int | None = None
    timers: Mapping[tuple[str, TimerKind], timedelta] = MappingProxyType({})
    early: Mapping[str, CommissionSeen] = MappingProxyType({})
    question: Question = Question()
    gap: Gap = Gap()
    halt_reason: str = ""
    alarms: tuple[str, ...] = ()
    was_interrupted: bool = False
    give_up_at: timedelta | None = None
    heard_at: timedelta = NO_TIME
    readings: int = 0
    began_at: timedelta = NO_TIME
    pause: timedelta = NO_TIME
    after: AccountSnapshot | None = None
    unwritten: tuple[JournalEvent, ...] = ()
    journal_error: str = ""
    out: tuple[RunCommand, ...] = ()
    shown: tuple[TicketState, ...] = ()

    @property
    def orders(self) -> tuple[OrderState, ...]:
        """All orders, in plan order."""
        return tuple(order for ticket in self.tickets for order in ticket.orders)

    @property
    def open_orders(self) -> tuple[OrderState, ...]:
        """The orders that have no status yet."""
        return tuple(order for order in self.orders if order.is_open)

    @property
    def fills(self) -> tuple[Fill, ...]:
        """Every execution of the run so far."""
        return tuple(fill for ticket in self.tickets for fill in ticket.fills)

    @property
    def account_read(self) -> AccountSnapshot | None:
        """The account, where that is what the stage waited for and it could be read."""
        return None if self.read is None else self.read.account

    @property
    def orders_sent(self) -> int:
        """How many orders may have reached the broker."""
        return sum(order.was_sent for order in self.orders)

    @property
    def outcomes(self) -> tuple[OrderOutcome, ...]:
        """What became of every ticket so far, in plan order."""
        return tuple(ticket_outcome(ticket) for ticket in self.tickets)

    @property
    def was_disconnected(self) -> bool:
        """Our socket was lost at some time, or the gateway's line is missing at the end."""
        return self.link.was_lost or not self.link.is_usable

    def ticket(self, line: int) -> TicketState:
        """The ticket of a plan line; lines count from 1."""
        return self.tickets[line - 1]
