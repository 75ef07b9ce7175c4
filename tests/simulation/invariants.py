"""The safety invariants, checked on what a seed left behind. Each yields what is wrong, in words.

``LAWS`` is the list; the names are those of the requirements (SRS, safety invariants). Where the
broker itself lied (``Script.is_believable`` is false) nobody can know the truth: then a run may
end wrong, but never quietly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from src.core.journal import PlanRecorded
from src.core.permit import is_approval
from src.core.records import Side, TicketStatus
from src.core.run_outcome import line_status, run_outcomes, unresolved_lines
from src.core.run_state import PlanLine, RunState
from src.errors import ExitCode
from src.io.report_rows import POST_COLUMNS, ReportRun, post_trade_rows
from src.simulator.messages import parse_request
from src.simulator.messages_requests import ReqAccountUpdates, ReqExecutions
from tests.simulation.facts import Facts, cancelled_ids
from tests.simulation.script import Task
from tests.simulation.world import Ending

Law = Callable[[Facts], Iterator[str]]

ALLOWED: Final = frozenset(
    {
        "StartApi", "ReqPositions", "CancelPositions", "ReqAccountUpdates", "ReqAllOpenOrders",
        "ReqCompletedOrders", "ReqExecutions", "ReqContractDetails", "ReqMatchingSymbols",
        "ReqCurrentTime", "ReqMktData", "CancelMktData", "ReqMarketDataType", "PlaceOrder",
        "CancelOrder",
    }
)  # fmt: skip
READING: Final = (Task.DRY_RUN, Task.READ_ONLY, Task.RECOVER, Task.ACCEPT)
CASH_SLACK: Final = Decimal("0.01")


# --- what was sent ------------------------------------------------------------------------------


def approved_only(facts: Facts) -> Iterator[str]:
    """I1, I8: an order belongs to a plan that was shown and approved in that very process."""
    for order in facts.wire_orders:
        state = facts.runs.get(order.ref.run_id) if order.ref else None
        if order.ref is None or state is None or state.approved is None:
            yield f"{order.order_ref}: no approved plan on record"
            continue
        if state.approved.plan_hash != state.plan.plan.plan_hash:
            yield f"{order.order_ref}: approved another plan"
        ending = facts.ending_of(state.run_id)
        if ending is None or not is_approval(ending.invocation.answer, facts.script.settings):
            yield f"{order.order_ref}: the answer was not a yes"
        ticket = state.plan.plan.tickets[order.ref.line - 1]
        sign = 1 if ticket.side is Side.BUY else -1
        if (order.con_id, order.account_id) != (ticket.con_id, state.plan.plan.account_id):
            yield f"{order.order_ref}: another contract or account than approved"
        if not 0 < order.signed_shares * sign <= ticket.qty_shares:
            yield f"{order.order_ref}: {order.signed_shares} shares, approved {ticket.qty_shares}"


def sent_once(facts: Facts) -> Iterator[str]:
    """I2: no reference and no order id is ever used twice."""
    refs = [one.order_ref for one in facts.wire_orders]
    ids = [one.order_id for one in facts.wire_orders]
    for what, used in (("reference", refs), ("order id", ids)):
        for one in {str(one) for one in used if used.count(one) > 1}:  # type: ignore[arg-type]
            yield f"{what} {one} was sent more than once"


def within_the_plan(facts: Facts) -> Iterator[str]:
    """I3: what is executed for a plan line stays within it, whatever is retried."""
    if not facts.script.is_believable:
        return
    for state in facts.runs.values():
        for line in state.lines:
            shares = sum(
                (one.shares for one in facts.line_executions(state.run_id, line.line)), Decimal(0)
            )
            if shares > line.ticket.qty_shares:
                yield f"{state.run_id} line {line.line}: {shares} of {line.ticket.qty_shares}"


def own_account(facts: Facts) -> Iterator[str]:
    """I4, I9: only known messages, only the configured account, only our own orders cancelled."""
    account = facts.script.settings.ibkr.account_id
    placed = {one.request.order_id for state in facts.runs.values() for one in state.attempts}
    for record in facts.wire_log:
        if record.name not in ALLOWED:
            yield f"{record.name} was sent"
        request = parse_request(record.fields, 178)
        if isinstance(request, ReqAccountUpdates) and request.account != account:
            yield f"account updates of {request.account!r} were asked for"
        if isinstance(request, ReqExecutions) and request.account != account:
            yield f"executions of {request.account!r} were asked for"
    for _, order_id in cancelled_ids(facts.wire_log):
        if order_id not in placed:
            yield f"order {order_id} was cancelled and is not ours"


def reads_only(facts: Facts) -> Iterator[str]:
    """I7: what only looks, or was not approved, sends no order message."""
    for ending in facts.endings:
        said_yes = is_approval(ending.invocation.answer, facts.script.settings)
        if ending.invocation.task in READING or not said_yes:
            sent = [one.name for one in ending.records if one.name in ("PlaceOrder", "CancelOrder")]
            if sent:
                yield f"start {ending.number} ({ending.invocation.task.value}) sent {sent[0]}"


def on_record_first(facts: Facts) -> Iterator[str]:
    """I12: when an order arrives, its intent is on disk."""
    for order in facts.world.orders:
        if not order.was_on_record:
            yield f"{order.request.order.order_ref} arrived before its intent was on record"


def never_short(facts: Facts) -> Iterator[str]:
    """I5: no sell exceeds what is held when it arrives."""
    if not (facts.script.is_undisturbed and facts.script.is_believable):
        return
    for order in facts.world.orders:
        wanted = order.request.order
        if wanted.action != "SELL":
            continue
        held = order.held_shares.get(order.request.contract.con_id, Decimal(0))
        if (wanted.total_quantity or Decimal(0)) > held:
            yield f"{wanted.order_ref}: sells {wanted.total_quantity} of {held} held"
    account = facts.world.exchange._floor.accounts[facts.script.settings.ibkr.account_id]
    for holding in account.holdings.values():
        if holding.quantity < 0:
            yield f"{holding.contract.symbol} is short {holding.quantity}"


def cash_floor(facts: Facts) -> Iterator[str]:
    """I6: the plan keeps its cash floor, and so does what was executed of it."""
    for state in facts.runs.values():
        plan = state.plan.plan
        sells = sum((t.est_value_usd for t in plan.tickets if t.side is Side.SELL), Decimal(0))
        least = min(plan.cash_floor_usd, plan.before.cash_usd + sells)
        if plan.after.cash_usd < least:
            yield f"{state.run_id}: planned cash {plan.after.cash_usd} below {least}"
        if facts.script.is_undisturbed and facts.script.is_believable:
            yield from _executed_floor(facts, state)


def _executed_floor(facts: Facts, state: RunState) -> Iterator[str]:
    """What was really sold pays for what was really bought, at the prices of the plan."""
    plan = state.plan.plan
    cash, spent = plan.before.cash_usd, Decimal(0)
    for line in state.lines:
        for one in facts.line_executions(state.run_id, line.line):
            if line.ticket.side is Side.BUY:
                spent += one.shares * line.ticket.est_price_usd
            else:
                cash += one.shares * one.price - one.commission
    if spent and cash - spent < min(plan.cash_floor_usd, cash) - CASH_SLACK:
        yield f"{state.run_id}: cash {cash - spent:.2f} after buys, floor {plan.cash_floor_usd:.2f}"


# --- what was written down ----------------------------------------------------------------------


def reports_tell_the_truth(facts: Facts) -> Iterator[str]:
    """I10, I11, I13: a report is what the journal says, and what the exchange executed."""
    for state in facts.runs.values():
        if state.report is None:
            continue
        rows = facts.report(state.report.file_name)
        if rows is None:
            yield f"{state.run_id}: the report {state.report.file_name} is not there"
            continue
        yield from _rows_as_recorded(state, rows)
        if facts.script.is_believable and state.accepted is None:
            for line, row in zip(state.lines, rows, strict=True):
                yield from _row_as_executed(facts, state, line, row)


def _rows_as_recorded(state: RunState, rows: list[dict[str, str]]) -> Iterator[str]:
    run = ReportRun(
        started_utc=state.plan.started_utc,
        account_id=state.plan.plan.account_id,
        is_simulated=False,
    )
    after = state.closed.after if state.closed else None
    expected = post_trade_rows(run, run_outcomes(state), after)
    found = [tuple(row[name] for name in POST_COLUMNS) for row in rows]
    if found != list(expected):
        changed = next((pair for pair in zip(found, expected) if pair[0] != pair[1]), None)  # noqa: B905
        yield f"{state.run_id}: the report and its journal differ: {changed}"


def _row_as_executed(
    facts: Facts, state: RunState, line: PlanLine, row: dict[str, str]
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
    known = {one.exec_id: one.commission for one in executions}
    for fill in line.fills:
        if fill.commission_usd not in {None, known.get(fill.exec_id)}:
            yield f"{where}: commission {fill.commission_usd}, charged {known.get(fill.exec_id)}"


def status_is_evidence(facts: Facts) -> Iterator[str]:
    """I11: an order that can still fill has no final status."""
    if not facts.script.is_believable:
        return
    live = {one.order.order_ref: one for one in facts.world.exchange._floor.book.orders}
    for state in facts.runs.values():
        if state.closed is None or state.accepted is not None:
            continue
        for line in state.lines:
            for attempt in line.attempts:
                order = live.get(attempt.request.order_ref)
                is_over = line_status(line) is not TicketStatus.UNRESOLVED
                if is_over and order is not None and not order.is_done:
                    yield f"{attempt.request.order_ref} still works, reported {line_status(line)}"


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


# --- how it ended -------------------------------------------------------------------------------


def exit_codes(facts: Facts) -> Iterator[str]:
    """I14 and the table of exit codes."""
    for ending in facts.endings:
        if ending.code is None:
            continue
        where = f"start {ending.number} ({ending.invocation.task.value}): exit code {ending.code}"
        if ending.bug is not None or ending.code == ExitCode.BUG:
            yield f"{where}: {ending.bug!r}"
        elif ending.invocation.task is Task.CONFIRM:
            yield from (f"{where}: {text}" for text in _confirm_code(facts, ending))
        elif ending.code not in (0, 2, 3, 5, 130):
            yield f"{where}: not one of reading"


def _confirm_code(facts: Facts, ending: Ending) -> Iterator[str]:
    sent = facts.sent_by(ending)
    state = facts.runs.get(ending.run_id)
    if not sent:
        if ending.code == ExitCode.UNFILLED and not (state and state.has_orders):
            yield "nothing was sent"
        return
    if ending.code not in (0, 4, 130):
        yield "orders were sent"
    if len(ending.invocation.interrupts) > 1 or state is None:
        return
    is_doubtful = ending.run_id in ending.still_open
    if is_doubtful and ending.code != ExitCode.UNFILLED:
        yield "the run is unresolved"
    if ending.code == 0:
        yield from _all_filled(facts, state)


def _all_filled(facts: Facts, state: RunState) -> Iterator[str]:
    for line in state.lines:
        if line_status(line) is not TicketStatus.FILLED:
            yield f"{line.ticket.symbol} is {line_status(line).value}"
        done = sum(
            (one.shares for one in facts.line_executions(state.run_id, line.line)), Decimal(0)
        )
        if facts.script.is_believable and done != line.limit_shares:
            yield f"{line.ticket.symbol}: {done} of {line.limit_shares} executed"
    if state.closed is None or state.report is None:
        yield "books or report are missing"


def ends_in_time(facts: Facts) -> Iterator[str]:
    """I15: every wait has an end."""
    execution, pricing = facts.script.settings.execution, facts.script.settings.pricing
    reading = 8 * (float(pricing.price_timeout_sec) + 60)
    batches = 2 if execution.batch_orders else 2 * len(facts.script.portfolios.symbols) + 2
    orders = batches * 2 * (float(execution.order_timeout_sec) + 200) + 300
    for ending in facts.endings:
        limit = reading + orders + 4 * ending.invocation.answer_sec
        if ending.code == -1 or ending.spent_sec > limit:
            yield f"start {ending.number} took {ending.spent_sec:.0f} s, {limit:.0f} s at most"


def everything_settles(facts: Facts) -> Iterator[str]:
    """After a recovery with acceptance no run is open; an accepted one was unresolved."""
    if facts.script.invocations[-1].task is Task.ACCEPT and facts.world.open_runs():
        yield f"still open: {[one.run_id for one in facts.world.open_runs()]}"
    for state in facts.runs.values():
        is_left = state.run_id not in {one.run_id for one in facts.world.open_runs()}
        if is_left and state.accepted is None and unresolved_lines(state):
            yield f"{state.run_id}: no longer open although unresolved"


def words_are_safe(facts: Facts) -> Iterator[str]:
    """I18: no control character reaches the screen, and no full account id."""
    account = facts.script.settings.ibkr.account_id
    for ending in facts.endings:
        for text in (ending.out, ending.err):
            odd = {one for one in text if one != "\n" and not one.isprintable()}
            if odd:
                yield f"start {ending.number} printed {sorted(odd)!r}"
            if account in text:
                yield f"start {ending.number} printed the account id"
        if "Traceback" in ending.err or ending.code not in (0, None) and not ending.err + ending.out:
            yield f"start {ending.number} ended without a word"


def nothing_left_behind(facts: Facts) -> Iterator[str]:
    """No callback failed unseen."""
    yield from facts.world.complaints


def calm_means_done(facts: Facts) -> Iterator[str]:
    """Without faults a run fills its plan, and planning again gives no trade."""
    if not facts.script.is_calm:
        return
    first, second = facts.endings
    if facts.sent_by(first) and first.code != 0:
        yield f"a healthy run ended with {first.code}"
    if facts.sent_by(first) and "Nothing to trade." not in second.out:
        yield f"the second plan is not empty: {second.out}"


LAWS: Final[tuple[Law, ...]] = (
    approved_only,
    sent_once,
    within_the_plan,
    own_account,
    reads_only,
    on_record_first,
    never_short,
    cash_floor,
    reports_tell_the_truth,
    status_is_evidence,
    figures_are_finite,
    exit_codes,
    ends_in_time,
    everything_settles,
    words_are_safe,
    nothing_left_behind,
    calm_means_done,
)


def violations(facts: Facts) -> list[str]:
    """Everything that is wrong, with the law's name."""
    return [f"{law.__name__}: {text}" for law in LAWS for text in law(facts)]
