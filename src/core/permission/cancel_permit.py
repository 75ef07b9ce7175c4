"""The permission to cancel orders of earlier runs: it names them one by one and can place nothing.

``grant_cancels`` is the only maker of a ``CancelPermit``. What may be cancelled is an order that
the journal announced, under the very ids that it was sent with: nobody else's order can be meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from src.base.accounts import is_paper_account
from src.base.errors import Refused
from src.base.settings import Settings
from src.core.permission.permit import is_approval
from src.core.records.orders import WorkingOrder
from src.core.run.state import RunState, find_order


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPermit:
    """What the user said yes to; ``client_id`` placed all of it, so it alone can cancel it."""

    account_id: str
    client_id: int
    orders: tuple[WorkingOrder, ...]

    @property
    def order_ids(self) -> frozenset[int]:
        """The ids that a cancel may name."""
        return frozenset(one.order_id for one in self.orders)


def cancellable(
    runs: Iterable[RunState], working: Mapping[str, Collection[WorkingOrder] | None]
) -> tuple[WorkingOrder, ...]:
    """The working orders of these runs that are theirs by reference, order id and client id."""
    return tuple(
        listed
        for run in runs
        for listed in working.get(run.run_id) or ()
        if _is_theirs(run, listed)
    )


def _is_theirs(run: RunState, listed: WorkingOrder) -> bool:
    order = find_order(run, listed.order_ref)
    if order is None:
        return False
    ours = (order.request.order_id, order.client_id, order.request.con_id)
    return (listed.order_id, listed.client_id, listed.con_id) == ours


def grant_cancels(
    answer: str | None, orders: Iterable[WorkingOrder], settings: Settings
) -> tuple[CancelPermit, ...]:
    """One permit for each client that placed some of the orders; none without a yes.

    Raises: Refused when read-only is in force, or the account is live and allow_live is false.
    """
    account = settings.ibkr.account_id
    if not is_approval(answer, settings):
        return ()
    if settings.ibkr.read_only:
        raise Refused("read-only is in force: nothing is sent")
    if not (settings.ibkr.allow_live or is_paper_account(account)):
        raise Refused("the account is live and allow_live is false: cancel the orders in TWS")
    by_client: dict[int, list[WorkingOrder]] = {}
    for order in orders:
        if order.account_id in {account, ""}:
            by_client.setdefault(order.client_id, []).append(order)
    return tuple(
        CancelPermit(account_id=account, client_id=client_id, orders=tuple(mine))
        for client_id, mine in sorted(by_client.items())
    )
