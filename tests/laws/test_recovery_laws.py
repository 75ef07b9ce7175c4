"""The law of recovery: a run that died and its broker's answer end as the live run would have.

A live order is told a story and cut after any event; then both are asked the same: the live order
after a gap in its connection, and the order that the journal alone remembers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from src.core.journal.events import JournalEvent, TicketEnded
from src.core.orders.state import (
    Begin,
    BrokerAnswered,
    GaveUp,
    LinkRestored,
    OrderEvent,
    OrderState,
    Patience,
    Phase,
)
from src.core.orders.tickets import TicketState
from src.core.records.orders import OrderStyle, Side, TicketStatus
from src.core.records.plan import OrderOutcome
from src.core.run.broker_view import BrokerView
from src.core.run.fold import fold
from src.core.run.reconcile import reconcile_run
from src.core.run.ticket_outcome import ticket_outcome
from tests.kits.builders import ACCOUNT, NOON_UTC, ticket
from tests.kits.journal_kit import PLAN, approved, later, outcomes_of, recorded
from tests.kits.orders_kit import (
    ORDER_ID,
    Player,
    code,
    completed,
    ended,
    executed,
    fill,
    nothing_found,
    planned,
    status,
    still_open,
)
from tests.laws.test_orders_machine import answers, stories

WHOLE = 10
SOLD = ticket("SPY", Side.SELL, WHOLE, 100)
RUN = replace(PLAN, tickets=(SOLD,))
REMARK = "settled by a later start"
QTY_OF_THE_REST = Decimal(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a report would say; why nothing is proven is worded for the moment it is said in."""

    status: TicketStatus
    fills: frozenset[tuple[str, Decimal, Decimal | None]]
    error: str
    notes: tuple[str, ...]


def ending(outcome: OrderOutcome) -> Ending:
    is_open = outcome.status is TicketStatus.UNRESOLVED
    return Ending(
        status=outcome.status,
        fills=frozenset((one.exec_id, one.qty_shares, one.commission_usd) for one in outcome.fills),
        error="" if is_open else outcome.error,
        notes=tuple(note for note in outcome.notes if note != REMARK),
    )


def first_attempt() -> OrderState:
    return planned(WHOLE)


def second_attempt() -> OrderState:
    """The plain order for the rest, under its own number and reference."""
    first = planned(WHOLE)
    request = replace(
        first.request,
        order_ref=first.request.order_ref[:-1] + "2",
        order_id=ORDER_ID + 1,
        qty_shares=QTY_OF_THE_REST,
        style=OrderStyle.PLAIN,
    )
    return replace(first, attempt=2, request=request)


def asked_after_a_gap(order: OrderState, replies: list[BrokerAnswered]) -> OrderState:
    """The live order once the connection is back and the broker has answered so often."""
    player = Player(state=order, at_utc=later(60))
    player.feed(LinkRestored())
    for number, reply in enumerate(replies):
        if number and player.is_in(Phase.WORKING):
            player.feed(LinkRestored())
        player.feed(reply)
    player.feed(GaveUp(reason="not settled"))
    return player.state


def died(order: OrderState) -> OrderState:
    """What a process takes with it: a wish that it had not acted on, and its patience."""
    return replace(order, end_wish=order.cancel_reason, is_given_up=False)


def live(orders: list[OrderState], replies: list[BrokerAnswered]) -> Ending:
    orders = [died(order) for order in orders]
    return ending(ticket_outcome(ticket_of([asked_after_a_gap(one, replies) for one in orders])))


def recovered(journal: list[JournalEvent], replies: list[BrokerAnswered]) -> Ending:
    events = [recorded(RUN), approved(RUN), *journal]
    view = BrokerView(account_id=ACCOUNT, rounds=tuple(replies), held_shares={})
    found = reconcile_run(fold(events), view, later(60))
    return ending(outcomes_of([*events, *found])[0])


@dataclass(slots=True)
class Recorder:
    """Tells a story to one order and keeps the journal of it, last words included."""

    state: OrderState
    journal: list[JournalEvent]

    def feed(self, event: OrderEvent) -> None:
        player = Player(state=self.state)
        player.feed(event)
        self.state = player.state
        self.journal += player.journal
        self._conclude()

    def _conclude(self) -> None:
        if self.state.phase is not Phase.DONE:
            return
        outcome = ticket_outcome(ticket_of([self.state]))
        word = TicketEnded(
            run_id=self.state.run_id,
            at_utc=NOON_UTC,
            line=1,
            status=outcome.status,
            error=outcome.error,
            notes=outcome.notes,
        )
        if word not in self.journal[-1:] and self.state.attempt == 1:
            self.journal.append(word)


def told(order: OrderState, story: list[OrderEvent]) -> Recorder:
    recorder = Recorder(state=order, journal=[])
    for event in [Begin(), *story]:
        recorder.feed(event)
    return recorder


def ticket_of(orders: list[OrderState]) -> TicketState:
    return TicketState(line=1, ticket=SOLD, limit_shares=Decimal(WHOLE), orders=tuple(orders))


several_answers = st.lists(answers, min_size=1, max_size=Patience().rounds)


@given(stories, several_answers)
def test_a_dead_run_ends_as_the_live_run_would_have(
    story: list[OrderEvent], replies: list[BrokerAnswered]
) -> None:
    player = told(first_attempt(), story)
    assert recovered(player.journal, replies) == live([player.state], replies)


@given(stories, stories, several_answers)
def test_two_attempts_at_a_ticket_end_as_they_would_have(
    first: list[OrderEvent], second: list[OrderEvent], replies: list[BrokerAnswered]
) -> None:
    one = told(first_attempt(), first)
    two = told(second_attempt(), [event for event in second if not _is_about_the_first(event)])
    journal = [*one.journal, *two.journal]
    assert recovered(journal, replies) == live([one.state, two.state], replies)


def _is_about_the_first(event: OrderEvent) -> bool:
    return "order_ref" in repr(event) or "exec_id" in repr(event)


# --- F95 ------------------------------------------------------------------------------------


def test_a_refusal_with_a_later_acknowledgement_is_not_proven_by_silence() -> None:
    """The broker refused it, then showed it working; a day later no list names it."""
    shown = [still_open("PreSubmitted")] * Patience().rounds
    player = told(first_attempt(), [status("PreSubmitted"), code(201), *shown])
    silence = [nothing_found()] * Patience().rounds
    assert recovered(player.journal, silence).status is TicketStatus.UNRESOLVED
    said_so = told(first_attempt(), [code(201), status("Submitted")])
    assert recovered(said_so.journal, silence).status is TicketStatus.UNRESOLVED
    assert live([said_so.state], silence).status is TicketStatus.UNRESOLVED


def _cancelled_after(part: int, *, named: bool) -> Recorder:
    seen: list[OrderEvent] = [executed(part, "a.01")] if named else []
    return told(first_attempt(), [status("Submitted"), *seen, status("Cancelled", part)])


def test_a_partial_fill_with_a_lossy_completed_list_ends_alike() -> None:
    """The status named the total; the list of completed orders has lost the order."""
    known = _cancelled_after(4, named=True)
    silence = [nothing_found()] * Patience().rounds
    assert live([known.state], silence).status is TicketStatus.PARTIALLY_FILLED
    assert recovered(known.journal, silence) == live([known.state], silence)
    promised = _cancelled_after(4, named=False)
    assert live([promised.state], silence).status is TicketStatus.UNRESOLVED
    assert recovered(promised.journal, silence) == live([promised.state], silence)
    late = [nothing_found(fill(4, "a.01"))]
    assert live([promised.state], late).status is TicketStatus.PARTIALLY_FILLED
    assert recovered(promised.journal, late) == live([promised.state], late)


def test_what_a_completed_list_said_once_is_remembered() -> None:
    """It named more shares than were executed; by the next start it names the order no more."""
    player = told(first_attempt(), [status("Submitted"), LinkRestored(), ended("Cancelled", 4)])
    late = [nothing_found(fill(4, "a.01"))]
    assert live([player.state], late).status is TicketStatus.PARTIALLY_FILLED
    assert recovered(player.journal, late) == live([player.state], late)


def test_the_kit_knows_what_the_broker_lists() -> None:
    assert completed("Cancelled", 4).filled_shares == QTY_OF_THE_REST
