"""What the sells would realise, estimated by the broker's average cost: no tax figure.

Source: SRS R-311.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from src.base.money import ZERO, exact_arithmetic
from src.core.records.account import AccountSnapshot
from src.core.records.orders import Side
from src.core.records.plan import OrderTicket, TradePlan
from src.core.records.portfolios import Symbol


@exact_arithmetic()
def estimated_gains(plan: TradePlan, snapshot: AccountSnapshot) -> Mapping[Symbol, Decimal | None]:
    """Symbol sold → gain in USD, below zero for a loss; None where the cost is unknown.

    The broker shows a cost of 0 for what was moved in without one: that is unknown too.
    """
    costs = {one.symbol: one.avg_cost_usd for one in snapshot.positions}
    gains: dict[Symbol, Decimal | None] = {}
    for ticket in plan.tickets:
        if ticket.side is Side.SELL:
            gains[ticket.symbol] = _gain(ticket, costs.get(ticket.symbol))
    return gains


def _gain(ticket: OrderTicket, cost_usd: Decimal | None) -> Decimal | None:
    if cost_usd is None or cost_usd <= ZERO:
        return None
    return ticket.est_value_usd - ticket.qty_shares * cost_usd
