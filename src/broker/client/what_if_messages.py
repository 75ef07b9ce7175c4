"""The question what an order would cost, and its answer, as objects of the library."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from src.broker.client.convert import clean, known, order_from
from src.core.costs.what_if import Figures, Margins
from src.core.records.orders import OrderRequest, OrderStyle
from src.core.records.plan import OrderTicket

if TYPE_CHECKING:
    from ib_async.order import Order, OrderState


def what_if_order(order_id: int, ticket: OrderTicket, account_id: str) -> Order:
    """The question what a ticket would cost: the plain order for it that is only looked at."""
    order = order_from(
        OrderRequest(
            order_ref="",
            order_id=order_id,
            account_id=account_id,
            con_id=ticket.con_id,
            symbol=ticket.symbol,
            side=ticket.side,
            qty_shares=ticket.qty_shares,
            style=OrderStyle.PLAIN,
        )
    )
    order.whatIf = True
    return order


def what_if_figures(state: OrderState) -> Figures:
    """The answer to a what-if; what is unset, or no number, is unknown."""
    before = Margins(
        initial=_figure(state.initMarginBefore),
        maintenance=_figure(state.maintMarginBefore),
        equity=_figure(state.equityWithLoanBefore),
    )
    change = Margins(
        initial=_figure(state.initMarginChange),
        maintenance=_figure(state.maintMarginChange),
        equity=_figure(state.equityWithLoanChange),
    )
    return Figures(
        before=before,
        change=change,
        commission=known(state.commission),
        least_commission=known(state.minCommission),
        most_commission=known(state.maxCommission),
        currency=clean(state.commissionCurrency).upper() or "USD",
        warning=clean(state.warningText),
    )


def _figure(text: str) -> Decimal | None:
    try:
        return known(float(text))
    except ValueError:
        return None
