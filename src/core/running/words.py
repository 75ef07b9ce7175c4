"""What may happen to a confirmed run, and what it wants done: events and commands, named only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, Union

from src.core.journal.events import JournalEvent
from src.core.orders.events import BrokerEvent
from src.core.orders.state import (
    AnswerMissing,
    BrokerAnswered,
    Cancel,
    CancelWanted,
    Place,
    PlaceRefused,
    PlaceReturned,
    PlaceUncertain,
)
from src.core.orders.tickets import TicketProgress
from src.core.records.account import AccountSnapshot
from src.core.records.market import Quotes
from src.core.records.portfolios import Symbol

# --- what may happen, besides the broker's word and the user's wish to end (CancelWanted) --------


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """An order id for the next order; ``refused`` says why there is none."""

    order_id: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The first ``records`` of what was to be written are on disk; ``error``: none of them is."""

    records: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """How the sending of an order went; not ``is_on_record``: refused for want of a journal."""

    order_ref: str
    how: PlaceReturned | PlaceRefused | PlaceUncertain
    is_on_record: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCame:
    """A new connection, the ``generation``-th; ``failed`` says why there will be none."""

    generation: int = 0
    failed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the broker said when asked; ``account`` None: not asked for, or not to be read."""

    evidence: BrokerAnswered | AnswerMissing
    account: AccountSnapshot | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was asked of the broker besides orders: the account or quotes; neither: ``error``."""

    account: AccountSnapshot | None = None
    quotes: Quotes | None = None
    error: str = ""


RunEvent = Union[  # noqa: UP007 - a runtime alias that 3.10 can evaluate
    BrokerEvent, CancelWanted, Claimed, Written, Placed, DeskCame, Answered, Read
]

# --- what is then to be done, in the order given ------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Write these records down, all or none; where that fails no order leaves in this step."""

    records: tuple[JournalEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimOrderId:
    """Get an id for the next order, this one or a higher."""

    at_least: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadQuotes:
    """Read quotes of these symbols."""

    symbols: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A line for the log."""

    text: str
    level: Literal["info", "warning", "error"] = "info"


class Call(str, Enum):
    """What is to be begun, or ended, at the connection."""

    RECONNECT = "fetch a new connection"
    STOP_RECONNECTING = "do not wait for a new connection any longer"
    ASK = "ask about all orders and executions"
    ASK_WITH_ACCOUNT = "ask about all orders and executions, then read the account"
    DROP_QUESTION = "forget the question under way"
    READ_ACCOUNT = "read the account anew"
    DROP_READING = "forget the reading under way"


RunCommand = Union[  # noqa: UP007 - a runtime alias that 3.10 can evaluate
    Commit, Place, Cancel, ClaimOrderId, ReadQuotes, Call, Log, TicketProgress
]
"""A ``TicketProgress`` is to be shown."""
