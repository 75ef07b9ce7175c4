"""What the broker lists about orders, asked in rounds, and which of them is which of ours.

An order is ours by its ref, else by the broker's lasting number; the contract must agree in any
case. What carries our prefix and is in no journal of this computer is a stranger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from src.core.executions import newest_fills
from src.core.order_ref import has_prefix
from src.core.order_state import BrokerAnswered
from src.core.records import CompletedOrder, Fill, WorkingOrder
from src.core.run_state import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Strangers:
    """What carries our mark and is not in the journal: orders forbid trading, fills are shown."""

    orders: tuple[WorkingOrder, ...] = ()
    fills: tuple[Fill, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerView:
    """What the broker said about the account: two rounds of lists and the shares held now."""

    account_id: str
    rounds: tuple[BrokerAnswered, ...]
    held_shares: Mapping[int, Decimal]

    @property
    def fills(self) -> tuple[Fill, ...]:
        """All executions of the account in any round, each in its newest version."""
        every = (fill for answer in self.rounds for fill in answer.fills)
        return newest_fills(fill for fill in every if fill.account_id == self.account_id)

    @property
    def completed(self) -> tuple[CompletedOrder, ...]:
        """All completed orders of the account in any round, the latest word first."""
        return tuple(
            order
            for answer in reversed(self.rounds)
            for order in answer.completed or ()
            if order.account_id in {self.account_id, ""}
        )

    @property
    def working(self) -> tuple[WorkingOrder, ...] | None:
        """The orders open in the last round; None when the gateway does not list them."""
        orders = self.rounds[-1].working
        if orders is None:
            return None
        return tuple(one for one in orders if one.account_id in {self.account_id, ""})

    def open_order(self, attempt: Attempt) -> WorkingOrder | None:
        """The order among those open in the last round."""
        return next((one for one in self.working or () if _is_same(one, attempt)), None)

    def completed_order(self, attempt: Attempt) -> CompletedOrder | None:
        """The order among the completed ones."""
        return next((one for one in self.completed if _is_same(one, attempt)), None)

    def shown(self, attempt: Attempt) -> WorkingOrder | CompletedOrder | None:
        """The order wherever the broker lists it."""
        return self.open_order(attempt) or self.completed_order(attempt)


def find_strangers(view: BrokerView, prefix: str, known_refs: frozenset[str]) -> Strangers:
    """What carries our prefix though no journal of this computer announced it."""
    working = view.working or ()
    return Strangers(
        orders=tuple(
            one
            for one in working
            if has_prefix(one.order_ref, prefix) and one.order_ref not in known_refs
        ),
        fills=tuple(
            one
            for one in view.fills
            if has_prefix(one.order_ref, prefix) and one.order_ref not in known_refs
        ),
    )


def _is_same(order: WorkingOrder | CompletedOrder, attempt: Attempt) -> bool:
    """Our ref, else the broker's lasting number; the contract must agree in any case."""
    if order.con_id != attempt.request.con_id:
        return False
    if order.order_ref == attempt.request.order_ref:
        return True
    return attempt.perm_id != 0 and order.perm_id == attempt.perm_id
