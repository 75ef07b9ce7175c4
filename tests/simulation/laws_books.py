"""Laws about what was written down: journal, reports and the exchange tell the same."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from src.base.errors import ExitCode
from src.core.journal.events import PlanRecorded
from src.core.orders.tickets import TicketState
from src.core.plan_hash import hash_plan
from src.core.records.orders import Fill, Side, TicketStatus
from src.core.run.outcome import is_open, recorded_status, run_outcomes
from src.core.run.state import RunState
from src.io.post_report import report_run
from src.io.reports.report_rows import POST_COLUMNS, post_trade_rows
from tests.simulation.facts import Facts

CASH_SLACK: Final = Decimal("0.01")


def reports_tell_the_truth(facts: Facts) -> Iterator[str]:
    """I10, I11, I13: a report is what the journal says, and what the exchange executed."""
    for state in facts.runs.values():
        if state.report is None:
            continue
        rows = facts.report(state.report.file_name)
        if rows is None:
            yield f"{state.run_id}: the report {state.report.file_name} is not there"
            continue
        if not is_open(state):  # while it is, a recovery may know more than the run's own report
            yield from _rows_as_recorded(state, rows)
        if facts.script.is_believable and state.accepted is None:
            for line, row in zip(state.tickets, rows, strict=True):
                yield from _row_as_executed(facts, state, line, row)


def _rows_as_recorded(state: RunState, rows: list[dict[str, str]]) -> Iterator[str]:
    after = state.closed.after if state.closed else None
    expected = post_trade_rows(report_run(state), run_outcomes(state), after)
    found = [tuple(row[name] for name in POST_COLUMNS) for row in rows]
    if found != list(expected):
        changed = next(
            (pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]), None
        )
        yield f"{state.run_id}: the report and its journal differ: {changed}"


def _row_as_executed(
    facts: Facts, state: RunState, line: TicketState, row: dict[str, str]
) -> Iterator[str]:
    executions = facts.line_executions(state.run_id, line.line)
    sign = 1 if line.ticket.side is Side.BUY else -1
    shares = sum((one.shares for one in executions), Decimal(0)) * sign
    value = sum((one.shares * one.price for one in executions), Decimal(0)) * sign
    where = f"{state.run_id} {line.ticket.symbol} {row['status']}"
    if row["status"] == TicketStatus.UNRESOLVED.value:
        return
    if Decimal(row["qty_shares"]) != shares:
        yield f"{where}: reported {row['qty_shares']} shares, executed {shares}"
    elif abs(Decimal(row["fill_value_usd"]) - value) > Decimal("0.01"):
        yield f"{where}: reported {row['fill_value_usd']} USD, executed {value}"
    known = {
        one.exec_id: (one.commission, one.live.commission_currency)
        for one in executions
        if one.contract is one.live.contract
    }
    for fill in line.fills:
        told = charge_of(fill)
        if told is not None and told != known.get(fill.exec_id, told):
            yield f"{where}: commission {told}, charged {known.get(fill.exec_id)}"


def charge_of(fill: Fill) -> tuple[Decimal, str] | None:
    """The commission as the program knows it, with its currency."""
    if fill.foreign_commission is not None:
        return fill.foreign_commission.amount, fill.foreign_commission.currency
    return None if fill.commission_usd is None else (fill.commission_usd, "USD")


def status_is_evidence(facts: Facts) -> Iterator[str]:
    """I11: an order that can still fill has no final status."""
    if not facts.script.is_believable:
        return
    live = {one.order.order_ref: one for one in facts.world.order_book.orders}
    for state in facts.runs.values():
        if state.closed is None or state.accepted is not None:
            continue
        for line in state.tickets:
            for attempt in line.orders:
                order = live.get(attempt.request.order_ref)
                status = recorded_status(line)
                is_over = status is not TicketStatus.UNRESOLVED
                if is_over and order is not None and not order.is_done:
                    yield f"{attempt.request.order_ref} still works, reported {status}"


def cash_is_conserved(facts: Facts) -> Iterator[str]:
    """What the run says it left is what was there, more what was sold, less what was paid."""
    script = facts.script
    is_prompt = script.scenario.gateway.account_lag_sec == 0
    if not (script.is_undisturbed and script.is_believable and is_prompt):
        return
    for ending in facts.endings:
        state = facts.runs.get(ending.run_id)
        after = state.closed.after if state and state.closed else None
        if after is None or ending.code != ExitCode.OK:
            continue
        cash = script.cash_usd
        for one in facts.world.order_book.executions.values():
            if one.at <= ending.ended_utc:
                value = one.shares * one.price
                cash += -value if one.live.is_buy else value
                cash -= one.commission if one.live.commission_currency == "USD" else 0
        if abs(after.cash_usd - cash) > CASH_SLACK and "USD cash is" not in ending.out:
            yield f"{ending.run_id}: cash after the run {after.cash_usd}, in truth {cash}"


def holdings_are_conserved(facts: Facts) -> Iterator[str]:
    """A run that says all is well left exactly what it held before, and what it traded."""
    for ending in facts.endings:
        state = facts.runs.get(ending.run_id)
        after = state.closed.after if state and state.closed else None
        if state is None or after is None or ending.code != ExitCode.OK:
            continue
        for line in state.tickets:
            symbol = line.ticket.symbol
            holdings = state.plan.plan.before.holdings
            before = holdings[symbol].qty_shares if symbol in holdings else Decimal(0)
            sign = 1 if line.ticket.side is Side.BUY else -1
            left = after.holdings[symbol].qty_shares if symbol in after.holdings else Decimal(0)
            if left != before + sign * line.filled_shares:
                yield f"{ending.run_id}: {left} {symbol} left, {before} and {line.filled_shares}"


def plans_are_what_was_hashed(facts: Facts) -> Iterator[str]:
    """I20: the hash that was approved is that of the plan on record."""
    for ending in facts.endings:
        for event in ending.events:
            if isinstance(event, PlanRecorded):
                plan = event.plan
                figures = (plan.before, plan.tickets, plan.cash_floor_usd, plan.wishes)
                if hash_plan(*figures) != plan.plan_hash:
                    yield f"{ending.run_id}: the plan on record has another hash"


def figures_are_finite(facts: Facts) -> Iterator[str]:
    """I17: nothing absurd enters a plan."""
    for ending in facts.endings:
        for event in ending.events:
            if not isinstance(event, PlanRecorded):
                continue
            plan = event.plan
            figures = [plan.before.net_liq_usd, plan.before.cash_usd, plan.cash_floor_usd]
            figures += [one.qty_shares for one in plan.tickets]
            for holding in plan.before.holdings.values():
                figures += [holding.qty_shares, holding.price_usd]
                if holding.price_usd <= 0 or holding.qty_shares < 0:
                    yield f"{ending.run_id}: {holding.symbol} at {holding.price_usd}"
            if not all(one.is_finite() and abs(one) < Decimal(10) ** 12 for one in figures):
                yield f"{ending.run_id}: a figure is not believable"
