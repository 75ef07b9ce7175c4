from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.base.errors import ExitCode
from src.core.records.orders import Fill, ForeignAmount, Side, TicketStatus
from src.core.records.plan import DriftRow, DriftTable, OrderOutcome, SettlementWait
from src.core.run.report import RunReport, last_line, render_summary, ticket_figures
from src.core.run.settlement import Settlement
from tests.kits.builders import NOON_UTC, Number, account, dec, ticket
from tests.kits.execution_kit import Stage, buy, sell

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
    status: TicketStatus,
    *fills: Fill,
    side: Side = Side.BUY,
    error: str = "",
    symbol: str = "AAA",
) -> OrderOutcome:
    one = ticket(symbol, side, 10, 100)
    return OrderOutcome(ticket=one, status=status, fills=fills, error=error)


def report(*outcomes: OrderOutcome, sent: int = 1) -> RunReport:
    plan = Stage(tickets=(sell("AAA"), buy("BBB"))).plan()
    return RunReport(
        run_id="20250131T170000Z",
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
        ({"settlement": Settlement(was_read=False)}, (BOUGHT,), ExitCode.UNFILLED),
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
        ({"orders_sent": 0}, (outcome(SKIPPED),), ExitCode.REFUSED),
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


def test_the_brokers_text_cannot_move_the_cursor() -> None:
    text = render_summary(report(outcome(REJECTED, error="201: \x1b[2J\nlater")))
    assert "\x1b" not in text
    assert "201: \\x1b[2J\\nlater" in text


# --- the summary word by word -----------------------------------------------------------------


def drift_row(symbol: str, drift: Number) -> DriftRow:
    return DriftRow(
        symbol=symbol,
        target_weight=dec(0),
        current_weight=dec(drift),
        drift_weight=dec(drift),
        drift_usd=dec(0),
    )


def settled(*drifts: tuple[str, Number]) -> Settlement:
    rows = tuple(drift_row(symbol, drift) for symbol, drift in drifts)
    after = account({"AAA": 15}, {"AAA": 100}, -500)
    return Settlement(after=after, drift_after=DriftTable(rows=rows))


SUMMARY = """\
symbol side planned filled avg price comm $ slip bps status
AAA    SELL      10     10   99.0000   1.00    100.0 Filled
LONGER BUY       10      4  101.2500  0.35?    125.0 PartiallyFilled
CCC    BUY       10      0         -      -        - Rejected
DDD    BUY       10      0         -      -        - Rejected
EEE    BUY       10      0         -      -        - Cancelled

PartiallyFilled LONGER: time limit
Rejected CCC, DDD: 201: no margin
Bought $405.00, sold $990.00, commissions $1.35 (? 1 commission pending)
Slippage against the estimates $15.00 (positive: it cost money)
Account now: cash -$500.00, exposure $1,500.00, leverage 1.5000
Drift now: 7.0000% in all, largest CASH -4.0000%, AAA +1.0000%, BBB -1.0000%
WARNING: cash moved
PROBLEM: AAA differs
PROBLEM: the report could not be written

5 orders sent; 1 of 5 tickets filled; nothing unresolved. \
Compare the positions in TWS before the next run."""


def test_the_summary_of_a_run_with_a_bit_of_everything() -> None:
    drifts = settled(("DDD", "-0.01"), ("CASH", "-0.04"), ("BBB", "-0.01"), ("AAA", "0.01"))
    many = replace(
        report(
            outcome(FILLED, fill(10, 99, side=Side.SELL), side=Side.SELL, error="a note"),
            outcome(
                TicketStatus.PARTIALLY_FILLED,
                fill(3, 101, "0.35"),
                fill(1, 102, None),
                symbol="LONGER",
                error="time limit",
            ),
            outcome(REJECTED, symbol="CCC", error="201: no margin"),
            outcome(REJECTED, symbol="DDD", error="201: no margin"),
            outcome(TicketStatus.CANCELLED, symbol="EEE"),
            sent=5,
        ),
        settlement=replace(drifts, differences=("AAA differs",), warnings=("cash moved",)),
        problems=("the report could not be written",),
    )
    assert render_summary(many) == SUMMARY


def test_the_drift_line_names_the_three_largest_and_gives_no_sign_to_none() -> None:
    def drift_line(*drifts: tuple[str, Number]) -> str:
        shown = replace(report(BOUGHT), settlement=settled(*drifts))
        return next(line for line in render_summary(shown).splitlines() if "Drift" in line)

    assert drift_line(("A", "0.01"), ("B", "-0.03"), ("C", "0.02"), ("D", "-0.005")) == (
        "Drift now: 6.5000% in all, largest B -3.0000%, C +2.0000%, A +1.0000%"
    )
    assert drift_line(("A", 0)) == "Drift now: 0.0000% in all, largest A 0.0000%"


def test_without_figures_of_the_account_the_summary_says_so_or_leaves_the_drift_out() -> None:
    assert "\nWhat the account is worth after the last order is not known.\n" in render_summary(
        report(BOUGHT)
    )
    for drift in (None, DriftTable(rows=())):
        shown = replace(report(BOUGHT), settlement=replace(settled(), drift_after=drift))
        text = render_summary(shown)
        assert "Account now: cash -$500.00" in text
        assert "Drift" not in text


def test_a_commission_in_another_currency_is_shown_in_its_own() -> None:
    euro = ForeignAmount(amount=dec("1.85"), currency="EUR")
    abroad = replace(fill(4, 100, None), foreign_commission=euro)
    text = render_summary(report(outcome(FILLED, abroad, fill(6, 100, 2))))
    assert "commissions $2.00 and 1.85 EUR (unknown in USD)\n" in text
    assert " 2.00? " in text


def test_a_run_without_executions_has_no_pending_commission() -> None:
    text = render_summary(report(outcome(REJECTED)))
    assert "Bought $0.00, sold $0.00, commissions $0.00\n" in text


def test_a_run_without_any_ticket_has_a_summary_too() -> None:
    text = render_summary(report(sent=0))
    assert "Bought $0.00, sold $0.00, commissions $0.00\n" in text
    assert "Slippage against the estimates $0.00" in text
    assert text.endswith(
        "0 orders sent; 0 of 0 tickets filled; nothing unresolved. Nothing left to do."
    )


def test_a_slippage_too_small_to_show_has_no_sign() -> None:
    almost = outcome(FILLED, fill(10, "99.9999"))
    shown = render_summary(report(almost)).splitlines()[1].split()
    assert shown == ["AAA", "BUY", "10", "10", "99.9999", "1.00", "0.0", "Filled"]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (
            report(BOUGHT),
            "1 order sent; 1 of 1 ticket filled; nothing unresolved. Nothing left to do.",
        ),
        (
            report(outcome(UNRESOLVED), outcome(UNRESOLVED, symbol="BBB"), sent=2),
            (
                "2 orders sent; 0 of 2 tickets filled; unresolved: AAA, BBB. "
                "Look at these orders in TWS, then run: python rebalance.py --recover "
                "(--accept 20250131T170000Z if they cannot be proven)."
            ),
        ),
        (
            replace(report(BOUGHT, outcome(SKIPPED)), was_interrupted=True),
            (
                "1 order sent; 1 of 2 tickets filled; nothing unresolved. "
                "You stopped the run; start it again to plan the rest anew."
            ),
        ),
        (
            report(outcome(REJECTED)),
            (
                "1 order sent; 0 of 1 ticket filled; nothing unresolved. "
                "Read the reasons above; the next run plans what is left anew."
            ),
        ),
    ],
)
def test_the_last_line_word_by_word(shown: RunReport, expected: str) -> None:
    assert last_line(shown) == expected


@pytest.mark.parametrize("status", [FILLED, TicketStatus.CANCELLED])
def test_the_last_line_says_when_to_run_again_for_what_waits(status: TicketStatus) -> None:
    """F-108: what was announced to wait is no ticket, so exit 0 stays possible."""
    whole = report(outcome(status, *([fill(10, 100)] if status is FILLED else [])))
    wait = SettlementWait(spendable_usd=dec(5), waiting_usd=dec(4700), has_sells=True)
    waits = replace(whole, plan=replace(whole.plan, waiting=wait))
    assert waits.exit_code is whole.exit_code
    assert last_line(waits).endswith(
        "Run again when the sells have settled, usually the next trading day, to buy for $4,700.00."
    )
    assert "Nothing left to do" not in last_line(waits)
