"""What the broker's lists prove about an order that seems to be over, lost or in doubt.

The lists are asked for after the doubt arose: open orders of all clients, completed orders, and
executions last. An order listed as open is alive whatever was said before; a refusal or cancel is
believed once nothing contradicts it; an order found nowhere is looked for again, then Unresolved.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from src.core.journal.events import Acknowledged, SeenIn
from src.core.orders.codes import ORDER_UNKNOWN, READ_ONLY_CODE
from src.core.orders.endings import revive, send_cancel, wish_end
from src.core.orders.fills import take_fill
from src.core.orders.moves import alarm, finish, inconclusive, move, status_by_fills
from src.core.orders.state import (
    BrokerAnswered,
    Claim,
    OrderCommand,
    OrderState,
    Phase,
    Step,
    WriteJournal,
)
from src.core.records.orders import (
    DEAD_WORDS,
    FILLED_WORD,
    INACTIVE_WORD,
    OVER_WORDS,
    CompletedOrder,
    TicketStatus,
    WorkingOrder,
    with_words,
    without_reason,
)

_LIVING_WORDS: Final = frozenset({"PreSubmitted", "Submitted"})
_MERE_DOUBTS: Final = (Claim.NONE, Claim.SILENT, Claim.DOUBTFUL)

_NO_TRACE: Final = "no trace among open orders, completed orders and executions"
_NEVER_HEARD_OF: Final = (
    f"the gateway never acknowledged it: {_NO_TRACE}; a window in TWS or IB Gateway may wait for a "
    "click"
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
        was_proven = state.status is not TicketStatus.UNRESOLVED
        state, more = revive(state, at_utc)
        state, commands = replace(state, claim=Claim.DOUBTFUL), [*commands, *more]
        if was_proven:
            commands.append(_listed_alive(state, at_utc))
    if state.phase is not Phase.CLOSING:
        return state, tuple(commands)
    state, verdict = _decide(state, answer, at_utc)
    return state, (*commands, *verdict)


def named(state: OrderState, perm_id: int, word: str) -> OrderState:
    """The state with the broker's latest word for the order, and its lasting number."""
    return replace(state, broker_status=word, perm_id=perm_id or state.perm_id)


def acknowledged(state: OrderState, at_utc: datetime) -> Acknowledged:
    """The record of what the broker last said about the order."""
    return Acknowledged(
        run_id=state.run_id,
        at_utc=at_utc,
        order_ref=state.request.order_ref,
        perm_id=state.perm_id,
        status=state.broker_status,
    )


def unrefused(state: OrderState, word: str) -> OrderState:
    """The state once a refused order reports that it works: the refusal proves nothing any more."""
    is_news = word in _LIVING_WORDS and word != state.broker_status
    if state.claim is not Claim.REJECTED or not is_news:
        return state
    return replace(_without_error(state), claim=Claim.DOUBTFUL)


def alive(state: OrderState) -> OrderState:
    """The order is listed at work: whatever was said of its end is void."""
    state = replace(_without_error(state), claim=Claim.NONE, rounds=0, closing_filled=None)
    return move(state, Phase.WORKING)


def _without_error(state: OrderState) -> OrderState:
    notices = (*state.notices, state.error) if state.error else state.notices
    return replace(state, error_code=0, error="", notices=notices)


def with_total(state: OrderState, word: str, filled: Decimal | None) -> OrderState:
    """The state with the total that the broker names for an order that is over."""
    if filled is None or word == INACTIVE_WORD:
        return state
    return replace(state, closing_filled=max(filled, state.closing_filled or Decimal(0)))


def listed_over(state: OrderState, word: str) -> OrderState:
    """The state of an order that stands among the open ones with the word of an end."""
    if state.claim.is_broker_word or word not in OVER_WORDS:
        return state
    return replace(state, claim=Claim.FILLED if word == FILLED_WORD else Claim.CANCELLED)


def completed(
    state: OrderState, perm_id: int, word: str, filled: Decimal, refusal: str
) -> OrderState:
    """The state of an order that is listed as completed, with the broker's total."""
    claim = state.claim
    if not claim.is_broker_word:
        claim = Claim.CANCELLED
        if state.broker_status == INACTIVE_WORD and not state.cancel_reason:
            # Refused orders are listed as cancelled, often without a word why.
            refusal = refusal or without_reason(INACTIVE_WORD)
        if word == FILLED_WORD:
            claim, refusal = Claim.FILLED, ""
        elif refusal:
            claim = Claim.REJECTED
    return replace(
        named(state, perm_id, word or state.broker_status),
        claim=claim,
        closing_filled=max(filled, state.closing_filled or Decimal(0)),
        error=state.error or refusal,
    )


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
        return _decide_completed(state, ended, at_utc)
    if answer.working is None and state.error_code != READ_ONLY_CODE:
        return inconclusive(state, "the gateway does not list orders", at_utc)
    if state.claim.is_broker_word and (answer.reaches_back or not _may_lack_fills(state)):
        return _close(state, f"{state.claim.value}; not among the open orders", at_utc)
    if state.claim is Claim.INACTIVE and state.rounds + 1 >= state.patience.rounds:
        refused = replace(state, error=state.error or without_reason(INACTIVE_WORD))
        return _close(refused, "inactive; not among the open orders", at_utc)
    unheard_of = with_words(_NEVER_HEARD_OF, answer.said)
    return inconclusive(state, _NO_TRACE if _was_heard_of(state) else unheard_of, at_utc)


def _was_heard_of(state: OrderState) -> bool:
    """True when the broker has said anything about the order but that it does not know it."""
    has_error = state.error_code and state.error_code not in ORDER_UNKNOWN
    return bool(state.broker_status or state.perm_id or has_error or state.notices)


def _decide_listed(state: OrderState, order: WorkingOrder, at_utc: datetime) -> Step:
    fault = echo_fault(state, order)
    if fault:
        return alarm(state, fault, at_utc)
    shown = named(state, order.perm_id, order.status)
    commands: tuple[OrderCommand, ...] = ()
    if shown != state:
        seen = replace(acknowledged(shown, at_utc), seen_in=SeenIn.OPEN_ORDERS)
        commands = (WriteJournal(event=seen),)
    state, verdict = _decide_by_word(shown, order.status, at_utc)
    return state, (*commands, *verdict)


def _decide_completed(state: OrderState, order: CompletedOrder, at_utc: datetime) -> Step:
    """What the list proves, on record where it is news: by the next start it may be lost."""
    shown = completed(state, order.perm_id, order.status, order.filled_shares, order.refusal)
    commands: tuple[OrderCommand, ...] = ()
    if shown != state:
        seen = replace(
            acknowledged(shown, at_utc),
            filled_shares=order.filled_shares,
            seen_in=SeenIn.COMPLETED_ORDERS,
            text=order.refusal,
        )
        commands = (WriteJournal(event=seen),)
    state, verdict = _close(shown, "listed as completed", at_utc)
    return state, (*commands, *verdict)


def _may_lack_fills(state: OrderState) -> bool:
    """True when an order may have been executed in part and the broker named no total."""
    return state.claim is not Claim.REJECTED and state.closing_filled is None


def _listed_alive(state: OrderState, at_utc: datetime) -> WriteJournal:
    seen = replace(acknowledged(state, at_utc), seen_in=SeenIn.OPEN_ORDERS, is_alive=True)
    return WriteJournal(event=seen)


def _decide_by_word(state: OrderState, word: str, at_utc: datetime) -> Step:
    if word in OVER_WORDS:
        return _close(listed_over(state, word), f"listed as {word}", at_utc)
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
    is_void = state.claim not in _MERE_DOUBTS or state.error or state.closing_filled is not None
    return alive(state), ((_listed_alive(state, at_utc),) if is_void else ())


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
        is_ours = order.order_ref == ref or (perm_id and order.perm_id == perm_id)
        if is_ours and order.con_id == state.request.con_id:
            return order
    return None
