"""What a journal knows about one run: its plan, its tickets and orders, how it ended.

Made by ``src.core.run.fold`` from the run's events; tickets and orders are those of the live
run, rebuilt by its own rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from src.core.journal.events import (
    Approved,
    Declined,
    PlanRecorded,
    ReportWritten,
    RunAccepted,
    RunClosed,
)
from src.core.orders.ref import parse_order_ref
from src.core.orders.state import OrderState
from src.core.orders.tickets import TicketState
from src.core.records.orders import Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """What the journal knows about one run; ``strangers`` are executions no order explains.

    ``recorded_utc`` is when the journal took in the last execution, by this computer's clock.
    """

    run_id: str
    plan: PlanRecorded
    approved: Approved | None = None
    declined: Declined | None = None
    tickets: tuple[TicketState, ...] = ()
    strangers: tuple[Fill, ...] = ()
    recorded_utc: datetime | None = None
    closed: RunClosed | None = None
    accepted: RunAccepted | None = None
    report: ReportWritten | None = None

    @property
    def orders(self) -> tuple[OrderState, ...]:
        """Every order the run announced."""
        return tuple(order for ticket in self.tickets for order in ticket.orders)

    @property
    def has_orders(self) -> bool:
        """True when some order of the run may have reached the broker."""
        return any(order.was_sent for order in self.orders)


def find_order(state: RunState, order_ref: str, perm_id: int = 0) -> OrderState | None:
    """The order with this ref, else the one the broker knows under this lasting number."""
    ref = parse_order_ref(order_ref)
    if ref is not None and ref.line <= len(state.tickets):
        for order in state.tickets[ref.line - 1].orders:
            if order.request.order_ref == order_ref:
                return order
    if perm_id == 0:
        return None
    return next((one for one in state.orders if one.perm_id == perm_id), None)
