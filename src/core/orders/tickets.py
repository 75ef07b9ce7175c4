"""A ticket over all its attempts: when it may be sent again, what became of it.

A second attempt exists for one case only: the first was refused because of its algo or order
type, the refusal is proven, and the executions agree with the broker's own total. It is a plain
market order for the unfilled rest. Quantities are shares; nothing ever exceeds the approved ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from src.base.settings import ExecutionSettings
from src.core.journal.events import TicketEnded
from src.core.orders.codes import GENERAL_REFUSAL, blames_algo
from src.core.orders.state import OrderState, Phase
from src.core.records.orders import Fill, OrderStyle, Side, TicketStatus
from src.core.records.plan import OrderTicket

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketState:
    """One plan line on its way: ``limit_shares`` is the quantity after the refit.

    ``skip_reason`` is set when (the rest of) it will not be sent. ``last_word`` is what a journal
    says of its end; a run that is under way has none.
    """

    line: int
    ticket: OrderTicket
    limit_shares: Decimal
    orders: tuple[OrderState, ...] = ()
    skip_reason: str = ""
    last_word: TicketEnded | None = None

    @property
    def fills(self) -> tuple[Fill, ...]:
        """The executions of all attempts."""
        return tuple(fill for order in self.orders for fill in order.fills)

    @property
    def filled_shares(self) -> Decimal:
        """Executed over all attempts."""
        return sum((order.filled_shares for order in self.orders), _ZERO)

    @property
    def was_sent(self) -> bool:
        """True when some order of it may have reached the broker."""
        return any(order.was_sent for order in self.orders)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketProgress:
    """One line of the live display: how far a ticket has come, in a word or two.

    ``attempt`` is the number of its latest order (0: none yet); ``is_open`` while it waits or
    works.
    """

    line: int
    symbol: str
    side: Side
    limit_shares: Decimal
    filled_shares: Decimal
    doing: str
    attempt: int
    is_open: bool


def is_plain_refused(orders: Iterable[OrderState]) -> bool:
    """True when a plain order among these got the refusal that tells no reason by its code."""
    return any(
        order.request.style is OrderStyle.PLAIN and order.error_code == GENERAL_REFUSAL
        for order in orders
    )


def wants_fallback(
    state: TicketState, settings: ExecutionSettings, *, is_plain_refused: bool = False
) -> bool:
    """True when a plain market order for the rest is due: once, and only after proof.

    ``is_plain_refused`` is what ``is_plain_refused`` says of all orders of the run.
    """
    if not settings.fallback_plain_market or len(state.orders) != 1 or state.skip_reason:
        return False
    if is_used_up(state):
        return False
    first = state.orders[0]
    is_proven = first.phase is Phase.DONE and first.status in (
        TicketStatus.REJECTED,
        TicketStatus.PARTIALLY_FILLED,
    )
    agrees = first.closing_filled in (None, first.filled_shares)
    is_refused_algo = (
        first.request.style is not OrderStyle.PLAIN
        and not first.end_wish
        and blames_algo(first.error_code, is_plain_refused=is_plain_refused)
    )
    return is_proven and agrees and is_refused_algo and not first.faults


def is_used_up(state: TicketState) -> bool:
    """True when its executions leave nothing to be sent."""
    return state.filled_shares >= state.limit_shares


def with_order(state: TicketState, order: OrderState) -> TicketState:
    """The ticket with this attempt added, or brought up to date."""
    others = [one for one in state.orders if one.attempt != order.attempt]
    orders = tuple(sorted([*others, order], key=lambda one: one.attempt))
    return replace(state, orders=orders)


def is_settled(state: TicketState) -> bool:
    """True when nothing of the ticket is open or still to be sent."""
    if not state.orders:
        return bool(state.skip_reason)
    return all(order.phase is Phase.DONE for order in state.orders)


def exceeds_limit(state: TicketState) -> bool:
    """True when what is filled and what still works could together exceed the quantity allowed."""
    at_risk = sum(
        (
            order.request.qty_shares if order.is_open else order.filled_shares
            for order in state.orders
        ),
        _ZERO,
    )
    return at_risk > state.limit_shares


def unsettled_refs(states: Collection[TicketState]) -> tuple[str, ...]:
    """The order refs whose fate is not proven."""
    return tuple(
        order.request.order_ref
        for state in states
        for order in state.orders
        if order.is_open or order.status is TicketStatus.UNRESOLVED
    )
