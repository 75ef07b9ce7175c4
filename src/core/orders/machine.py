"""The life of one order as a pure state machine: ``next_step(state, event)`` → state, commands.

Events are the broker's raw evidence, deadlines, and answers to questions; commands are records
that the shell carries out in the order given. Rules, in short: the intent is on record before the
order is placed, and it is placed once; a status needs proof (``order_proof``); codes are hints
(``codes``); executions count whenever they come (``order_fills``); what was settled stays settled,
except that executions may still correct it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from src.core.journal.events import SEND_BROKE, IntentRecorded, NotSent, OrderNoticed, Sent
from src.core.orders.codes import CodeKind, classify
from src.core.orders.endings import give_up, pursue_end, reach_limit, revive, wish_end
from src.core.orders.events import (
    CommissionSeen,
    FillSeen,
    LinkSeen,
    OpenOrderSeen,
    OrderErrorSeen,
    StatusSeen,
)
from src.core.orders.fills import take_commission, take_fill
from src.core.orders.moves import alarm, ask, finish, inconclusive, look_later, move
from src.core.orders.proof import acknowledged, echo_fault, judge, named, unrefused, with_total
from src.core.orders.state import (
    AnswerMissing,
    Begin,
    BrokerAnswered,
    CancelWanted,
    Claim,
    Finish,
    GaveUp,
    LinkRestored,
    OrderCommand,
    OrderEvent,
    OrderState,
    Phase,
    Place,
    PlaceRefused,
    PlaceReturned,
    PlaceUncertain,
    QueryBroker,
    RaiseAlarm,
    SlowDown,
    StartTimer,
    Step,
    TimerFired,
    TimerKind,
    WriteJournal,
)
from src.core.records.orders import (
    CANCELLED_WORDS,
    DEAD_WORDS,
    FILLED_WORD,
    INACTIVE_WORD,
    TicketStatus,
)


def next_step(state: OrderState, event: OrderEvent, at_utc: datetime) -> Step:
    """What one event changes and what is to be done about it.

    What was seen before changes nothing. An order that is to end and may work is asked to end.
    """
    state, commands = _react(state, event, at_utc)
    state, pursuing = pursue_end(state, at_utc)
    return state, (*commands, *pursuing)


def _react(state: OrderState, event: OrderEvent, at_utc: datetime) -> Step:
    if state.phase is Phase.PLANNED:
        return _begin(state, at_utc) if isinstance(event, Begin) else (state, ())
    if isinstance(event, (Begin, PlaceReturned, PlaceRefused, PlaceUncertain)):
        return _on_place(state, event, at_utc)
    if isinstance(event, (OpenOrderSeen, StatusSeen, FillSeen, CommissionSeen, OrderErrorSeen)):
        return _on_broker(state, event, at_utc)
    if isinstance(event, LinkSeen):
        return state, ()
    return _on_question(state, event, at_utc)


# --- sending ---------------------------------------------------------------------------------


def _begin(state: OrderState, at_utc: datetime) -> Step:
    intent = IntentRecorded(
        run_id=state.run_id,
        at_utc=at_utc,
        line=state.line,
        attempt=state.attempt,
        request=state.request,
        quote_usd=state.quote_usd,
    )
    return move(state, Phase.SENDING), (
        WriteJournal(event=intent),
        Place(request=state.request),
        StartTimer(kind=TimerKind.ANSWER, seconds=state.patience.answer_sec),
        StartTimer(kind=TimerKind.ORDER, seconds=state.patience.order_sec),
    )


def _on_place(
    state: OrderState, event: Begin | PlaceReturned | PlaceRefused | PlaceUncertain, at: datetime
) -> Step:
    ref, run_id = state.request.order_ref, state.run_id
    if isinstance(event, PlaceReturned):
        return state, (WriteJournal(event=Sent(run_id=run_id, at_utc=at, order_ref=ref)),)
    if isinstance(event, PlaceRefused) and state.phase is Phase.SENDING:
        not_sent = NotSent(run_id=run_id, at_utc=at, order_ref=ref, reason=event.reason)
        done = replace(
            move(state, Phase.DONE),
            status=TicketStatus.SKIPPED,
            was_sent=False,
            error=event.reason,
        )
        commands = (
            WriteJournal(event=not_sent),
            Finish(status=TicketStatus.SKIPPED, error=event.reason, notes=()),
        )
        said = RaiseAlarm(text=f"{state.request.symbol}: not sent: {event.reason}")
        return done, (commands if event.lost_connection else (*commands, said))
    if isinstance(event, PlaceUncertain) and state.phase is Phase.SENDING:
        # No question yet: the connection is gone; LinkRestored or GaveUp follows.
        unsure = replace(move(state, Phase.CLOSING), claim=Claim.SILENT, error=event.reason)
        return unsure, (WriteJournal(event=_noticed(state, SEND_BROKE, event.reason, at)),)
    return state, ()


# --- the broker's evidence -------------------------------------------------------------------


def _on_broker(
    state: OrderState,
    event: OpenOrderSeen | StatusSeen | FillSeen | CommissionSeen | OrderErrorSeen,
    at_utc: datetime,
) -> Step:
    if isinstance(event, FillSeen):
        return take_fill(state, event.fill, at_utc)
    if isinstance(event, CommissionSeen):
        return take_commission(state, event.exec_id, event, at_utc)
    if isinstance(event, OrderErrorSeen):
        return _on_code(state, event, at_utc)
    if isinstance(event, StatusSeen):
        return _on_status(state, event.perm_id, event.status, event.filled_shares, at_utc)
    fault = echo_fault(state, event.order)
    if fault:
        return alarm(state, fault, at_utc)
    return _on_status(state, event.order.perm_id, event.order.status, None, at_utc)


def _on_status(
    state: OrderState, perm_id: int, word: str, filled: Decimal | None, at_utc: datetime
) -> Step:
    heard = named(unrefused(state, word), perm_id, word)
    if state.phase is Phase.DONE:
        is_news = word != state.broker_status
        heard, more = _on_word_after_the_end(heard, word, filled, at_utc, is_news=is_news)
    else:
        heard = move(heard, Phase.WORKING) if state.phase is Phase.SENDING else heard
        heard, more = _on_word(heard, word, filled)
    if heard == state:
        return state, more
    seen = acknowledged(named(state, perm_id, word), at_utc)
    if word in DEAD_WORDS:
        seen = replace(seen, filled_shares=filled)
    return heard, (WriteJournal(event=seen), *more)


def _on_word_after_the_end(
    state: OrderState, word: str, filled: Decimal | None, at_utc: datetime, *, is_news: bool
) -> Step:
    """A word about an order that has a status; one that is lost repeats itself in every list."""
    is_lost = state.status is TicketStatus.UNRESOLVED
    if word in DEAD_WORDS:
        if not (is_lost and is_news):
            return state, ()
        return ask(with_total(state, word, filled), _claim_of(state, word))
    is_alive = is_news if is_lost else state.status is not TicketStatus.FILLED
    return revive(state, at_utc) if is_alive else (state, ())


def _on_word(state: OrderState, word: str, filled: Decimal | None) -> Step:
    if word not in DEAD_WORDS:
        if state.claim in (Claim.SILENT, Claim.INACTIVE) and state.phase is Phase.CLOSING:
            return replace(move(state, Phase.WORKING), claim=Claim.NONE), ()
        return state, ()
    state = with_total(state, word, filled)
    if state.claim.is_broker_word:
        return state, ()
    if word in CANCELLED_WORDS:
        return ask(state, Claim.CANCELLED)
    if word == INACTIVE_WORD:
        # The reason, if there is one, follows in a separate message about a third of a second on.
        return (state, ()) if state.claim is Claim.INACTIVE else look_later(state, Claim.INACTIVE)
    return look_later(state, Claim.FILLED)


def _claim_of(state: OrderState, word: str) -> Claim:
    if state.claim.is_broker_word:
        return state.claim
    if word in CANCELLED_WORDS:
        return Claim.CANCELLED
    return Claim.FILLED if word == FILLED_WORD else Claim.DOUBTFUL


def _on_code(state: OrderState, event: OrderErrorSeen, at_utc: datetime) -> Step:
    noticed = _noticed(state, event.code, event.text, at_utc)
    kind = classify(event.code)
    state, more = _on_kind(state, kind, event.code, f"{event.code}: {event.text}")
    commands: list[OrderCommand] = [WriteJournal(event=noticed), *more]
    if kind is CodeKind.PACING:
        commands.append(SlowDown())
    return state, tuple(commands)


def _noticed(state: OrderState, code: int, text: str, at_utc: datetime) -> OrderNoticed:
    ref = state.request.order_ref
    return OrderNoticed(run_id=state.run_id, at_utc=at_utc, order_ref=ref, code=code, text=text)


def _on_kind(state: OrderState, kind: CodeKind, code: int, text: str) -> Step:
    if kind in (CodeKind.INFO, CodeKind.WARNING):
        if kind is CodeKind.WARNING and text not in state.notices:
            state = replace(state, notices=(*state.notices, text))
        is_first_word = state.phase is Phase.SENDING
        return (move(state, Phase.WORKING) if is_first_word else state), ()
    is_settled = state.phase is Phase.DONE and state.status is not TicketStatus.UNRESOLVED
    if is_settled or state.faults:
        return state, ()
    if kind in (CodeKind.REJECTED, CodeKind.CANCELLED):
        return _on_end_code(state, kind, code, text)
    if kind in (CodeKind.AMBIGUOUS, CodeKind.PACING) and not state.claim.is_broker_word:
        doubted = replace(state, error_code=code, error=text)
        return ask(doubted, Claim.OVERDUE if state.claim is Claim.OVERDUE else Claim.DOUBTFUL)
    return state, ()


def _on_end_code(state: OrderState, kind: CodeKind, code: int, text: str) -> Step:
    is_refusal = kind is CodeKind.REJECTED
    if state.claim.is_broker_word and state.error_code:
        return state, ()
    # The confirmation of a cancel we asked for is no error worth reporting.
    if is_refusal or not state.cancel_reason:
        state = replace(state, error_code=code, error=text)
    if state.claim.is_broker_word:
        claim = Claim.REJECTED if is_refusal and state.claim is Claim.CANCELLED else state.claim
        return replace(state, claim=claim), ()
    return ask(state, Claim.REJECTED if is_refusal else Claim.CANCELLED)


# --- deadlines, questions and answers --------------------------------------------------------


def _on_question(state: OrderState, event: OrderEvent, at_utc: datetime) -> Step:
    if isinstance(event, BrokerAnswered):
        return judge(state, event, at_utc)
    if isinstance(event, LinkRestored):
        return _on_gap(state)
    return _on_limit(state, event, at_utc)


def _on_limit(state: OrderState, event: OrderEvent, at_utc: datetime) -> Step:
    if isinstance(event, CancelWanted):
        return wish_end(state, event.reason)
    if isinstance(event, TimerFired):
        return _on_timer(state, event, at_utc)
    if isinstance(event, AnswerMissing) and state.phase is Phase.CLOSING:
        return inconclusive(state, event.reason, at_utc)
    if isinstance(event, GaveUp) and state.is_open:
        return finish(state, TicketStatus.UNRESOLVED, event.reason, at_utc)
    return state, ()


def _on_timer(state: OrderState, event: TimerFired, at_utc: datetime) -> Step:
    kind = event.kind
    if kind is TimerKind.ORDER:
        return reach_limit(state, event.said)
    if kind is TimerKind.LAST:
        return give_up(state, at_utc)
    if kind is TimerKind.ANSWER and state.phase is Phase.SENDING:
        return ask(state, Claim.SILENT)
    if kind is TimerKind.CANCEL and state.is_open:
        return ask(state, state.claim if state.claim.is_broker_word else Claim.OVERDUE)
    if kind is TimerKind.PROOF and state.phase is Phase.CLOSING:
        return state, (QueryBroker(),)
    return state, ()


def _on_gap(state: OrderState) -> Step:
    """What was said in a gap is lost: ask, and ask again for an end that was asked for before."""
    is_unresolved = state.phase is Phase.DONE and state.status is TicketStatus.UNRESOLVED
    if not (state.is_open or is_unresolved):
        return state, ()
    claim = state.claim
    if not claim.is_broker_word:
        claim = Claim.INACTIVE if state.broker_status == INACTIVE_WORD else Claim.DOUBTFUL
    return ask(replace(state, is_cancel_asked=False), claim)
