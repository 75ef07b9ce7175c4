"""Laws of the order machine under any sequence of events: duplicates, disorder, contradictions."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from src.core.journal.events import FillRecorded, IntentRecorded, OrderEnded
from src.core.orders.events import FillSeen, LinkSeen, LinkState
from src.core.orders.executions import newest_fills
from src.core.orders.state import (
    AnswerMissing,
    Begin,
    BrokerAnswered,
    CancelWanted,
    GaveUp,
    LinkRestored,
    OrderEvent,
    Phase,
    Place,
    PlaceRefused,
    PlaceReturned,
    PlaceUncertain,
    TimerFired,
    TimerKind,
    WriteJournal,
)
from src.core.records.orders import TicketStatus
from tests.kits.orders_kit import (
    Player,
    code,
    commission,
    completed,
    executed,
    fill,
    opened,
    planned,
    status,
    working,
)

QTY = 10
WORDS = ("PreSubmitted", "Submitted", "PendingCancel", "Cancelled", "Inactive", "Filled", "Odd")
EXEC_IDS = ("a.01", "a.02", "a.03", "b.01", "b.02", "c.01")

sizes = st.integers(min_value=0, max_value=6)
fills_seen = st.builds(executed, sizes, st.sampled_from(EXEC_IDS))
words = st.sampled_from(WORDS)
answers = st.builds(
    BrokerAnswered,
    working=st.one_of(st.none(), st.lists(st.builds(working, words), max_size=1).map(tuple)),
    completed=st.one_of(
        st.none(), st.lists(st.builds(completed, words, sizes), max_size=1).map(tuple)
    ),
    fills=st.lists(st.builds(fill, sizes, st.sampled_from(EXEC_IDS)), max_size=3).map(tuple),
)
reasons = st.just("because")
events: st.SearchStrategy[OrderEvent] = st.one_of(
    fills_seen,
    st.builds(status, words, sizes),
    st.builds(opened, words),
    st.builds(commission, st.sampled_from(EXEC_IDS), st.one_of(st.none(), sizes)),
    st.builds(code, st.sampled_from([201, 202, 399, 10349, 103, 161, 10148, 442, 100, 77777])),
    st.builds(TimerFired, kind=st.sampled_from(TimerKind)),
    st.builds(CancelWanted, reason=reasons),
    st.builds(AnswerMissing, reason=reasons),
    st.builds(GaveUp, reason=reasons),
    st.builds(PlaceUncertain, reason=reasons),
    st.builds(LinkSeen, state=st.sampled_from(LinkState)),
    st.just(LinkRestored()),
    st.just(PlaceReturned()),
    st.just(Begin()),
    answers,
)
stories = st.lists(events, max_size=30)


def told(story: list[OrderEvent]) -> Player:
    player = Player(state=planned(QTY))
    player.feed(Begin(), *story)
    return player


@given(stories)
def test_an_order_is_placed_once_and_after_its_intent(story: list[OrderEvent]) -> None:
    commands = told(story).commands
    placed = [number for number, one in enumerate(commands) if isinstance(one, Place)]
    assert len(placed) == 1
    first = commands[0]
    assert isinstance(first, WriteJournal)
    assert isinstance(first.event, IntentRecorded)
    assert placed == [1]


@given(stories)
def test_a_status_is_what_the_executions_prove(story: list[OrderEvent]) -> None:
    state = told(story).state
    filled = state.filled_shares
    assert (state.phase is Phase.DONE) == (state.status is not None)
    if state.status is TicketStatus.FILLED:
        assert filled == QTY
    if state.status is TicketStatus.PARTIALLY_FILLED:
        assert 0 < filled < QTY
    if state.status in (TicketStatus.CANCELLED, TicketStatus.REJECTED):
        assert filled == 0
    if filled == QTY and not state.faults:
        assert state.status is TicketStatus.FILLED
    if filled > QTY:
        assert state.status is TicketStatus.UNRESOLVED


@given(stories)
def test_an_end_without_a_fill_needs_the_brokers_word(story: list[OrderEvent]) -> None:
    state = told(story).state
    if state.status not in (TicketStatus.CANCELLED, TicketStatus.REJECTED):
        return
    said = str(story)
    words_of_the_end = ("Cancelled", "Inactive", "Filled", "code=201", "code=202", "code=442")
    assert any(word in said for word in words_of_the_end)


@given(stories)
def test_every_execution_told_is_booked_in_its_newest_version(story: list[OrderEvent]) -> None:
    player = told(story)
    seen = []
    for event in story:
        if isinstance(event, FillSeen):
            seen.append(event.fill)
        elif isinstance(event, BrokerAnswered):
            seen += event.fills
    expected = {one.exec_id: one.qty_shares for one in newest_fills(seen)}
    booked = {one.exec_id: one.qty_shares for one in player.state.fills}
    assert booked.keys() == expected.keys()


@given(stories)
def test_the_journal_holds_the_same_executions_as_the_order(story: list[OrderEvent]) -> None:
    player = told(story)
    written = [event.fill for event in player.journal if isinstance(event, FillRecorded)]
    as_written = {one.exec_id: one.qty_shares for one in newest_fills(written)}
    assert as_written == {one.exec_id: one.qty_shares for one in player.state.fills}


@given(stories)
def test_a_proven_end_is_on_record(story: list[OrderEvent]) -> None:
    player = told(story)
    proven = player.state.status not in (None, TicketStatus.UNRESOLVED, TicketStatus.SKIPPED)
    if proven:
        assert any(isinstance(event, OrderEnded) for event in player.journal)


@given(stories, st.integers(min_value=1, max_value=3))
def test_hearing_everything_twice_books_nothing_twice(story: list[OrderEvent], times: int) -> None:
    evidence = [event for event in story if isinstance(event, FillSeen)]
    once, often = told(list(evidence)), told([one for one in evidence for _ in range(times)])
    assert once.state.filled_shares == often.state.filled_shares
    assert once.state.status == often.state.status


@given(st.lists(fills_seen, max_size=6).flatmap(st.permutations))
def test_disorder_changes_no_total(seen: list[FillSeen]) -> None:
    by_id = {event.fill.exec_id: event for event in seen}
    in_order = sorted(by_id.values(), key=lambda event: event.fill.exec_id)
    newest = told(list(in_order)).state
    disorder = told(list(by_id.values())).state
    if not (newest.faults or disorder.faults):
        assert disorder.filled_shares == newest.filled_shares
    assert sum((one.qty_shares for one in newest.fills), Decimal(0)) == newest.filled_shares


@given(stories)
def test_what_the_gate_declined_was_never_sent(story: list[OrderEvent]) -> None:
    player = Player(state=planned(QTY))
    player.feed(Begin(), PlaceRefused(reason="limit"))
    assert not player.state.was_sent
    player.feed(*[event for event in story if isinstance(event, (TimerFired, CancelWanted))])
    assert player.has(TicketStatus.SKIPPED)
