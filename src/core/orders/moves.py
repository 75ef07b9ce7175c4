"""The few moves every rule of the order machine is made of: go to a phase, ask, wait, end.

All are pure: they return the new state and the commands, and write nothing themselves.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from src.core.journal.events import CONTRADICTION, OrderEnded, OrderNoticed
from src.core.orders.state import (
    LEGAL_MOVES,
    Claim,
    Finish,
    OrderCommand,
    OrderState,
    Phase,
    QueryBroker,
    RaiseAlarm,
    StartTimer,
    Step,
    TimerKind,
    WriteJournal,
)
from src.core.records.orders import TicketStatus, status_by_shares, with_words


def move(state: OrderState, phase: Phase) -> OrderState:
    """The state in its next phase, its status still open; who ends an order sets that.

    Raises: ValueError for a move the table does not allow.
    """
    if phase not in LEGAL_MOVES[state.phase]:
        raise ValueError(f"order {state.request.order_ref}: {state.phase} to {phase} is not legal")
    return replace(state, phase=phase, status=None, doubt="")


def ask(state: OrderState, claim: Claim) -> Step:
    """Something says the order is over or lost: look for proof at the broker now."""
    if state.faults:
        return state, ()
    if state.is_given_up:
        return replace(state, claim=claim if claim.is_broker_word else state.claim), ()
    return replace(move(state, Phase.CLOSING), claim=claim, rounds=0), (QueryBroker(),)


def look_later(state: OrderState, claim: Claim) -> Step:
    """As ``ask``, but give the events that usually follow a moment to arrive."""
    if state.faults:
        return state, ()
    waiting = replace(move(state, Phase.CLOSING), claim=claim, rounds=0)
    return waiting, (StartTimer(kind=TimerKind.PROOF, seconds=state.patience.proof_sec),)


def inconclusive(state: OrderState, why: str, at_utc: datetime) -> Step:
    """One look proved nothing: look again after a while, at last admit that it is unresolved."""
    looked = replace(state, rounds=state.rounds + 1)
    if looked.rounds >= state.patience.rounds:
        return finish(looked, TicketStatus.UNRESOLVED, why, at_utc)
    timer = StartTimer(kind=TimerKind.PROOF, seconds=state.patience.proof_sec)
    return move(looked, Phase.CLOSING), (timer,)


def alarm(state: OrderState, text: str, at_utc: datetime) -> Step:
    """A contradiction that no query settles: nothing more is sent, the order stays Unresolved."""
    if text in state.faults:
        return state, ()
    faulty = replace(state, faults=(*state.faults, text))
    noticed = OrderNoticed(
        run_id=state.run_id,
        at_utc=at_utc,
        order_ref=state.request.order_ref,
        code=CONTRADICTION,
        text=text,
    )
    done, commands = finish(faulty, TicketStatus.UNRESOLVED, text, at_utc)
    said = RaiseAlarm(text=f"{state.request.symbol}: {text}")
    return done, (WriteJournal(event=noticed), *commands, said)


def finish(state: OrderState, status: TicketStatus, evidence: str, at_utc: datetime) -> Step:
    """Settle the order's status; nothing happens when it already has this one.

    ``evidence`` says what proved it, or for Unresolved why nothing did.
    """
    if state.faults:
        status, evidence = TicketStatus.UNRESOLVED, "; ".join(state.faults)
    if state.phase is Phase.DONE and state.status is status:
        return state, ()
    error = _error_text(state, status, evidence)
    done = replace(move(state, Phase.DONE), status=status)
    is_proven = status is not TicketStatus.UNRESOLVED
    done = replace(done, error=error) if is_proven else replace(done, doubt=error)
    commands: list[OrderCommand] = []
    if status is not TicketStatus.UNRESOLVED:
        commands.append(WriteJournal(event=_ended(done, evidence, at_utc)))
    commands.append(Finish(status=status, error=error, notes=done.notices))
    return done, tuple(commands)


def status_by_fills(state: OrderState) -> TicketStatus:
    """The status of an order that is proven to be over."""
    executed = status_by_shares(state.filled_shares, state.request.qty_shares)
    if executed is not None:
        return executed
    is_refused = state.claim in (Claim.REJECTED, Claim.INACTIVE)
    return TicketStatus.REJECTED if is_refused else TicketStatus.CANCELLED


def _error_text(state: OrderState, status: TicketStatus, evidence: str) -> str:
    if status is TicketStatus.FILLED:
        return ""
    if status is TicketStatus.UNRESOLVED:
        return with_words(evidence, state.error if state.error_code else "")
    return state.error or state.cancel_reason


def _ended(state: OrderState, evidence: str, at_utc: datetime) -> OrderEnded:
    return OrderEnded(
        run_id=state.run_id,
        at_utc=at_utc,
        order_ref=state.request.order_ref,
        broker_status=state.broker_status,
        filled_shares=state.filled_shares,
        evidence=evidence,
        error=state.error,
    )
