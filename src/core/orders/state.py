"""The nouns of one order's life: its state, what may happen to it, what is then to be done.

``machine`` decides. An order is one attempt to send a ticket. Its status is evidence of the broker
(invariant I11): Filled needs executions that sum to the quantity, Cancelled and Rejected need its
word and nothing that contradicts it; what cannot be proven is Unresolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, Union

from src.core.journal.events import JournalEvent
from src.core.orders.events import RECOVERY_SEC, BrokerEvent
from src.core.records.orders import CompletedOrder, Fill, OrderRequest, TicketStatus, WorkingOrder


class Phase(str, Enum):
    """How far an order has come."""

    PLANNED = "planned"
    """Nothing was written or sent."""
    SENDING = "sending"
    """The intent is on record; the broker has not said anything yet."""
    WORKING = "working"
    """The broker knows the order."""
    CLOSING = "closing"
    """Something says it is over, or lost; the broker is asked for proof."""
    DONE = "done"
    """It has a status. A late fill may still correct it."""


LEGAL_MOVES: Final[Mapping[Phase, frozenset[Phase]]] = {
    Phase.PLANNED: frozenset({Phase.SENDING}),
    Phase.SENDING: frozenset({Phase.WORKING, Phase.CLOSING, Phase.DONE}),
    Phase.WORKING: frozenset({Phase.WORKING, Phase.CLOSING, Phase.DONE}),
    Phase.CLOSING: frozenset({Phase.CLOSING, Phase.WORKING, Phase.DONE}),
    Phase.DONE: frozenset({Phase.DONE, Phase.CLOSING}),
}


class Claim(str, Enum):
    """Why an order is believed to be over, or in doubt, before it is proven."""

    NONE = ""
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FILLED = "reported filled"
    INACTIVE = "inactive"
    SILENT = "no answer"
    DOUBTFUL = "in doubt"
    OVERDUE = "cancel not confirmed"

    @property
    def is_broker_word(self) -> bool:
        """True when the broker itself said that the order ended."""
        return self in (Claim.REJECTED, Claim.CANCELLED, Claim.FILLED)


class TimerKind(str, Enum):
    """What a deadline of one order is for; a new one of the same kind replaces the old."""

    ANSWER = "first answer"
    ORDER = "order time limit"
    CANCEL = "end after cancel"
    PROOF = "next look"
    LAST = "end of all waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the broker is waited for, in seconds; ``rounds`` of questions before giving up.

    The first five are about one order, ``last_sec`` from the wish to end it. ``cash_sec`` is for
    cash alone that lags after the run, ``stop_sec`` for all orders to end after an interrupt.
    """

    answer_sec: Decimal = Decimal(30)
    order_sec: Decimal = Decimal(300)
    cancel_sec: Decimal = Decimal(10)
    proof_sec: Decimal = Decimal(3)
    last_sec: Decimal = Decimal(180)
    commission_sec: Decimal = Decimal(3)
    account_sec: Decimal = Decimal(30)
    cash_sec: Decimal = Decimal(3)
    pause_sec: Decimal = Decimal("0.25")
    recovery_sec: Decimal = Decimal(RECOVERY_SEC)
    stop_sec: Decimal = Decimal(60)
    rounds: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """What is known of one attempt.

    ``fills`` hold the newest version of each execution, in order of arrival. ``closing_filled`` is
    the total the broker named when it said the order ended (None: it named none). ``status`` is
    set in phase DONE only; ``faults`` are contradictions that no query can settle. ``end_wish``
    says why the order is to end and is never taken back, ``cancel_reason`` why its end was asked
    for, ``is_cancel_asked`` whether that was in its present life; ``is_given_up``: waited for no
    more. ``error`` is the broker's code and text, ``doubt`` why an Unresolved order is not proven.
    ``quote_usd`` is the price that it was fitted to (None: not recorded).
    """

    run_id: str
    line: int
    attempt: int
    request: OrderRequest
    client_id: int
    patience: Patience = Patience()
    phase: Phase = Phase.PLANNED
    claim: Claim = Claim.NONE
    perm_id: int = 0
    broker_status: str = ""
    fills: tuple[Fill, ...] = ()
    closing_filled: Decimal | None = None
    end_wish: str = ""
    cancel_reason: str = ""
    is_cancel_asked: bool = False
    is_given_up: bool = False
    rounds: int = 0
    error_code: int = 0
    error: str = ""
    doubt: str = ""
    notices: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    status: TicketStatus | None = None
    was_sent: bool = True
    quote_usd: Decimal | None = None

    @property
    def filled_shares(self) -> Decimal:
        """Sum of the executions, corrections applied."""
        return sum((fill.qty_shares for fill in self.fills), Decimal(0))

    @property
    def reason(self) -> str:
        """Why it is not filled: what leaves it in doubt, else what the broker said."""
        return self.doubt or self.error

    @property
    def is_open(self) -> bool:
        """True from the intent until there is a status."""
        return self.phase in (Phase.SENDING, Phase.WORKING, Phase.CLOSING)


# --- what may happen, besides the broker's own events ----------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """The order's turn has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceReturned:
    """The bytes left our queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRefused:
    """Provably not sent: the gate said no, or (``lost_connection``, no alarm) nobody was there."""

    reason: str
    lost_connection: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceUncertain:
    """The connection broke around the send: the bytes may or may not have left."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """A deadline of this order has passed; ``said`` is the broker's trouble that stands, if any."""

    kind: TimerKind
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelWanted:
    """The user or a rule wants the order to end."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRestored:
    """There was a gap in the connection: what was said in it is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAnswered:
    """All lists were asked for after the doubt arose, executions last; None: refused to say.

    ``reaches_back``: false on a later day, when its executions are listed no more.
    """

    working: tuple[WorkingOrder, ...] | None
    completed: tuple[CompletedOrder, ...] | None
    fills: tuple[Fill, ...]
    reaches_back: bool = True
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerMissing:
    """The broker could not be asked this time."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """Nothing more can be learned in this run."""

    reason: str


OrderEvent = Union[  # noqa: UP007 - a runtime alias that 3.10 can evaluate
    BrokerEvent,
    Begin,
    PlaceReturned,
    PlaceRefused,
    PlaceUncertain,
    TimerFired,
    CancelWanted,
    LinkRestored,
    BrokerAnswered,
    AnswerMissing,
    GaveUp,
]


# --- what is then to be done, in the order given ----------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteJournal:
    """Commit this event before the next command that leaves the process."""

    event: JournalEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Send the order, once."""

    request: OrderRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Ask for the cancellation of our own order."""

    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryBroker:
    """Ask for open orders, completed orders and executions, then answer this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTimer:
    """Tell the order when this much time has passed."""

    kind: TimerKind
    seconds: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowDown:
    """The broker complained about our rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseAlarm:
    """Send nothing more in this run and say why, loudly."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The order has a status, possibly a new one; ``error`` is the broker's code and text."""

    status: TicketStatus
    error: str
    notes: tuple[str, ...]


OrderCommand = Union[  # noqa: UP007 - a runtime alias that 3.10 can evaluate
    WriteJournal, Place, Cancel, QueryBroker, StartTimer, SlowDown, RaiseAlarm, Finish
]
Step = tuple[OrderState, tuple[OrderCommand, ...]]
