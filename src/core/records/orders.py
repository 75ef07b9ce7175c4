"""The nouns of orders: what we ask for, what the broker lists, executions and their cost.

Imported by name from ``src.core.records.plan``, as all nouns are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Final

from src.core.records.portfolios import Symbol


class Side(str, Enum):
    """Direction of a ticket."""

    BUY = "BUY"
    SELL = "SELL"

    def signed(self, shares: Decimal) -> Decimal:
        """What this many shares do to the holding: bought they add, sold they take away."""
        return shares if self is Side.BUY else -shares


class OrderStyle(str, Enum):
    """How a ticket is sent: with an algo, as MIDPRICE, or as a plain market order."""

    ADAPTIVE = "adaptive"
    MIDPRICE = "midprice"
    PLAIN = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """One attempt to send (part of) a ticket; TIF is always DAY."""

    order_ref: str
    order_id: int
    account_id: str
    con_id: int
    symbol: Symbol
    side: Side
    qty_shares: Decimal
    style: OrderStyle
    adaptive_priority: str = "normal"
    outside_rth: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingOrder:
    """An order the broker says is open, whoever placed it."""

    account_id: str
    order_id: int
    client_id: int
    perm_id: int
    order_ref: str
    con_id: int
    symbol: str
    side: str
    qty_shares: Decimal
    status: str


FILLED_WORD: Final = "Filled"
CANCELLED_WORDS: Final = frozenset({"Cancelled", "ApiCancelled"})
INACTIVE_WORD: Final = "Inactive"
OVER_WORDS: Final = CANCELLED_WORDS | {FILLED_WORD}
"""An order of which the broker says this is over; one that is inactive may come back."""

DEAD_WORDS: Final = OVER_WORDS | {INACTIVE_WORD}
"""The broker's words for the end of an order; Inactive is refused, or parked."""


def without_reason(word: str) -> str:
    """What is reported where the broker gives its word for the end and nothing else."""
    return f"{word}, no reason given"


def with_words(text: str, said: str) -> str:
    """A failure with the broker's own last words about it, if there are any."""
    return f"{text} (the broker said {said})" if said else text


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedOrder:
    """An order the broker lists as finished; it carries no order id and no client id."""

    account_id: str
    perm_id: int
    order_ref: str
    con_id: int
    symbol: str
    side: str
    filled_shares: Decimal
    status: str
    completed_status: str = ""

    @property
    def refusal(self) -> str:
        """Why the broker refused it, as far as it says; empty when it did not refuse it."""
        words = f"{self.status} {self.completed_status}".lower()
        if self.status != INACTIVE_WORD and "reject" not in words:
            return ""
        return self.completed_status or without_reason(self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignAmount:
    """Money that is not in USD, in its own ``currency`` (``EUR``)."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution. ``commission_usd`` is None until the broker reports it, in USD.

    ``foreign_commission`` is one reported in another currency; what that is in USD is unknown.
    A correction repeats ``exec_id`` with only the digits after its last dot changed. ``at_utc`` is
    the broker's time; None: in doubt, because its time zone is not known.
    """

    account_id: str
    order_ref: str
    exec_id: str
    order_id: int
    client_id: int
    perm_id: int
    con_id: int
    symbol: str
    side: Side
    qty_shares: Decimal
    price_usd: Decimal
    commission_usd: Decimal | None = None
    foreign_commission: ForeignAmount | None = None
    at_utc: datetime | None

    @property
    def is_charged(self) -> bool:
        """True when the broker has said what it costs, in whatever currency."""
        return self.commission_usd is not None or self.foreign_commission is not None


class TicketStatus(str, Enum):
    """The last word on a ticket, as the post-trade report spells it."""

    FILLED = "Filled"
    PARTIALLY_FILLED = "PartiallyFilled"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"
    SKIPPED = "Skipped"
    UNRESOLVED = "Unresolved"


def status_by_shares(filled_shares: Decimal, wanted_shares: Decimal) -> TicketStatus | None:
    """What executions alone say of an order or a ticket; None where there is none.

    More than wanted counts as partial: who may meet that has to look for it.
    """
    if not filled_shares:
        return None
    is_whole = filled_shares == wanted_shares
    return TicketStatus.FILLED if is_whole else TicketStatus.PARTIALLY_FILLED
