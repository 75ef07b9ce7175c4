"""Runs as a journal holds them, for tests: a plan of two sells and two buys, and its events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from src.core.journal.events import (
    Acknowledged,
    Approved,
    CommissionRecorded,
    FillRecorded,
    IntentRecorded,
    JournalEvent,
    OrderEnded,
    OrderNoticed,
    PlanRecorded,
    RunClosed,
    Sent,
    TicketEnded,
)
from src.core.orders.ref import PREFIX, make_order_ref
from src.core.records.orders import (
    CompletedOrder,
    Fill,
    OrderRequest,
    OrderStyle,
    TicketStatus,
    WorkingOrder,
)
from src.core.records.plan import OrderOutcome, TradePlan
from src.core.run.fold import fold
from src.core.run.outcome import run_outcomes
from tests.kits.builders import ACCOUNT, NOON_UTC, account, dec, plan, targets

RUN_ID = "20250131T170000Z"
CLIENT_ID = 42
PRICES = {"AAA": 100, "BBB": 50, "CCC": 20, "DDD": 10}


def sample_plan() -> TradePlan:
    """Lines: SELL AAA 50, SELL BBB 50, then the buys of CCC and DDD."""
    held = account({"AAA": 100, "BBB": 150}, PRICES, cash=2500)
    made = plan(held, targets({"AAA": 25, "BBB": 25, "CCC": 25, "DDD": 25}))
    assert [ticket.symbol for ticket in made.tickets[:2]] == ["AAA", "BBB"]
    return made


PLAN = sample_plan()


def later(seconds: float) -> datetime:
    return NOON_UTC + timedelta(seconds=seconds)


def outcomes_of(events: Iterable[JournalEvent]) -> tuple[OrderOutcome, ...]:
    """One outcome per plan line, as the journal proves it."""
    return run_outcomes(fold(events))


def recorded(made: TradePlan = PLAN, run_id: str = RUN_ID) -> PlanRecorded:
    return PlanRecorded(
        run_id=run_id,
        at_utc=NOON_UTC,
        started_utc=NOON_UTC,
        plan=made,
        client_id=CLIENT_ID,
        order_prefix=PREFIX,
        is_simulated=False,
        inputs_sha256="ab" * 32,
    )


def approved(made: TradePlan = PLAN, run_id: str = RUN_ID) -> Approved:
    return Approved(run_id=run_id, at_utc=NOON_UTC, plan_hash=made.plan_hash)


def ref(line: int, attempt: int = 1, run_id: str = RUN_ID) -> str:
    return make_order_ref(PREFIX, run_id, line, attempt)


def request(line: int, attempt: int = 1, *, qty: Decimal | None = None) -> OrderRequest:
    ticket = PLAN.tickets[line - 1]
    return OrderRequest(
        order_ref=ref(line, attempt),
        order_id=10 * line + attempt,
        account_id=ACCOUNT,
        con_id=ticket.con_id,
        symbol=ticket.symbol,
        side=ticket.side,
        qty_shares=ticket.qty_shares if qty is None else qty,
        style=OrderStyle.ADAPTIVE if attempt == 1 else OrderStyle.PLAIN,
    )


def intent(line: int, attempt: int = 1, *, qty: Decimal | None = None) -> IntentRecorded:
    return IntentRecorded(
        run_id=RUN_ID,
        at_utc=later(1),
        line=line,
        attempt=attempt,
        request=request(line, attempt, qty=qty),
    )


def sent(line: int, attempt: int = 1) -> Sent:
    return Sent(run_id=RUN_ID, at_utc=later(2), order_ref=ref(line, attempt))


def known(line: int, attempt: int = 1) -> Acknowledged:
    return Acknowledged(
        run_id=RUN_ID,
        at_utc=later(3),
        order_ref=ref(line, attempt),
        perm_id=perm_id(line, attempt),
        status="Submitted",
    )


def perm_id(line: int, attempt: int = 1) -> int:
    return 900_000 + 10 * line + attempt


def fill(
    line: int,
    qty: Decimal | int | None = None,
    attempt: int = 1,
    *,
    exec_id: str = "",
    price: Decimal | int | str | None = None,
    commission: str | None = None,
) -> Fill:
    ticket = PLAN.tickets[line - 1]
    return Fill(
        account_id=ACCOUNT,
        order_ref=ref(line, attempt),
        exec_id=exec_id or f"0000e0d5.{line}{attempt}.01.01",
        order_id=10 * line + attempt,
        client_id=CLIENT_ID,
        perm_id=perm_id(line, attempt),
        con_id=ticket.con_id,
        symbol=ticket.symbol,
        side=ticket.side,
        qty_shares=ticket.qty_shares if qty is None else dec(qty),
        price_usd=ticket.est_price_usd if price is None else dec(price),
        commission_usd=None if commission is None else dec(commission),
        at_utc=later(4),
    )


def booked(one: Fill) -> FillRecorded:
    return FillRecorded(run_id=RUN_ID, at_utc=later(4), fill=one)


def charged(exec_id: str, usd: str | None) -> CommissionRecorded:
    return CommissionRecorded(
        run_id=RUN_ID,
        at_utc=later(5),
        exec_id=exec_id,
        commission_usd=None if usd is None else dec(usd),
    )


def noticed(line: int, code: int, text: str, attempt: int = 1) -> OrderNoticed:
    return OrderNoticed(
        run_id=RUN_ID, at_utc=later(4), order_ref=ref(line, attempt), code=code, text=text
    )


def order_ended(
    line: int, word: str = "Filled", attempt: int = 1, *, filled: Decimal | int = 0
) -> OrderEnded:
    return OrderEnded(
        run_id=RUN_ID,
        at_utc=later(6),
        order_ref=ref(line, attempt),
        broker_status=word,
        filled_shares=dec(filled),
        evidence="told by a test",
        error="201 margin" if word == "Inactive" else "",
    )


def ticket_ended(
    line: int, status: TicketStatus = TicketStatus.FILLED, error: str = ""
) -> TicketEnded:
    return TicketEnded(
        run_id=RUN_ID,
        at_utc=later(7),
        line=line,
        status=status,
        error=error,
        notes=("algo adaptive",),
    )


def closed(exit_code: int = 0) -> RunClosed:
    return RunClosed(run_id=RUN_ID, at_utc=later(9), exit_code=exit_code, after=PLAN.after)


def filled_line(line: int) -> list[JournalEvent]:
    """An order from intent to Filled, in two executions, with commissions."""
    whole = PLAN.tickets[line - 1].qty_shares
    part = (whole / 2).to_integral_value()
    one = fill(line, part, exec_id=f"e.{line}.1.01")
    two = fill(line, whole - part, exec_id=f"e.{line}.2.01")
    return [
        intent(line),
        sent(line),
        known(line),
        booked(one),
        charged(one.exec_id, "0.35"),
        booked(two),
        charged(two.exec_id, "0.36"),
        order_ended(line, filled=whole),
        ticket_ended(line),
    ]


def whole_run() -> list[JournalEvent]:
    """A run in which everything fills, from the plan to its close."""
    lines = range(1, len(PLAN.tickets) + 1)
    trades = [event for line in lines for event in filled_line(line)]
    return [recorded(), approved(), *trades, closed()]


def opening(*events: JournalEvent) -> list[JournalEvent]:
    """An approved run with these events after the approval."""
    return [recorded(), approved(), *events]


def working(line: int, status: str = "Submitted", **changes: object) -> WorkingOrder:
    one = request(line)
    made = WorkingOrder(
        account_id=ACCOUNT,
        order_id=one.order_id,
        client_id=CLIENT_ID,
        perm_id=perm_id(line),
        order_ref=one.order_ref,
        con_id=one.con_id,
        symbol=one.symbol,
        side=one.side.value,
        qty_shares=one.qty_shares,
        status=status,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def completed(
    line: int, status: str = "Cancelled", filled: Decimal | int = 0, word: str = ""
) -> CompletedOrder:
    one = request(line)
    return CompletedOrder(
        account_id=ACCOUNT,
        perm_id=perm_id(line),
        order_ref=one.order_ref,
        con_id=one.con_id,
        symbol=one.symbol,
        side=one.side.value,
        filled_shares=dec(filled),
        status=status,
        completed_status=word,
    )
