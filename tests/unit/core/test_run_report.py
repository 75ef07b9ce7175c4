from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.core.records import Fill, OrderOutcome, Side, TicketStatus
from src.core.run_report import RunReport, last_line, render_summary, ticket_figures
from src.core.settlement import Settlement
from src.errors import ExitCode
from tests.builders import NOON_UTC, Number, dec, ticket
from tests.execution_kit import Stage, buy, sell

FILLED, REJECTED = TicketStatus.FILLED, TicketStatus.REJECTED
SKIPPED, UNRESOLVED = TicketStatus.SKIPPED, TicketStatus.UNRESOLVED


def fill(qty: Number, price: Number, commission: Number | None = 1, side: Side = Side.BUY) -> Fill:
    return Fill(
        account_id="DU1234567",
        order_ref="ref",
        exec_id=f"{qty}.{price}.01",
        order_id=1,
        client_id=42,
        perm_id=1,
        con_id=1,
        symbol="AAA",
        side=side,
        qty_shares=dec(qty),
        price_usd=dec(price),
        commission_usd=None if commission is None else dec(commission),
        at_utc=NOON_UTC,
    )


def outcome(
    status: TicketStatus, *fills: Fill, side: Side = Side.BUY, error: str = ""
) -> OrderOutcome:
    one = ticket("AAA", side, 10, 100)
    return OrderOutcome(ticket=one, status=status, fills=fills, error=error)


def report(*outcomes: OrderOutcome, sent: int = 1) -> RunReport:
    plan = Stage(tickets=(sell("AAA"), buy("BBB"))).plan()
    return RunReport(
        run_id="20250131T170000Z",
        account_id="DU1234567",
        plan=plan,
        outcomes=outcomes,
        orders_sent=sent,
    )


BOUGHT = outcome(FILLED, fill(10, 100))


@pytest.mark.parametrize(
    ("changes", "outcomes", "expected"),
    [
        ({}, (BOUGHT,), ExitCode.OK),
        ({"was_interrupted": True}, (BOUGHT,), ExitCode.INTERRUPTED),
        ({"was_lost": True}, (BOUGHT,), ExitCode.UNFILLED),
        ({"problems": ("the report could not be written",)}, (BOUGHT,), ExitCode.UNFILLED),
        ({"settlement": Settlement(differences=("x",))}, (BOUGHT,), ExitCode.UNFILLED),
        ({"settlement": Settlement(warnings=("x",))}, (BOUGHT,), ExitCode.OK),
        ({}, (BOUGHT, outcome(REJECTED)), ExitCode.UNFILLED),
        ({}, (BOUGHT, outcome(SKIPPED)), ExitCode.UNFILLED),
        ({}, (BOUGHT, outcome(TicketStatus.CANCELLED)), ExitCode.UNFILLED),
        ({}, (BOUGHT, outcome(TicketStatus.PARTIALLY_FILLED)), ExitCode.UNFILLED),
        ({}, (outcome(UNRESOLVED),), ExitCode.UNFILLED),
        ({"was_interrupted": True}, (outcome(UNRESOLVED),), ExitCode.UNFILLED),
        ({"was_interrupted": True}, (outcome(REJECTED),), ExitCode.INTERRUPTED),
        ({"was_interrupted": True, "orders_sent": 0}, (outcome(SKIPPED),), ExitCode.INTERRUPTED),
        ({"was_lost": True, "orders_sent": 0}, (outcome(SKIPPED),), ExitCode.LOST),
        ({"was_refused": True, "orders_sent": 0}, (outcome(SKIPPED),), ExitCode.REFUSED),
        ({"orders_sent": 0}, (outcome(SKIPPED),), ExitCode.UNFILLED),
        ({"orders_sent": 0}, (), ExitCode.OK),
    ],
)
def test_the_one_rule_of_exit_codes(
    changes: dict[str, object], outcomes: tuple[OrderOutcome, ...], expected: ExitCode
) -> None:
    assert replace(report(*outcomes), **changes).exit_code is expected  # type: ignore[arg-type]


def test_slippage_costs_when_bought_above_or_sold_below_the_estimate() -> None:
    bought = ticket_figures(outcome(FILLED, fill(4, 101), fill(6, "101.50")))
    assert bought.average_price_usd == dec("101.3")
    assert bought.slippage_bps == dec(130)
    assert bought.slippage_usd == dec(13)
    sold = ticket_figures(outcome(FILLED, fill(10, 99, side=Side.SELL), side=Side.SELL))
    assert sold.slippage_bps == dec(100)
    gained = ticket_figures(outcome(FILLED, fill(10, 99)))
    assert gained.slippage_usd == dec(-10)


def test_without_an_execution_there_is_no_price() -> None:
    figures = ticket_figures(outcome(REJECTED))
    assert figures.average_price_usd is None
    assert figures.slippage_bps is None
    assert figures.slippage_usd == Decimal(0)


def test_the_summary_shows_every_ticket_and_the_totals() -> None:
    text = render_summary(
        report(
            outcome(FILLED, fill(10, 99, side=Side.SELL), side=Side.SELL),
            outcome(FILLED, fill(10, 100, None)),
            outcome(REJECTED, error="201: no margin"),
            sent=3,
        )
    )
    assert "Bought $1,000.00, sold $990.00, commissions $1.00 (? 1 commission pending)" in text
    assert "Rejected AAA: 201: no margin" in text
    assert "0.00?" in text
    lines = text.splitlines()
    assert (
        " ".join(lines[0].split()) == "symbol side planned filled avg price comm $ slip bps status"
    )
    assert lines[-1].startswith("3 orders sent; 2 of 3 tickets filled; nothing unresolved.")
    assert max(len(line) for line in lines[:4]) <= 80


def test_the_last_line_names_what_is_unresolved_and_what_to_do() -> None:
    line = last_line(report(outcome(UNRESOLVED)))
    assert "unresolved: AAA" in line
    assert "--recover" in line
    assert "--accept 20250131T170000Z" in line


def test_the_last_line_after_an_interrupt_or_a_difference() -> None:
    stopped = replace(report(BOUGHT, outcome(SKIPPED)), was_interrupted=True)
    assert "You stopped the run" in last_line(stopped)
    differs = replace(report(BOUGHT), settlement=Settlement(differences=("AAA differs",)))
    assert "Compare the positions" in last_line(differs)
    assert "PROBLEM: AAA differs" in render_summary(differs)


def test_the_brokers_text_cannot_move_the_cursor_or_show_the_account() -> None:
    text = render_summary(report(outcome(REJECTED, error="201: \x1b[2J\nDU1234567")))
    assert "\x1b" not in text
    assert "DU1234567" not in text
