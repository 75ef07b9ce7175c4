"""What the broker's lists prove about an order that seems to be over, lost or in doubt.

The lists are asked for after the doubt arose: open orders of all clients, completed orders, and
executions last. An order listed as open is alive whatever was said before; a refusal or cancel is
believed once nothing contradicts it; an order found nowhere is looked for again, then Unresolved.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from src.core.codes import READ_ONLY_CODE
from src.core.journal import Acknowledged
from src.core.order_end import revive, send_cancel, wish_end
from src.core.order_fills import take_fill
from src.core.order_moves import alarm, finish, inconclusive, move, status_by_fills
from src.core.order_state import (
    BrokerAnswered,
    Claim,
    OrderCommand,
    OrderState,
    Phase,
    Step,
    WriteJournal,
)
from src.core.records import (
    CANCELLED_WORDS,
    DEAD_WORDS,
    FILLED_WORD,
    INACTIVE_WORD,
    CompletedOrder,
    TicketStatus,
    WorkingOrder,
    without_reason,
)


def judge(state: OrderState, answer: BrokerAnswered, at_utc: datetime) -> Step:
    """Book the executions listed, then decide an order in phase CLOSING from where it is listed."""
    commands: list[OrderCommand] = []
    for fill in answer.fills:
        if fill.order_ref == state.request.order_ref:
            state, more = take_fill(state, fill, at_utc)
            commands += more
    if _is_back(state, answer):
        # It was over, or given up, and is listed as working: it has another life.
        state, more = revive(state, at_utc)
        state, commands = replace(state, claim=Claim.DOUBTFUL), [*commands, *more]
    if state.phase is not Phase.CLOSING:
        return state, tuple(commands)
    state, verdict = _decide(state, answer, at_utc)
    return state, (*commands, *verdict)


def acknowledge(state: OrderState, perm_id: int, status: str, at_utc: datetime) -> Step:
    """Note the broker's number and word for the order when either is new."""
    known = state.broker_status == status and perm_id in (0, state.perm_id)
    if known:
        return state, ()
    named = replace(state, broker_status=status, perm_id=perm_id or state.perm_id)
    event = Acknowledged(
        run_id=state.run_id,
        at_utc=at_utc,
        order_ref=state.request.order_ref,
        perm_id=named.perm_id,
        status=status,
    )
    return named, (WriteJournal(event=event),)


def echo_fault(state: OrderState, order: WorkingOrder) -> str:
    """Why an open order the broker shows cannot be the one we sent; empty when it can."""
    request = state.request
    if order.order_ref != request.order_ref:
        return f"order {request.order_ref} came back with the reference {order.order_ref!r}"
    if order.account_id != request.account_id:
        return f"order {request.order_ref} is shown in another account"
    if order.con_id != request.con_id or order.side != request.side.value:
        return f"order {request.order_ref} is shown as {order.side} {order.symbol}"
    if order.qty_shares > request.qty_shares:
        return f"order {request.order_ref} is shown with {order.qty_shares} shares"
    return ""


def _decide(state: OrderState, answer: BrokerAnswered, at_utc: datetime) -> Step:
    open_order = _find_open(state, answer.working or ())
    if open_order is not None:
        return _decide_listed(state, open_order, at_utc)
    ended = _find_ended(state, answer.completed or ())
    if ended is not None:
        return _close(_with_end(state, ended), "listed as completed", at_utc)
    if answer.working is None and state.error_code != READ_ONLY_CODE:
        return inconclusive(state, "the gateway does not list orders", at_utc)
    if state.claim.is_broker_word:
        return _close(state, f"{state.claim.value}; not among the open orders", at_utc)
    if state.claim is Claim.INACTIVE and state.rounds + 1 >= state.patience.rounds:
        refused = replace(state, error=state.error or without_reason(INACTIVE_WORD))
        return _close(refused, "inactive; not among the open orders", at_utc)
    return inconclusive(
        state, "no trace among open orders, completed orders and executions", at_utc
    )


def _decide_listed(state: OrderState, order: WorkingOrder, at_utc: datetime) -> Step:
    fault = echo_fault(state, order)
    if fault:
        return alarm(state, fault, at_utc)
    state, commands = acknowledge(state, order.perm_id, order.status, at_utc)
    state, verdict = _decide_by_word(state, order.status, at_utc)
    return state, (*commands, *verdict)


def _decide_by_word(state: OrderState, word: str, at_utc: datetime) -> Step:
    if word in CANCELLED_WORDS or word == FILLED_WORD:
        claim = Claim.FILLED if word == FILLED_WORD else Claim.CANCELLED
        ended = state if state.claim.is_broker_word else replace(state, claim=claim)
        return _close(ended, f"listed as {word}", at_utc)
    if word == INACTIVE_WORD and state.claim is Claim.REJECTED and not state.is_cancel_asked:
        # A refused order that stays parked could revive: ask for its end before believing it.
        state, wished = wish_end(state, f"refused ({state.error}) but still listed")
        state, cancelling = send_cancel(state, at_utc)
        return state, (*wished, *cancelling)
    is_last_look = state.rounds + 1 >= state.patience.rounds
    if state.claim is Claim.OVERDUE or (state.claim.is_broker_word and state.is_cancel_asked):
        return inconclusive(state, f"cancel requested, still listed as {word}", at_utc)
    if state.claim.is_broker_word and not is_last_look:
        return inconclusive(state, f"{state.claim.value}, yet listed as {word}", at_utc)
    alive = replace(state, claim=Claim.NONE, rounds=0, closing_filled=None, error_code=0, error="")
    if state.error:
        alive = replace(alive, notices=(*alive.notices, state.error))
    return move(alive, Phase.WORKING), ()


def _close(state: OrderState, evidence: str, at_utc: datetime) -> Step:
    """End the order unless executions are missing that the broker's own total promises."""
    filled = state.filled_shares
    if state.claim is Claim.FILLED and filled != state.request.qty_shares:
        return inconclusive(
            state, f"reported filled, executions sum to {filled} shares only", at_utc
        )
    if state.closing_filled is not None and filled < state.closing_filled:
        promised = state.closing_filled
        return inconclusive(
            state, f"{promised} shares reported filled, executions sum to {filled}", at_utc
        )
    return finish(state, status_by_fills(state), evidence, at_utc)


def _with_end(state: OrderState, ended: CompletedOrder) -> OrderState:
    claim, refusal = state.claim, ended.refusal
    if claim is Claim.INACTIVE and ended.status != FILLED_WORD and not state.is_cancel_asked:
        # Refused orders are listed as cancelled, often without a word why.
        claim, refusal = Claim.REJECTED, refusal or without_reason(INACTIVE_WORD)
    if not claim.is_broker_word:
        claim = Claim.CANCELLED
        if ended.status == FILLED_WORD:
            claim = Claim.FILLED
        elif refusal:
            claim = Claim.REJECTED
    totals = [ended.filled_shares]
    if state.closing_filled is not None:
        totals.append(state.closing_filled)
    return replace(
        state,
        claim=claim,
        closing_filled=max(totals),
        broker_status=ended.status or state.broker_status,
        error=state.error or refusal,
    )


def _is_back(state: OrderState, answer: BrokerAnswered) -> bool:
    """True when an order in phase DONE that is not filled is listed as working."""
    is_over = state.phase is Phase.DONE and state.status is not TicketStatus.FILLED
    listed = _find_open(state, answer.working or ()) if is_over else None
    return listed is not None and listed.status not in DEAD_WORDS


def _find_open(state: OrderState, orders: tuple[WorkingOrder, ...]) -> WorkingOrder | None:
    ref, perm_id = state.request.order_ref, state.perm_id
    for order in orders:
        if order.order_ref == ref or (perm_id and order.perm_id == perm_id):
            return order
    return None


def _find_ended(state: OrderState, orders: tuple[CompletedOrder, ...]) -> CompletedOrder | None:
    ref, perm_id = state.request.order_ref, state.perm_id
    for order in orders:
        if order.order_ref == ref or (perm_id and order.perm_id == perm_id):
            return order
    return None
