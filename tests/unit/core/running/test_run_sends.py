from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from src.base.settings import ExecutionSettings
from src.core.orders.state import OrderState, Patience
from src.core.orders.tickets import with_order
from src.core.records.orders import OrderRequest, OrderStyle, Side
from src.core.running.parts import Run
from src.core.running.sends import plan_attempt
from tests.kits.builders import ACCOUNT, con_id
from tests.kits.execution_kit import RUN_ID, Stage, run_of, sell
from tests.kits.fakes import CLIENT_ID
from tests.kits.orders_kit import code, executed, nothing_found, sent


def run_with(execution: ExecutionSettings, hours: str = "rth") -> Run:
    stage = Stage(tickets=(sell("SPY"),), execution=execution)
    stage.rebalance = stage.rebalance._replace(trading_hours=hours)  # type: ignore[arg-type]
    return run_of(stage)


def test_the_second_attempt_is_plain_and_for_what_is_left() -> None:
    run, first = run_with(ExecutionSettings()), sent()
    first.feed(executed(4), code(442), nothing_found())
    order = plan_attempt(run, with_order(run.ticket(1), first.state), 8)
    assert order.request.qty_shares == 6
    assert order.request.style is OrderStyle.PLAIN
    assert order.attempt == 2
    assert order.request.order_ref == f"IBR-{RUN_ID}-1-2"


def test_an_order_says_whose_and_how_it_is() -> None:
    settings = ExecutionSettings(
        algo_preference="adaptive",
        adaptive_priority="urgent",
        order_timeout_sec=Decimal(77),
    )
    run = run_with(settings, "eth")
    run = run._replace(terms=replace(run.terms, patience=Patience(cancel_sec=Decimal(4))))
    order = plan_attempt(run, replace(run.ticket(1), limit_shares=Decimal(9)), 8)
    assert order == OrderState(
        run_id=RUN_ID,
        line=1,
        attempt=1,
        request=OrderRequest(
            order_ref=f"IBR-{RUN_ID}-1-1",
            order_id=8,
            account_id=ACCOUNT,
            con_id=con_id("SPY"),
            symbol="SPY",
            side=Side.SELL,
            qty_shares=Decimal(9),
            style=OrderStyle.ADAPTIVE,
            adaptive_priority="urgent",
            outside_rth=True,
        ),
        client_id=CLIENT_ID,
        patience=Patience(cancel_sec=Decimal(4), order_sec=Decimal(77)),
        quote_usd=Decimal(100),
    )
