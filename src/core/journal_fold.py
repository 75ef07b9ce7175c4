"""One run's journal events → what is known: its plan lines, their orders, what is still open.

``fold`` accepts every prefix of what a run writes, so that a run cut short anywhere can be read.
Events that no run could have written in that order raise ``JournalError``: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from src.core.executions import execution_key, newest_fills, with_commission
from src.core.journal import (
    Acknowledged,
    Approved,
    CancelRequested,
    CommissionRecorded,
    Declined,
    FillRecorded,
    IntentRecorded,
    JournalEvent,
    NotSent,
    OrderEnded,
    OrderNoticed,
    PlanRecorded,
    ReportWritten,
    RunAccepted,
    RunClosed,
    Sent,
    TicketEnded,
    TicketRefitted,
)
from src.core.order_ref import OrderRef, parse_order_ref
from src.core.records import Fill
from src.core.run_state import Attempt, PlanLine, RunState, find_attempt
from src.errors import JournalError

_OrderEvent = Sent | NotSent | Acknowledged | OrderNoticed | CancelRequested | OrderEnded
_LineEvent = TicketRefitted | TicketEnded


def fold(events: Iterable[JournalEvent]) -> RunState:
    """What the events of one run, in the order they were written, amount to.

    Raises: JournalError when there are none, or no run could have written them.
    """
    state: RunState | None = None
    for event in events:
        if isinstance(event, PlanRecorded):
            state = _take_plan(state, event)
        elif state is None or event.run_id != state.run_id:
            raise JournalError(f"run {event.run_id}: {type(event).__name__} without its plan")
        else:
            state = _take(state, event)
    if state is None:
        raise JournalError("a run without any event")
    return state


def fold_on(state: RunState, events: Iterable[JournalEvent]) -> RunState:
    """The state after further events of the same run.

    Raises: JournalError as ``fold``.
    """
    for event in events:
        state = _take(state, event)
    return state


def _take_plan(state: RunState | None, event: PlanRecorded) -> RunState:
    if state is not None and (state.run_id != event.run_id or state.attempts):
        raise JournalError(f"run {event.run_id}: a plan was recorded after the first order")
    tickets = enumerate(event.plan.tickets, start=1)
    lines = (PlanLine(line=line, ticket=one, limit_shares=one.qty_shares) for line, one in tickets)
    return RunState(run_id=event.run_id, plan=event, lines=tuple(lines))


def _take(state: RunState, event: JournalEvent) -> RunState:
    if isinstance(event, _OrderEvent):
        return _take_order_event(state, event)
    if isinstance(event, _LineEvent):
        return _take_line_event(state, event)
    if isinstance(event, IntentRecorded):
        return _take_intent(state, event)
    if isinstance(event, FillRecorded):
        return replace(_take_fill(state, event.fill), recorded_utc=event.at_utc)
    if isinstance(event, CommissionRecorded):
        return _take_commission(state, event)
    return _take_run_event(state, event)


def _take_run_event(state: RunState, event: JournalEvent) -> RunState:
    if isinstance(event, Approved):
        if event.plan_hash != state.plan.plan.plan_hash:
            raise JournalError(f"run {state.run_id}: another plan was approved than recorded")
        return replace(state, approved=event)
    if isinstance(event, Declined):
        return replace(state, declined=event)
    if isinstance(event, RunClosed):
        return replace(state, closed=event)
    if isinstance(event, RunAccepted):
        return replace(state, accepted=event)
    if isinstance(event, ReportWritten):
        return replace(state, report=event)
    raise JournalError(f"run {state.run_id}: {type(event).__name__} is not understood")


def _take_intent(state: RunState, event: IntentRecorded) -> RunState:
    ref = event.request.order_ref
    wanted = OrderRef(
        prefix=state.plan.order_prefix, run_id=state.run_id, line=event.line, attempt=event.attempt
    )
    if state.approved is None:
        raise JournalError(f"run {state.run_id}: order {ref} was announced without approval")
    if parse_order_ref(ref) != wanted or find_attempt(state, ref) is not None:
        raise JournalError(f"run {state.run_id}: order {ref} was announced twice or misnamed")
    attempt = Attempt(line=event.line, number=event.attempt, request=event.request)
    line = _line(state, event.line)
    return _with_line(state, replace(line, attempts=(*line.attempts, attempt)))


def _take_order_event(state: RunState, event: _OrderEvent) -> RunState:
    attempt = find_attempt(state, event.order_ref)
    if attempt is None:
        name = type(event).__name__
        raise JournalError(f"run {state.run_id}: {name} for the unknown order {event.order_ref}")
    return _with_attempt(state, _attempt_after(attempt, event))


def _attempt_after(attempt: Attempt, event: _OrderEvent) -> Attempt:
    if isinstance(event, Sent):
        return attempt  # It may have reached the broker ever since it was announced.
    if isinstance(event, NotSent):
        return replace(attempt, not_sent=event)
    if isinstance(event, Acknowledged):
        return replace(attempt, perm_id=event.perm_id or attempt.perm_id)
    if isinstance(event, OrderNoticed):
        return replace(attempt, notices=(*attempt.notices, event))
    if isinstance(event, CancelRequested):
        return replace(attempt, cancel_reason=event.reason or "cancel requested")
    return replace(attempt, ended=event)


def _take_line_event(state: RunState, event: _LineEvent) -> RunState:
    line = _line(state, event.line)
    if isinstance(event, TicketEnded):
        return _with_line(state, replace(line, ended=event))
    if line.attempts or not 0 <= event.qty_shares <= line.ticket.qty_shares:
        raise JournalError(f"run {state.run_id}: line {event.line} cannot have been refitted so")
    return _with_line(
        state, replace(line, limit_shares=event.qty_shares, refit_reason=event.reason)
    )


def _take_fill(state: RunState, fill: Fill) -> RunState:
    attempt = find_attempt(state, fill.order_ref, fill.perm_id)
    if attempt is None:
        return replace(state, strangers=newest_fills((*state.strangers, fill)))
    perm_id = attempt.perm_id or fill.perm_id
    fills = newest_fills((*attempt.fills, fill))
    return _with_attempt(state, replace(attempt, fills=fills, perm_id=perm_id))


def _take_commission(state: RunState, event: CommissionRecorded) -> RunState:
    key = execution_key(event.exec_id)
    for attempt in state.attempts:
        if any(execution_key(fill.exec_id) == key for fill in attempt.fills):
            fills = tuple(
                with_commission(fill, event) if execution_key(fill.exec_id) == key else fill
                for fill in attempt.fills
            )
            return _with_attempt(state, replace(attempt, fills=fills))
    return state


def _line(state: RunState, number: int) -> PlanLine:
    if not 1 <= number <= len(state.lines):
        raise JournalError(f"run {state.run_id}: the plan has no line {number}")
    return state.lines[number - 1]


def _with_line(state: RunState, line: PlanLine) -> RunState:
    before, after = state.lines[: line.line - 1], state.lines[line.line :]
    return replace(state, lines=(*before, line, *after))


def _with_attempt(state: RunState, attempt: Attempt) -> RunState:
    line = _line(state, attempt.line)
    attempts = tuple(attempt if one.number == attempt.number else one for one in line.attempts)
    return _with_line(state, replace(line, attempts=attempts))
