"""Laws about how a start of the program ends: code, time, words, and what is left."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from src.base.errors import ExitCode
from src.core.records.orders import TicketStatus
from src.core.run.outcome import recorded_status, unresolved_tickets
from src.core.run.state import RunState
from tests.simulation.endings import Ending
from tests.simulation.facts import Facts
from tests.simulation.script import Task


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
    for line in state.tickets:
        if recorded_status(line) is not TicketStatus.FILLED:
            yield f"{line.ticket.symbol} is {recorded_status(line).value}"
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
    """A recovery with acceptance leaves open what it saw at work alone, and says so."""
    last = facts.script.invocations[-1].task
    was_lost = facts.endings[-1].code == ExitCode.LOST
    if last is Task.ACCEPT and not was_lost:
        said = facts.endings[-1].out
        for run in facts.world.open_runs():
            if f"Run {run.run_id} is not accepted" not in said:
                yield f"still open: {run.run_id}"
    for state in facts.runs.values():
        is_left = state.run_id not in {one.run_id for one in facts.world.open_runs()}
        if is_left and state.accepted is None and unresolved_tickets(state):
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
        if "Traceback" in ending.err or (
            ending.code not in (0, None) and not ending.err + ending.out
        ):
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
    waits = any(state.plan.plan.waiting is not None for state in facts.runs.values())
    if facts.sent_by(first) and not waits and "Nothing to trade." not in second.out:
        yield f"the second plan is not empty: {second.out}"
