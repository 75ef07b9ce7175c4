"""Executions of one order: duplicates, corrections, commissions, and what they prove.

An execution is known by its id without the last part: ``0001.01`` corrected by ``0001.02`` is one
execution, and the higher version holds, whichever arrives first. The quantity filled is the sum
of the newest versions; nothing else fills an order.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from src.core.journal.events import Acknowledged, CommissionRecorded, FillRecorded
from src.core.orders.events import CommissionSeen
from src.core.orders.executions import (
    execution_key,
    execution_version,
    with_commission,
    with_known_commission,
)
from src.core.orders.moves import alarm, ask, finish, move, status_by_fills
from src.core.orders.state import Claim, OrderState, Phase, QueryBroker, Step, WriteJournal
from src.core.records.orders import Fill, TicketStatus


def take_fill(state: OrderState, fill: Fill, at_utc: datetime) -> Step:
    """Book one execution report and draw the conclusions."""
    contradiction = _contradiction(state, fill)
    if contradiction:
        return alarm(state, contradiction, at_utc)
    known = find_execution(state, fill.exec_id)
    if known is not None:
        seen, new = execution_version(known.exec_id), execution_version(fill.exec_id)
        if new == seen and fill.is_charged:
            return take_commission(state, fill.exec_id, fill, at_utc)
        if new <= seen:
            return state, ()
    booked, writes = _book(state, known, fill, at_utc)
    settled, commands = settle_fills(booked, at_utc)
    return settled, (*writes, *commands)


def take_commission(
    state: OrderState, exec_id: str, said: Fill | CommissionSeen, at_utc: datetime
) -> Step:
    """Attach a commission to its execution; one without amount, or known already, changes nothing.

    A commission that arrives before its execution is kept by the caller and offered again.
    """
    known = find_execution(state, exec_id)
    if known is None or (priced := with_commission(known, said)) == known:
        return state, ()
    event = CommissionRecorded(
        run_id=state.run_id,
        at_utc=at_utc,
        exec_id=known.exec_id,
        commission_usd=priced.commission_usd,
        foreign_commission=priced.foreign_commission,
    )
    return _swap(state, known, priced), (WriteJournal(event=event),)


def find_execution(state: OrderState, exec_id: str) -> Fill | None:
    """The booked execution that this id names or corrects."""
    key = execution_key(exec_id)
    return next((fill for fill in state.fills if execution_key(fill.exec_id) == key), None)


def settle_fills(state: OrderState, at_utc: datetime) -> Step:
    """What a changed set of executions proves."""
    filled, wanted = state.filled_shares, state.request.qty_shares
    if filled > wanted:
        text = f"over-fill: {filled} shares executed, {wanted} ordered ({state.request.order_ref})"
        return alarm(state, text, at_utc)
    if filled == wanted:
        return finish(state, TicketStatus.FILLED, "executions sum to the quantity", at_utc)
    if state.phase is not Phase.DONE:
        return state, ()
    if state.is_given_up and state.status is TicketStatus.FILLED:
        return finish(state, TicketStatus.UNRESOLVED, "an execution was taken back", at_utc)
    if state.status in (TicketStatus.FILLED, TicketStatus.UNRESOLVED):
        return ask(state, state.claim if state.claim.is_broker_word else Claim.DOUBTFUL)
    late, commands = finish(state, status_by_fills(state), "executions after the end", at_utc)
    # What is executed may still work, so the lists are looked at once more.
    return late, (*commands, QueryBroker())


def _book(state: OrderState, known: Fill | None, fill: Fill, at_utc: datetime) -> Step:
    if known is not None:
        fill = with_known_commission(fill, known)
    booked = _swap(state, known, fill)
    writes = [WriteJournal(event=FillRecorded(run_id=state.run_id, at_utc=at_utc, fill=fill))]
    if booked.perm_id == 0 and fill.perm_id:
        booked = replace(booked, perm_id=fill.perm_id)
        acknowledged = Acknowledged(
            run_id=state.run_id,
            at_utc=at_utc,
            order_ref=state.request.order_ref,
            perm_id=fill.perm_id,
            status=state.broker_status,
        )
        writes.insert(0, WriteJournal(event=acknowledged))
    if booked.phase is Phase.SENDING:
        booked = move(booked, Phase.WORKING)
    return booked, tuple(writes)


def _swap(state: OrderState, old: Fill | None, new: Fill) -> OrderState:
    if old is None:
        return replace(state, fills=(*state.fills, new))
    return replace(state, fills=tuple(new if fill is old else fill for fill in state.fills))


def _contradiction(state: OrderState, fill: Fill) -> str:
    request = state.request
    pairs = (
        ("side", fill.side.value, request.side.value),
        ("contract", str(fill.con_id), str(request.con_id)),
    )
    if fill.account_id != request.account_id:
        return f"execution {fill.exec_id} was booked to another account than ordered"
    for name, seen, wanted in pairs:
        if seen != wanted:
            return f"execution {fill.exec_id} has {name} {seen}, ordered was {wanted}"
    if fill.qty_shares < 0:
        return f"execution {fill.exec_id} has the quantity {fill.qty_shares}"
    return ""
