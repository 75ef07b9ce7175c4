"""One run's journal events → what is known: its plan lines, their orders, what is still open.

``fold`` accepts every prefix of what a run writes, so that a run cut short anywhere can be read.
Events that no run could have written in that order raise ``JournalError``: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from src.base.errors import JournalError
from src.core.journal.events import (
    Approved,
    CommissionRecorded,
    Declined,
    FillRecorded,
    IntentRecorded,
    JournalEvent,
    PlanRecorded,
    ReportWritten,
    RunAccepted,
    RunClosed,
    TicketEnded,
    TicketRefitted,
)
from src.core.orders.executions import execution_key, newest_fills
from src.core.orders.ref import OrderRef, parse_order_ref
from src.core.orders.state import OrderState
from src.core.orders.tickets import TicketState, with_order
from src.core.run.order_memory import OrderRecord, announced, close_ticket, remember
from src.core.run.state import RunState, find_order


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
    if state is not None and (state.run_id != event.run_id or state.orders):
        raise JournalError(f"run {event.run_id}: a plan was recorded after the first order")
    tickets = (
        TicketState(line=line, ticket=one, limit_shares=one.qty_shares)
        for line, one in enumerate(event.plan.tickets, start=1)
    )
    return RunState(run_id=event.run_id, plan=event, tickets=tuple(tickets))


def _take(state: RunState, event: JournalEvent) -> RunState:
    if isinstance(event, TicketEnded):
        return _with_ticket(state, close_ticket(_ticket(state, event.line), event))
    if isinstance(event, TicketRefitted):
        return _take_refit(state, event)
    if isinstance(event, IntentRecorded):
        return _take_intent(state, event)
    if isinstance(event, OrderRecord):
        return _take_order_record(state, event)
    return _take_run_event(state, event)


def _take_order_record(state: RunState, event: OrderRecord) -> RunState:
    if isinstance(event, FillRecorded):
        return replace(_take_fill(state, event), recorded_utc=event.at_utc)
    if isinstance(event, CommissionRecorded):
        return _take_commission(state, event)
    order = find_order(state, event.order_ref)
    if order is None:
        what = f"{type(event).__name__} for the unknown order {event.order_ref}"
        raise JournalError(f"run {state.run_id}: {what}")
    return _with_order(state, remember(order, event))


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
    if parse_order_ref(ref) != wanted or find_order(state, ref) is not None:
        raise JournalError(f"run {state.run_id}: order {ref} was announced twice or misnamed")
    return _with_order(state, announced(event, state.plan.client_id))


def _take_refit(state: RunState, event: TicketRefitted) -> RunState:
    ticket = _ticket(state, event.line)
    if ticket.orders or not 0 <= event.qty_shares <= ticket.ticket.qty_shares:
        raise JournalError(f"run {state.run_id}: line {event.line} cannot have been refitted so")
    reason = "" if event.qty_shares else event.reason
    return _with_ticket(state, replace(ticket, limit_shares=event.qty_shares, skip_reason=reason))


def _take_fill(state: RunState, event: FillRecorded) -> RunState:
    order = find_order(state, event.fill.order_ref, event.fill.perm_id)
    if order is None:
        return replace(state, strangers=newest_fills((*state.strangers, event.fill)))
    return _with_order(state, remember(order, event))


def _take_commission(state: RunState, event: CommissionRecorded) -> RunState:
    key = execution_key(event.exec_id)
    for order in state.orders:
        if any(execution_key(fill.exec_id) == key for fill in order.fills):
            return _with_order(state, remember(order, event))
    return state


def _ticket(state: RunState, line: int) -> TicketState:
    if not 1 <= line <= len(state.tickets):
        raise JournalError(f"run {state.run_id}: the plan has no line {line}")
    return state.tickets[line - 1]


def _with_ticket(state: RunState, ticket: TicketState) -> RunState:
    before, after = state.tickets[: ticket.line - 1], state.tickets[ticket.line :]
    return replace(state, tickets=(*before, ticket, *after))


def _with_order(state: RunState, order: OrderState) -> RunState:
    return _with_ticket(state, with_order(_ticket(state, order.line), order))
