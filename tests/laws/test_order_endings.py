"""No order is waited for without end, and one that is to end is asked to, whatever is said when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from src.core.orders.machine import next_step
from src.core.orders.state import (
    AnswerMissing,
    Begin,
    BrokerAnswered,
    Cancel,
    CancelWanted,
    Finish,
    LinkRestored,
    OrderCommand,
    OrderEvent,
    OrderState,
    Patience,
    Phase,
    PlaceReturned,
    PlaceUncertain,
    QueryBroker,
    StartTimer,
    TimerFired,
    TimerKind,
)
from src.core.records.orders import TicketStatus
from tests.kits.builders import NOON_UTC
from tests.kits.orders_kit import code, completed, executed, fill, opened, planned, status, working

QTY = 10
ANSWER_SEC = 0.5
PATIENCE = Patience()
LONGEST_SEC = float(PATIENCE.order_sec + PATIENCE.last_sec)
LIVE, DEAD = ("PreSubmitted", "Submitted", "PendingCancel"), ("Cancelled", "Inactive", "Filled")

words = st.sampled_from(LIVE + DEAD)
sizes = st.integers(min_value=0, max_value=4)
exec_ids = st.sampled_from(["a.01", "a.02", "b.01", "c.01"])
heard: st.SearchStrategy[OrderEvent] = st.one_of(
    st.builds(status, words, sizes),
    st.builds(opened, words),
    st.builds(executed, sizes, exec_ids),
    st.builds(code, st.sampled_from([201, 202, 399, 10349, 103, 161, 10147, 10148, 321, 77777])),
    st.just(CancelWanted(reason="Ctrl+C")),
    st.just(LinkRestored()),
    st.just(PlaceUncertain(reason="broke")),
)
moments = st.one_of(st.floats(min_value=0, max_value=60), st.floats(min_value=280, max_value=600))
scripts = st.lists(st.tuples(moments, heard), max_size=25)
answers = st.one_of(
    st.just(AnswerMissing(reason="silence")),
    st.builds(
        BrokerAnswered,
        working=st.one_of(st.none(), st.lists(st.builds(working, words), max_size=1).map(tuple)),
        completed=st.lists(st.builds(completed, words, sizes), max_size=1).map(tuple),
        fills=st.lists(st.builds(fill, sizes, exec_ids), max_size=1).map(tuple),
    ),
)


@dataclass(slots=True)
class Life:
    """One order in virtual time: its timers fire, its questions are answered a little later."""

    answers: list[AnswerMissing | BrokerAnswered]
    now: float = 0
    due: list[tuple[float, int, OrderEvent]] = field(default_factory=list)
    timers: dict[TimerKind, float] = field(default_factory=dict)
    cancels: list[float] = field(default_factory=list)
    count: int = 0

    def play(self, script: list[tuple[float, OrderEvent]]) -> Iterator[tuple[float, OrderState]]:
        """After each event: when it was, and the order as it is then."""
        state = planned(QTY)
        start: list[tuple[float, OrderEvent]] = [(0.0, Begin()), (0.0, PlaceReturned())]
        for moment, heard_then in [*start, *script]:
            self._later(moment, heard_then)
        while (event := self._next()) is not None:
            state, commands = next_step(state, event, NOON_UTC + timedelta(seconds=self.now))
            self._carry_out(commands)
            yield self.now, state

    def _later(self, moment: float, event: OrderEvent) -> None:
        self.count += 1
        self.due.append((moment, self.count, event))

    def _next(self) -> OrderEvent | None:
        kind = min(self.timers, key=self.timers.__getitem__, default=None)
        first = min(self.due, key=lambda one: one[:2], default=None)
        if first is not None and (kind is None or first[0] <= self.timers[kind]):
            self.due.remove(first)
            self.now = max(self.now, first[0])
            return first[2]
        if kind is None:
            return None
        self.now = max(self.now, self.timers.pop(kind))
        return TimerFired(kind=kind)

    def _carry_out(self, commands: tuple[OrderCommand, ...]) -> None:
        for command in commands:
            if isinstance(command, StartTimer):
                self.timers[command.kind] = self.now + float(command.seconds)
            elif isinstance(command, Cancel):
                self.cancels.append(self.now)
            elif isinstance(command, Finish):
                for kind in (TimerKind.ANSWER, TimerKind.CANCEL, TimerKind.PROOF):
                    self.timers.pop(kind, None)
            elif isinstance(command, QueryBroker):
                answer = self.answers.pop(0) if self.answers else AnswerMissing(reason="silence")
                self._later(self.now + ANSWER_SEC, answer)


@settings(max_examples=300)
@given(scripts, st.lists(answers, max_size=30))
def test_no_order_is_open_when_all_its_time_is_over(
    script: list[tuple[float, OrderEvent]], told: list[AnswerMissing | BrokerAnswered]
) -> None:
    history = list(Life(answers=told).play(script))
    assert all(state.phase is Phase.DONE for now, state in history if now > LONGEST_SEC)
    assert history[-1][1].phase is Phase.DONE


@settings(max_examples=300)
@given(scripts, st.lists(answers, max_size=30))
def test_an_order_that_works_after_its_limit_or_an_interrupt_has_been_asked_to_end(
    script: list[tuple[float, OrderEvent]], told: list[AnswerMissing | BrokerAnswered]
) -> None:
    life = Life(answers=told)
    interrupted_at = min(
        (moment for moment, event in script if isinstance(event, CancelWanted)),
        default=float(PATIENCE.order_sec),
    )
    ends_at = min(interrupted_at, float(PATIENCE.order_sec))
    for now, state in life.play(script):
        is_doubted = state.phase is Phase.CLOSING and not state.claim.is_broker_word
        if now > ends_at and (state.phase in (Phase.SENDING, Phase.WORKING) or is_doubted):
            assert life.cancels


@settings(max_examples=300)
@given(
    st.lists(st.tuples(moments, heard), max_size=10),
    st.sampled_from(LIVE),
    st.floats(min_value=300.5, max_value=900),
)
def test_life_after_the_limit_is_answered_by_a_cancel(
    script: list[tuple[float, OrderEvent]], word: str, late: float
) -> None:
    """Whatever came before, an order that is not filled and shows life anew is asked to end."""
    life = Life(answers=[])
    before = planned()
    for now, state in life.play([*script, (late, opened(word))]):
        is_over = before.phase is Phase.DONE and before.status is not TicketStatus.FILLED
        is_news = before.broker_status != state.broker_status == word
        if now == late and is_over and is_news and not before.faults:
            assert life.cancels[-1] == late
        before = state
