"""Orders that exist before any client comes, turned from scenario data into exchange state."""

from __future__ import annotations

from datetime import datetime, timedelta

from src.simulator.accounts.account import ZERO
from src.simulator.market.contracts import contract_key
from src.simulator.messages.orders import Order, TagValue
from src.simulator.orders.state import (
    FILLED,
    PRE_SUBMITTED,
    SUBMITTED,
    Execution,
    LiveOrder,
    OrderBook,
)
from src.simulator.scenario.records import ExecutionSetup, OrderBehaviour, OrderSetup, Scenario

_RESTS = OrderBehaviour(never_fills=True)
_GOES_ON = OrderBehaviour()


def add_orders(scenario: Scenario, book: OrderBook, start: datetime) -> None:
    """Put the scenario's orders, and the executions they have had, into the book."""
    for setup in scenario.orders:
        live = build_order(scenario, setup, book, start)
        book.add(live)
        if setup.executions:
            _add_kept_executions(setup, live, book, start)
        elif setup.filled:
            _add_execution(setup, live, book, start - timedelta(minutes=setup.minutes_ago))


def build_order(
    scenario: Scenario, setup: OrderSetup, book: OrderBook, start: datetime
) -> LiveOrder:
    """An order as the scenario describes it; it rests in the book unless it goes on."""
    contract = scenario.contract(setup.symbol, setup.con_id)
    order_id = setup.order_id
    if setup.client_id and not order_id:
        order_id = book.next_valid_id(setup.client_id)
    placed_at = start - timedelta(minutes=setup.minutes_ago)
    is_working = setup.status in (SUBMITTED, PRE_SUBMITTED)
    priority = setup.adaptive_priority
    return LiveOrder(
        client_id=setup.client_id,
        order_id=order_id,
        perm_id=setup.perm_id or book.new_perm_id(),
        contract=contract,
        key=contract_key(contract, "SMART"),
        order=Order(
            action=setup.side,
            total_quantity=setup.quantity,
            order_type=setup.order_type,
            lmt_price=setup.limit_price or contract.price / 2,
            tif=setup.tif,
            account=scenario.account(setup.account_id).account_id,
            order_ref=setup.order_ref,
            outside_rth=setup.outside_rth,
            algo_strategy="Adaptive" if priority else "",
            algo_params=(TagValue(tag="adaptivePriority", value=priority),) if priority else (),
        ),
        placed_at=placed_at,
        behaviour=_GOES_ON if setup.goes_on else _RESTS,
        status=setup.status,
        filled=setup.filled,
        value=setup.filled * (setup.fill_price or contract.price),
        is_done=not is_working,
        finished_at=None if is_working else placed_at,
        reason="" if setup.status == FILLED else "Cancelled by Trader",
    )


def _add_kept_executions(
    setup: OrderSetup, live: LiveOrder, book: OrderBook, start: datetime
) -> None:
    """The executions that an earlier gateway reported, under their own numbers."""
    live.filled = live.value = ZERO
    for one in setup.executions:
        live.filled += one.shares
        live.value += one.shares * one.price
        live.commission += one.commission
        live.last_price = one.price
        at = start - timedelta(minutes=one.minutes_ago)
        book.keep(_execution(live, one, at))
    live.next_step = len(setup.executions)


def _add_execution(setup: OrderSetup, live: LiveOrder, book: OrderBook, at: datetime) -> None:
    commission = setup.commission
    if commission is None:
        value = live.value * live.contract.units_per_contract
        commission = live.behaviour.commission.charged(setup.filled, value)
    live.commission = commission
    live.last_price = live.avg_price
    one = ExecutionSetup(
        number=book.new_exec_number(),
        shares=setup.filled,
        price=live.avg_price,
        commission=commission,
    )
    book.keep(_execution(live, one, at))


def _execution(live: LiveOrder, setup: ExecutionSetup, at: datetime) -> Execution:
    return Execution(
        number=setup.number,
        live=live,
        at=at,
        shares=setup.shares,
        price=setup.price,
        side="BOT" if live.is_buy else "SLD",
        account=live.order.account,
        contract=live.contract,
        order_ref=live.order.order_ref,
        cum_qty=live.filled,
        avg_price=live.avg_price,
        commission=setup.commission,
        realized_pnl=None if live.is_buy else ZERO,
        revision=setup.revision,
    )
