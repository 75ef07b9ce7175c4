"""How an order is brought to its end, and what happens when one that was over shows life.

The wish to end an order (its time limit, Ctrl+C, a refusal that is still listed) is part of its
state: once wished, an order is asked to end as soon as it may work, and again whenever it shows
life after it was believed dead. Nobody waits for ever: some minutes after the wish the order is
Unresolved, whatever the broker says, and from then on it is asked to end but no longer waited for.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from src.core.journal.events import CancelRequested
from src.core.orders.moves import ask, finish
from src.core.orders.state import (
    Cancel,
    Claim,
    OrderState,
    Phase,
    StartTimer,
    Step,
    TimerKind,
    WriteJournal,
)
from src.core.records.orders import TicketStatus, with_words

_LIMIT_REACHED: Final = "time limit of the order (order_timeout_sec) reached"


def wish_end(state: OrderState, reason: str) -> Step:
    """The order is to end, for this reason unless there is one already; see ``pursue_end``."""
    if state.end_wish:
        return state, ()
    last = StartTimer(kind=TimerKind.LAST, seconds=state.patience.last_sec)
    return replace(state, end_wish=reason), (last,)


def reach_limit(state: OrderState, said: str) -> Step:
    """Its time is up; ``said`` is the trouble that stands, told unless something was said of it."""
    return wish_end(state, with_words(_LIMIT_REACHED, "" if state.notices else said))


def pursue_end(state: OrderState, at_utc: datetime) -> Step:
    """Ask for the end of an order that is to end and may work, once in each of its lives."""
    if state.end_wish and not state.is_cancel_asked and _may_work(state):
        return send_cancel(state, at_utc)
    return state, ()


def send_cancel(state: OrderState, at_utc: datetime) -> Step:
    """Ask for the end that is wished for, on record first."""
    reason = state.end_wish
    asked = replace(state, cancel_reason=reason, is_cancel_asked=True)
    event = CancelRequested(
        run_id=state.run_id, at_utc=at_utc, order_ref=state.request.order_ref, reason=reason
    )
    return asked, (
        WriteJournal(event=event),
        Cancel(order_id=state.request.order_id),
        StartTimer(kind=TimerKind.CANCEL, seconds=state.patience.cancel_sec),
    )


def revive(state: OrderState, at_utc: datetime) -> Step:
    """An order in phase DONE shows life: look for proof anew, and at once for its end if wished.

    What was said of its end stays the claim to be proven; one that was only lost is in doubt.
    """
    if state.faults or not state.was_sent:
        return state, ()
    is_lost = state.status is TicketStatus.UNRESOLVED or state.claim is Claim.NONE
    reborn = replace(state, is_cancel_asked=False)
    step: Step = (reborn, ())
    if not state.is_given_up:
        step = ask(reborn, Claim.DOUBTFUL if is_lost else state.claim)
    if not state.end_wish:
        return step
    asked, cancelling = send_cancel(step[0], at_utc)
    return asked, (*step[1], *cancelling)


def give_up(state: OrderState, at_utc: datetime) -> Step:
    """The last of all waits is over."""
    state = replace(state, is_given_up=True)
    if not state.is_open:
        return state, ()
    waited = f"{state.patience.last_sec:g} s after its end was wished for ({state.end_wish})"
    return finish(state, TicketStatus.UNRESOLVED, f"still not proven {waited}", at_utc)


def _may_work(state: OrderState) -> bool:
    """True unless it is proven over, never left, or was said to be over by the broker itself."""
    if state.faults or not state.was_sent or state.claim.is_broker_word:
        return False
    is_lost = state.phase is Phase.DONE and state.status is TicketStatus.UNRESOLVED
    return state.is_open or is_lost
