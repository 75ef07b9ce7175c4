"""What the broker lists about the account's orders, asked in rounds, and what is a stranger there.

What carries our prefix and is in no journal of this computer is a stranger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from src.core.orders.executions import newest_fills
from src.core.orders.ref import has_prefix
from src.core.orders.state import BrokerAnswered
from src.core.records.orders import CompletedOrder, Fill, WorkingOrder

_Listed = TypeVar("_Listed", WorkingOrder, CompletedOrder)


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
    def answers(self) -> tuple[BrokerAnswered, ...]:
        """Each round, without the lines of other accounts."""
        return tuple(
            replace(
                one,
                working=self._ours(one.working),
                completed=self._ours(one.completed),
                fills=tuple(fill for fill in one.fills if fill.account_id == self.account_id),
            )
            for one in self.rounds
        )

    @property
    def working(self) -> tuple[WorkingOrder, ...] | None:
        """The orders open in the last round; None when the gateway does not list them."""
        return self._ours(self.rounds[-1].working)

    def _ours(self, orders: tuple[_Listed, ...] | None) -> tuple[_Listed, ...] | None:
        if orders is None:
            return None
        return tuple(one for one in orders if one.account_id in {self.account_id, ""})


def find_strangers(view: BrokerView, prefix: str, known_refs: frozenset[str]) -> tuple[Fill, ...]:
    """Executions that carry our prefix though no journal of this computer announced their order.

    Working orders of that kind forbid trading: see ``src.core.permission.guards_orders``.
    """
    return tuple(
        one
        for one in view.fills
        if has_prefix(one.order_ref, prefix) and one.order_ref not in known_refs
    )
