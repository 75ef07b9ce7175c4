"""What one run writes down, in order: the journal's event records.

Events are only ever appended. ``IntentRecorded`` is committed before the order's bytes may leave;
everything else follows what the broker said. ``src.core.run.fold`` turns a run's events into
what is still to do and into outcomes; ``src.core.journal.codec`` turns them into text and back.
Lines count plan tickets from 1 (``plan.tickets[line - 1]``), attempts count from 1.
Later events about the same thing win: a plan made anew replaces the one before it (until the
approval), a recovery may end a ticket again or close a run again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Final, Union

from src.core.records.orders import Fill, ForeignAmount, OrderRequest, TicketStatus
from src.core.records.plan import TradePlan, Valuation

CONTRADICTION: Final = 0
"""Instead of a broker's code: what it showed of the order cannot be true."""
SEND_BROKE: Final = -1
"""Instead of a broker's code: the connection broke while the order was sent."""


class SeenIn(str, Enum):
    """Where the broker showed an order."""

    MESSAGE = ""
    OPEN_ORDERS = "open orders"
    COMPLETED_ORDERS = "completed orders"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRecorded:
    """The plan as shown to the user, complete, so that reports can be rebuilt from it alone.

    ``started_utc`` is the run's time in reports; ``inputs_sha256`` covers settings and CSV bytes.
    """

    run_id: str
    at_utc: datetime
    started_utc: datetime
    plan: TradePlan
    client_id: int
    order_prefix: str
    is_simulated: bool
    inputs_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """The user said yes to the plan with this hash, in this process."""

    run_id: str
    at_utc: datetime
    plan_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The user said no, or a guard did after the plan was shown; nothing was sent."""

    run_id: str
    at_utc: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRefitted:
    """A ticket's quantity was cut to the cash at hand; 0 means it will not be sent at all."""

    run_id: str
    at_utc: datetime
    line: int
    qty_shares: Decimal
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRecorded:
    """This order is about to be sent; its ref can never be used again.

    ``quote_usd`` is the price its quantity was fitted to: what slippage is measured against.
    """

    run_id: str
    at_utc: datetime
    line: int
    attempt: int
    request: OrderRequest
    quote_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The order's bytes left our queue. Without it an intent's fate is unknown, not unsent."""

    run_id: str
    at_utc: datetime
    order_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """The order provably never reached the socket (the gate declined it); only this proves it."""

    run_id: str
    at_utc: datetime
    order_ref: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The broker knows the order under ``perm_id`` and says ``status`` about it.

    ``filled_shares`` is its total for an order that is over, ``text`` its reason (None and empty
    where it gave none). ``seen_in`` is empty for a message of the order's own, else the list that
    shows it. ``is_alive``: shown at work after a doubt, so that what was said of its end is void.
    """

    run_id: str
    at_utc: datetime
    order_ref: str
    perm_id: int
    status: str = ""
    filled_shares: Decimal | None = None
    seen_in: SeenIn = SeenIn.MESSAGE
    is_alive: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillRecorded:
    """An execution; a correction (same id, last part higher) stands beside what it replaces."""

    run_id: str
    at_utc: datetime
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionRecorded:
    """The commission of an execution recorded earlier, in USD or in another currency.

    Neither: it was reported without an amount.
    """

    run_id: str
    at_utc: datetime
    exec_id: str
    commission_usd: Decimal | None
    foreign_commission: ForeignAmount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNoticed:
    """An error or notice that named the order, whatever it turned out to mean.

    Two codes are our own: ``CONTRADICTION`` and ``SEND_BROKE``.
    """

    run_id: str
    at_utc: datetime
    order_ref: str
    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """We are about to ask for this order's cancellation."""

    run_id: str
    at_utc: datetime
    order_ref: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEnded:
    """One attempt is over, by the broker's evidence.

    ``broker_status`` is the broker's own word (Filled, Cancelled, ApiCancelled, Inactive…),
    ``filled_shares`` its total where it gave one, ``evidence`` says what message proved it.
    """

    run_id: str
    at_utc: datetime
    order_ref: str
    broker_status: str
    filled_shares: Decimal | None = None
    evidence: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEnded:
    """The ticket's last word so far; ``error`` and ``notes`` go to the report as they are."""

    run_id: str
    at_utc: datetime
    line: int
    status: TicketStatus
    error: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunClosed:
    """The run's books are complete; ``after`` is the account as the broker showed it afterwards."""

    run_id: str
    at_utc: datetime
    exit_code: int
    after: Valuation | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWritten:
    """The run's post-trade report is complete on disk under this file name."""

    run_id: str
    at_utc: datetime
    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAccepted:
    """The user named this run and took over what could not be proven."""

    run_id: str
    at_utc: datetime
    reason: str = ""


JournalEvent = Union[  # noqa: UP007 - a runtime alias that 3.10 can evaluate
    PlanRecorded,
    Approved,
    Declined,
    TicketRefitted,
    IntentRecorded,
    Sent,
    NotSent,
    Acknowledged,
    FillRecorded,
    CommissionRecorded,
    OrderNoticed,
    CancelRequested,
    OrderEnded,
    TicketEnded,
    RunClosed,
    ReportWritten,
    RunAccepted,
]
