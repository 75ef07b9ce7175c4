"""A journal of years: weekly runs of 20 orders that all filled, for measuring how it is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

from src.core.journal.events import (
    Acknowledged,
    Approved,
    CommissionRecorded,
    FillRecorded,
    IntentRecorded,
    JournalEvent,
    OrderEnded,
    PlanRecorded,
    ReportWritten,
    RunClosed,
    Sent,
    TicketEnded,
)
from src.core.orders.ref import PREFIX, make_order_ref, make_run_id
from src.core.records.orders import Fill, OrderRequest, OrderStyle, TicketStatus
from src.core.records.plan import OrderTicket, TradePlan
from src.io.journal.db import open_journal
from tests.kits.builders import ACCOUNT, account, plan, targets

ORDERS = 20
RUNS_PER_YEAR = 52
FIRST = datetime(2021, 1, 4, 15, tzinfo=timezone.utc)


def write_years(path: Path, years: int) -> None:
    """Make the journal; ``path`` names it after ``ACCOUNT``."""
    made = _plan()
    assert len(made.tickets) == ORDERS
    with open_journal(path, ACCOUNT) as journal:
        for week in range(years * RUNS_PER_YEAR):
            journal.append_all(_run(made, FIRST + timedelta(weeks=week)))


def _plan() -> TradePlan:
    names = [f"S{n:02}" for n in range(ORDERS)]
    held = {name: 150 if n < ORDERS // 2 else 40 for n, name in enumerate(names)}
    before = account(held, {name: 100 + n for n, name in enumerate(names)}, cash=20_000)
    return plan(before, targets(dict.fromkeys(names, 5)))


def _run(made: TradePlan, at_utc: datetime) -> Iterator[JournalEvent]:
    run_id = make_run_id(at_utc)
    yield PlanRecorded(
        run_id=run_id,
        at_utc=at_utc,
        started_utc=at_utc,
        plan=made,
        client_id=1,
        order_prefix=PREFIX,
        is_simulated=False,
        inputs_sha256="ab" * 32,
    )
    yield Approved(run_id=run_id, at_utc=at_utc, plan_hash=made.plan_hash)
    for line, ticket in enumerate(made.tickets, start=1):
        yield from _order(ticket, make_order_ref(PREFIX, run_id, line, 1), line, at_utc)
        yield TicketEnded(
            run_id=run_id,
            at_utc=at_utc,
            line=line,
            status=TicketStatus.FILLED,
            notes=("algo adaptive",),
        )
    yield RunClosed(run_id=run_id, at_utc=at_utc, exit_code=0, after=made.after)
    yield ReportWritten(run_id=run_id, at_utc=at_utc, file_name="rebalance_post.csv")


def _order(ticket: OrderTicket, ref: str, line: int, at_utc: datetime) -> Iterator[JournalEvent]:
    run_id = make_run_id(at_utc)
    perm_id = int(at_utc.timestamp()) + line
    request = OrderRequest(
        order_ref=ref,
        order_id=line,
        account_id=ACCOUNT,
        con_id=ticket.con_id,
        symbol=ticket.symbol,
        side=ticket.side,
        qty_shares=ticket.qty_shares,
        style=OrderStyle.ADAPTIVE,
    )
    fill = Fill(
        account_id=ACCOUNT,
        order_ref=ref,
        exec_id=f"0000e0d5.{perm_id:08x}.01.01",
        order_id=line,
        client_id=1,
        perm_id=perm_id,
        con_id=ticket.con_id,
        symbol=ticket.symbol,
        side=ticket.side,
        qty_shares=ticket.qty_shares,
        price_usd=ticket.est_price_usd,
        at_utc=at_utc,
    )
    yield IntentRecorded(run_id=run_id, at_utc=at_utc, line=line, attempt=1, request=request)
    yield Sent(run_id=run_id, at_utc=at_utc, order_ref=ref)
    yield Acknowledged(
        run_id=run_id, at_utc=at_utc, order_ref=ref, perm_id=perm_id, status="Submitted"
    )
    yield FillRecorded(run_id=run_id, at_utc=at_utc, fill=fill)
    yield CommissionRecorded(
        run_id=run_id, at_utc=at_utc, exec_id=fill.exec_id, commission_usd=Decimal("1.00")
    )
    yield OrderEnded(
        run_id=run_id,
        at_utc=at_utc,
        order_ref=ref,
        broker_status="Filled",
        filled_shares=ticket.qty_shares,
        evidence="executions sum to the quantity",
    )
