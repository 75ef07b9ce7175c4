"""The messages that describe an order or an execution, built from what the exchange knows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from src.simulator.accounts.account import ZERO
from src.simulator.market.contracts import contract_key
from src.simulator.messages.orders import ContractKey, Order, OrderState, as_reported
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
    allocation = f"{live.perm_id}.0/{live.order.account}/{live.client_id}"
    return OpenOrder(
        order_id=live.order_id,
        contract=_ordered_contract(live),
        order=_reported(live)._replace(shares_allocation=allocation),
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
        contract=contract_key(execution.contract, execution.venue),
        exec_id=execution.exec_id,
        time=times.text(execution.at, execution.contract.time_zone),
        account=execution.account,
        exchange=execution.venue,
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
    reported = _reported(live)._replace(
        total_quantity=ZERO if is_filled else live.quantity,
        rule_80a="0",
        trail_stop_price=None,
        min_compete_size=None,
        compete_against_best_offset=None,
    )
    return CompletedOrder(
        contract=_ordered_contract(live),
        order=reported,
        perm_id=live.perm_id,
        status=CANCELLED if live.status == INACTIVE else live.status,
        auto_cancel_date=times.quarter_after(live.placed_at) if live.order.tif == "GTC" else "",
        filled_quantity=live.filled,
        completed_time=times.text(live.finished_at or at, live.contract.time_zone),
        completed_status=_completed_text(live, is_filled=is_filled),
    )


def _reported(live: LiveOrder) -> Order:
    """The order's attributes as the gateway shows them; stocks neither open nor close."""
    reported = as_reported(live.order)
    return reported if live.contract.sec_type == "OPT" else reported._replace(open_close="")


def _ordered_contract(live: LiveOrder) -> ContractKey:
    key = contract_key(live.contract, live.key.exchange or "SMART")
    return key._replace(right=key.right or "?")


def _completed_text(live: LiveOrder, *, is_filled: bool) -> str:
    if is_filled:
        return f"Filled Size: {live.filled:f}"
    return live.reason or "Cancelled by Trader"


def _shorten(price: Decimal) -> Decimal:
    return price.quantize(_PRICE_STEP).normalize() if price else ZERO
