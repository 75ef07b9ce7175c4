"""The connection breaks, comes back, answers, or is given up; the user wants an end.

The socket may close (then a new desk is fetched, once, within a deadline), or the gateway may lose
its own line to the broker (then nothing is sent and nothing is asked until it is back).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from src.core.orders.codes import READ_ONLY_CODE
from src.core.orders.events import FillSeen, LinkSeen, LinkState
from src.core.orders.state import (
    AnswerMissing,
    BrokerAnswered,
    CancelWanted,
    GaveUp,
    LinkRestored,
    OrderState,
)
from src.core.records.orders import TicketStatus, with_words
from src.core.running.gaps import begin_gap, judge_gap
from src.core.running.moves import emit, halt, say, seconds
from src.core.running.orders import feed, feed_all, halt_read_only, take_evidence
from src.core.running.parts import Link, Run
from src.core.running.questions import drop_question
from src.core.running.words import Answered, Call, DeskCame

INTERRUPTED: Final = "interrupted by the user"


# --- it breaks and comes back ---------------------------------------------------------------------


def on_link(run: Run, event: LinkSeen) -> Run:
    """What is said of our socket or of the gateway's line; late word of earlier ones is nothing."""
    link = run.link
    if event.generation != link.generation or not link.is_open:
        return say(run, f"late word of an earlier connection state={event.state.value}")
    if event.state is LinkState.SOCKET_LOST:
        return lose_connection(run, event.text or "socket closed")
    if event.state is LinkState.UPSTREAM_LOST:
        run = say(run, f"gateway lost its line to the broker code={event.code}", "warning")
        since = run.moment.elapsed if link.lost_at is None else link.lost_at
        said = f"{event.code}: {event.text}" if event.code else event.text
        return drop_question(_with(run, replace(link, lost_at=since, lost_by=said)))
    run = say(run, f"gateway has its line to the broker again code={event.code}", "warning")
    return _after_gap(_with(run, replace(link, lost_at=None)))


def lose_connection(run: Run, reason: str) -> Run:
    """The socket is gone: nothing more is sent, a new desk is fetched."""
    if run.link.is_open:
        run = say(run, f"connection to the gateway lost reason={reason}", "error")
        link = replace(run.link, is_open=False, was_lost=True, is_reconnecting=True)
        run = _with(run, replace(link, lost_at=run.moment.elapsed))
        run = emit(run, Call.RECONNECT)
    return halt(drop_question(run), "the connection to the gateway was lost")


def desk_came(run: Run, event: DeskCame) -> Run:
    """A new connection is there, or there will be none."""
    link = replace(run.link, is_reconnecting=False)
    if event.failed:
        text = f"the connection was lost and not restored: {event.failed}"
        return give_up(_with(run, link), text)
    run = say(run, "connection to the gateway restored", "warning")
    restored = replace(link, is_open=True, lost_at=None, generation=event.generation)
    return _after_gap(_with(run, restored))


def _with(run: Run, link: Link) -> Run:
    return run._replace(link=link)


def _after_gap(run: Run) -> Run:
    """What was said meanwhile is lost, and somebody else may have traded: ask about it all."""
    return feed_all(begin_gap(run), run.orders, LinkRestored())


# --- it answers -----------------------------------------------------------------------------------


def take_answer(run: Run, answer: Answered) -> Run:
    """Every order that was asked about hears the answer, then the gap in the connection."""
    question, evidence = run.question, answer.evidence
    run = run._replace(question=replace(question, asked=(), is_under_way=False))
    for ref in question.asked:
        run = feed(run, ref, evidence)
    asked = [one for one in run.orders if one.request.order_ref in question.asked]
    if isinstance(evidence, BrokerAnswered):
        run = _take_lists(run, asked, evidence)
    else:
        run = _miss_answer(run, asked, evidence)
    return judge_gap(run, answer) if run.gap.is_open and question.includes_account else run


def _take_lists(run: Run, asked: list[OrderState], evidence: BrokerAnswered) -> Run:
    if evidence.working is None and any(one.error_code == READ_ONLY_CODE for one in asked):
        # Where no orders are listed either, this refusal can mean nothing else.
        run = halt_read_only(run)
    for fill in evidence.fills:
        run = take_evidence(run, FillSeen(fill=fill))
    return run


def _miss_answer(run: Run, asked: list[OrderState], evidence: AnswerMissing) -> Run:
    """Whoever answers no questions is not to be sent more orders."""
    if any(one.status is TicketStatus.UNRESOLVED for one in asked):
        return halt(run, f"the gateway gives no answers: {evidence.reason}")
    return run


# --- it is given up, or the user wants an end -----------------------------------------------------


def interrupt(run: Run) -> Run:
    """Send nothing more, and end what works."""
    stop_at = run.moment.elapsed + seconds(run.terms.patience.stop_sec)
    run = halt(run._replace(was_interrupted=True, give_up_at=stop_at), INTERRUPTED)
    return feed_all(run, run.orders, CancelWanted(reason=INTERRUPTED))


def give_up(run: Run, reason: str) -> Run:
    """Nothing more can be learned: what is open stays Unresolved."""
    run = halt(run, reason)
    if run.link.is_reconnecting:
        run = emit(_with(run, replace(run.link, is_reconnecting=False)), Call.STOP_RECONNECTING)
    return feed_all(run._replace(cancels=()), run.open_orders, GaveUp(reason=reason))


def lost_for_good_at(run: Run) -> timedelta | None:
    """When a lost connection is given up."""
    lost_at = run.link.lost_at
    return None if lost_at is None else lost_at + seconds(run.terms.patience.recovery_sec)


def give_up_when_due(run: Run) -> Run:
    """A line that stays away, and orders that do not end after the interrupt, have their limits."""
    now, deadline = run.moment.elapsed, lost_for_good_at(run)
    if deadline is not None and now >= deadline:
        run = _give_up_line(run)
    if run.give_up_at is not None and now >= run.give_up_at:
        run = give_up(run._replace(give_up_at=None), "not settled in time after the interrupt")
    return run


def _give_up_line(run: Run) -> Run:
    if run.link.is_reconnecting:
        waited = f"no new connection within {run.terms.patience.recovery_sec:.0f} s"
        return give_up(run, f"the connection was lost and not restored: {waited}")
    run = _with(
        run, replace(run.link, lost_at=run.moment.elapsed)
    )  # counts anew, should it be used
    lost = "the gateway had no line to the broker for too long"
    return give_up(run, with_words(lost, run.link.lost_by))
