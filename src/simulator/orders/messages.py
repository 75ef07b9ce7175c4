"""The messages that describe an order or an execution, built from what the exchange knows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from src.simulator.accounts.account import ZERO
from src.simulator.market.contracts import contract_key
from src.simulator.messages.orders import OrderState, as_reported
from src.simulator.messages.responses import (
    CommissionReport,
    CompletedOrder,
    ExecDetails,
    OpenOrder,
    OrderStatus,
)
from src.simulator.orders.state import CANCELLED, FILLED, INACTIVE, Execution, LiveOrder
from src.simulator.outbox.gateway_times import GatewayTimes

_PRICE_STEP = Decimal("0.00000001")


def open_order(live: LiveOrder, *, with_commission: bool = False) -> OpenOrder:
    """The order as it stands; the commission is known only after the last fill."""
    state = OrderState(status=live.status)
    if with_commission:
        state = state._replace(
            commission=live.commission, commission_currency=live.commission_currency
        )
    reported = as_reported(live.order)._replace(
        shares_allocation=f"{live.perm_id}.0/{live.order.account}/{live.client_id}",
    )
    exchange = live.key.exchange or "SMART"
    key = contract_key(live.contract, exchange)
    return OpenOrder(
        order_id=live.order_id,
        contract=key._replace(right=key.right or "?"),
        order=reported,
        state=state,
        client_id=live.client_id,
        perm_id=live.perm_id,
    )


def order_status(live: LiveOrder) -> OrderStatus:
    """Status, quantities and prices of the order as it stands."""
    return OrderStatus(
        order_id=live.order_id,
        status=live.status,
        filled=live.filled,
        remaining=live.remaining,
        avg_fill_price=_shorten(live.avg_price),
        perm_id=live.perm_id,
        parent_id=live.order.parent_id,
        last_fill_price=live.last_price,
        client_id=live.client_id,
        why_held=live.why_held,
    )


def exec_details(execution: Execution, times: GatewayTimes, req_id: int = -1) -> ExecDetails:
    """One execution; ``req_id`` -1 means it is reported as it happens."""
    live = execution.live
    return ExecDetails(
        req_id=req_id,
        order_id=live.order_id,
        contract=contract_key(execution.contract, execution.contract.primary_exchange),
        exec_id=execution.exec_id,
        time=times.text(execution.at, execution.contract.time_zone),
        account=execution.account,
        exchange=execution.contract.primary_exchange,
        side=execution.side,
        shares=execution.shares,
        price=execution.price,
        perm_id=live.perm_id,
        client_id=live.client_id,
        cum_qty=execution.cum_qty,
        avg_price=_shorten(execution.avg_price),
        order_ref=execution.order_ref,
        last_liquidity=2,
    )


def commission_report(execution: Execution, *, is_unset: bool = False) -> CommissionReport:
    """Commission of an execution; ``is_unset`` sends the largest double instead of the amount."""
    largest = Decimal("1.7976931348623157E308")
    return CommissionReport(
        exec_id=execution.exec_id,
        commission=largest if is_unset else execution.commission,
        currency=execution.live.commission_currency,
        realized_pnl=execution.realized_pnl,
    )


def completed_order(live: LiveOrder, at: datetime, times: GatewayTimes) -> CompletedOrder:
    """A finished order as TWS keeps it: filled ones lose their quantity, rejects are Cancelled."""
    is_filled = live.status == FILLED
    reported = as_reported(live.order)
    key = contract_key(live.contract, live.key.exchange or "SMART")
    return CompletedOrder(
        contract=key._replace(right=key.right or "?"),
        order=reported._replace(total_quantity=ZERO if is_filled else live.quantity),
        perm_id=live.perm_id,
        status=CANCELLED if live.status == INACTIVE else live.status,
        filled_quantity=live.filled,
        completed_time=times.text(live.finished_at or at, live.contract.time_zone),
        completed_status=_completed_text(live, is_filled=is_filled),
    )


def _completed_text(live: LiveOrder, *, is_filled: bool) -> str:
    if is_filled:
        return f"Filled Size: {live.filled:f}"
    return live.reason or "Cancelled by Trader"


def _shorten(price: Decimal) -> Decimal:
    return price.quantize(_PRICE_STEP).normalize() if price else ZERO
