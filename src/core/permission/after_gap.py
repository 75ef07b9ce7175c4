"""What somebody else did while the connection had a gap, as far as the account shows it.

Executions alone do not tell: a client may not be shown those of others. So positions are held
against what they were plus the run's own executions, for every planned contract; cash likewise;
and nobody else's order may work in a planned symbol. Pure: what was read is given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from src.base.money import ZERO, exact_arithmetic
from src.core.cash_effects import cash_effect, cash_tolerance
from src.core.orders.tickets import TicketState
from src.core.permission.guards_orders import describe_order
from src.core.records.account import AccountSnapshot
from src.core.records.orders import WorkingOrder
from src.core.records.plan import TradePlan
from src.core.run.settlement import position_differences


@dataclass(frozen=True, slots=True, kw_only=True)
class GapFinding:
    """What the run's own executions do not explain; all empty: nothing happened.

    ``differences`` are sentences about planned contracts, ``orders`` working orders of others in
    them, ``cash_short_usd`` how much less USD cash there is than explained (0: within tolerance).
    Differences and cash may also mean that the account has not caught up with the executions.
    """

    differences: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    cash_short_usd: Decimal = ZERO


@exact_arithmetic()
def look_after_gap(
    plan: TradePlan,
    before: AccountSnapshot,
    after: AccountSnapshot,
    working: Iterable[WorkingOrder],
    tickets: Iterable[TicketState],
) -> GapFinding:
    """Hold the account as read after a gap against the account before the run and its executions.

    ``tickets`` are this run's, with its orders and executions so far.
    """
    tickets = tuple(tickets)
    fills = tuple(fill for ticket in tickets for fill in ticket.fills)
    own_refs = {order.request.order_ref for ticket in tickets for order in ticket.orders}
    planned = {ticket.con_id for ticket in plan.tickets}
    explained = before.cash_usd + cash_effect(fills)
    short = explained - after.cash_usd
    return GapFinding(
        differences=position_differences(_only(before, planned), _only(after, planned), fills),
        orders=tuple(
            describe_order(order)
            for order in working
            if order.con_id in planned
            and order.account_id in {plan.account_id, ""}
            and order.order_ref not in own_refs
        ),
        cash_short_usd=short if short > cash_tolerance(fills) else ZERO,
    )


def _only(snapshot: AccountSnapshot, con_ids: Collection[int]) -> AccountSnapshot:
    """The snapshot with positions in these contracts alone."""
    kept = tuple(one for one in snapshot.positions if one.con_id in con_ids)
    return replace(snapshot, positions=kept)
