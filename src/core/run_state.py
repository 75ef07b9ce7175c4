"""What a journal knows about one run: its plan lines, their orders, how far each has come.

Records only, made by ``src.core.journal_fold`` from the run's events. Quantities are shares;
executions count once, in their newest version, each with the commission reported for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from src.core.journal import (
    Approved,
    Declined,
    NotSent,
    OrderEnded,
    OrderNoticed,
    PlanRecorded,
    ReportWritten,
    RunAccepted,
    RunClosed,
    TicketEnded,
)
from src.core.money import exact_sum
from src.core.order_ref import parse_order_ref
from src.core.records import Fill, OrderRequest, OrderTicket


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One order as the journal knows it. Without ``not_sent`` it may have reached the broker."""

    line: int
    number: int
    request: OrderRequest
    not_sent: NotSent | None = None
    perm_id: int = 0
    cancel_reason: str = ""
    notices: tuple[OrderNoticed, ...] = ()
    fills: tuple[Fill, ...] = ()
    ended: OrderEnded | None = None

    @property
    def filled_shares(self) -> Decimal:
        """Sum of the executions, corrections applied."""
        return exact_sum(fill.qty_shares for fill in self.fills)

    @property
    def may_have_reached_broker(self) -> bool:
        """False only where the journal proves that nothing was sent."""
        return self.not_sent is None

    @property
    def is_proven(self) -> bool:
        """True when it is known to be over, or never to have been sent."""
        return self.ended is not None or self.not_sent is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One line of the approved plan; ``limit_shares`` is its quantity after a refit."""

    line: int
    ticket: OrderTicket
    limit_shares: Decimal
    refit_reason: str = ""
    attempts: tuple[Attempt, ...] = ()
    ended: TicketEnded | None = None

    @property
    def fills(self) -> tuple[Fill, ...]:
        """The executions of all attempts."""
        return tuple(fill for attempt in self.attempts for fill in attempt.fills)

    @property
    def filled_shares(self) -> Decimal:
        """Executed over all attempts."""
        return exact_sum(attempt.filled_shares for attempt in self.attempts)

    @property
    def reached_attempts(self) -> tuple[Attempt, ...]:
        """The attempts that may have reached the broker."""
        return tuple(one for one in self.attempts if one.may_have_reached_broker)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """What the journal knows about one run; ``strangers`` are executions no order explains.

    ``recorded_utc`` is when the journal took in the last execution, by this computer's clock.
    """

    run_id: str
    plan: PlanRecorded
    approved: Approved | None = None
    declined: Declined | None = None
    lines: tuple[PlanLine, ...] = ()
    strangers: tuple[Fill, ...] = ()
    recorded_utc: datetime | None = None
    closed: RunClosed | None = None
    accepted: RunAccepted | None = None
    report: ReportWritten | None = None

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every order the run announced."""
        return tuple(attempt for line in self.lines for attempt in line.attempts)

    @property
    def has_orders(self) -> bool:
        """True when some order of the run may have reached the broker."""
        return any(attempt.may_have_reached_broker for attempt in self.attempts)


def find_attempt(state: RunState, order_ref: str, perm_id: int = 0) -> Attempt | None:
    """The order with this ref, else the one the broker knows under this lasting number."""
    ref = parse_order_ref(order_ref)
    if ref is not None and ref.line <= len(state.lines):
        for attempt in state.lines[ref.line - 1].attempts:
            if attempt.request.order_ref == order_ref:
                return attempt
    if perm_id == 0:
        return None
    return next((one for one in state.attempts if one.perm_id == perm_id), None)
