"""Laws of the journal: any run, any cut, any damage; and of the gate: any wild caller."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src.base.errors import JournalError, Refused
from src.core.journal.codec import event_from_text, event_to_text
from src.core.journal.events import FillRecorded, IntentRecorded, JournalEvent, NotSent
from src.core.orders.events import BrokerEvent, FillSeen, OrderErrorSeen, StatusSeen
from src.core.orders.state import BrokerAnswered
from src.core.permission.gate import OrderGate
from src.core.permission.permit import TradePermit
from src.core.records.orders import CompletedOrder, Fill, OrderRequest, Side, TicketStatus
from src.core.run.broker_view import BrokerView
from src.core.run.fold import fold, fold_on
from src.core.run.reconcile import reconcile_run
from src.io.journal.db import open_journal
from tests.kits.builders import ACCOUNT, NOON_UTC
from tests.kits.journal_kit import (
    CLIENT_ID,
    PLAN,
    RUN_ID,
    approved,
    booked,
    charged,
    completed,
    fill,
    intent,
    known,
    later,
    noticed,
    order_ended,
    outcomes_of,
    recorded,
    ref,
    request,
    sent,
    ticket_ended,
    whole_run,
)

LINES = range(1, len(PLAN.tickets) + 1)
Story = list[JournalEvent]


def _executions(line: int, total: Decimal, pieces: int, attempt: int = 1) -> list[Fill]:
    """``pieces`` executions of one share, and one of the rest."""
    singles = [fill(line, 1, attempt, exec_id=f"{line}.{attempt}.{n}.01") for n in range(pieces)]
    return [*singles, fill(line, total - pieces, attempt, exec_id=f"{line}.{attempt}.r.01")]


@st.composite
def stories(draw: st.DrawFn, line: int) -> Story:
    """What may happen to one plan line, as the journal tells it."""
    whole = PLAN.tickets[line - 1].qty_shares
    fills = _executions(line, whole, draw(st.integers(0, 3)))
    traded: Story = [event for one in fills for event in (booked(one), charged(one.exec_id, "1"))]
    first: Story = [intent(line), sent(line), known(line)]
    cut = draw(st.integers(0, len(fills) - 1))
    part = sum((one.qty_shares for one in fills[:cut]), Decimal(0))
    word = TicketStatus.PARTIALLY_FILLED if part else TicketStatus.CANCELLED
    unsent = NotSent(run_id=RUN_ID, at_utc=later(2), order_ref=ref(line), reason="the gate")
    return draw(
        st.sampled_from(
            [
                [*first, *traded, order_ended(line, filled=whole), ticket_ended(line)],
                [
                    *first,
                    *map(booked, fills[:cut]),
                    order_ended(line, "Cancelled", filled=part),
                    ticket_ended(line, word),
                ],
                [
                    *first,
                    noticed(line, 387, "no such algo"),
                    order_ended(line, "Inactive"),
                    intent(line, 2),
                    sent(line, 2),
                    booked(fill(line, whole, 2, exec_id=f"{line}.2.x.01")),
                    order_ended(line, attempt=2, filled=whole),
                    ticket_ended(line),
                ],
                [intent(line), unsent, ticket_ended(line, TicketStatus.SKIPPED, "the gate")],
                [ticket_ended(line, TicketStatus.SKIPPED, "no cash")],
            ]
        )
    )


@st.composite
def runs(draw: st.DrawFn) -> Story:
    """A run whose lines are told in turns, as they are when orders work side by side."""
    waiting = [draw(stories(line)) for line in LINES]
    told: Story = [recorded(), approved()]
    while any(waiting):
        chosen = draw(st.sampled_from([story for story in waiting if story]))
        told.append(chosen.pop(0))
    return told


@given(runs(), st.data())
def test_any_prefix_folds_step_by_step_and_survives_its_text(
    run: Story, data: st.DataObject
) -> None:
    events = run[: data.draw(st.integers(1, len(run)))]
    again = [event_from_text(event_to_text(event)) for event in events]
    assert again == events
    state = fold(events)
    split = data.draw(st.integers(1, len(events)))
    assert fold_on(fold(events[:split]), events[split:]) == state
    for outcome in outcomes_of(events):
        filled = sum((one.qty_shares for one in outcome.fills), Decimal(0))
        assert (outcome.status is TicketStatus.FILLED) <= (filled == outcome.ticket.qty_shares)
        if outcome.status in {TicketStatus.CANCELLED, TicketStatus.REJECTED, TicketStatus.SKIPPED}:
            assert filled == 0


def _truth(run: Story, cut: int) -> tuple[list[Fill], list[CompletedOrder]]:
    """What the broker holds when the process dies after ``cut`` events, once all has settled."""
    out = {one.request.order_ref for one in run[:cut] if isinstance(one, IntentRecorded)}
    fills = [one.fill for one in run if isinstance(one, FillRecorded) and one.fill.order_ref in out]
    done = []
    for line in LINES:
        total = sum((one.qty_shares for one in fills if one.order_ref == ref(line)), Decimal(0))
        done.append(completed(line, filled=total))
    return fills, [one for one in done if one.order_ref in out]


@given(runs(), st.data())
def test_cut_anywhere_and_reconciled_no_fill_is_lost_and_none_invented(
    run: Story, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(2, len(run)))
    fills, done = _truth(run, cut)
    answer = BrokerAnswered(working=(), completed=tuple(done), fills=tuple(fills))
    view = BrokerView(account_id=ACCOUNT, rounds=(answer, answer), held_shares={})
    found = reconcile_run(fold(run[:cut]), view, later(60))
    events = [*run[:cut], *found]
    assert not [one for one in found if isinstance(one, IntentRecorded)]
    outcomes = outcomes_of(events)
    seen = {one.exec_id: one.qty_shares for outcome in outcomes for one in outcome.fills}
    assert seen == {one.exec_id: one.qty_shares for one in fills}
    assert reconcile_run(fold(events), view, later(90)) == ()
    for outcome in outcomes:
        filled = sum((one.qty_shares for one in outcome.fills), Decimal(0))
        assert (outcome.status is TicketStatus.FILLED) == (filled == outcome.ticket.qty_shares)


# --- the file ---------------------------------------------------------------------------------


def _journal_bytes() -> tuple[bytes, bytes]:
    """A journal's main file, and its write-ahead file, as a killed process leaves them."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"{ACCOUNT}.sqlite3"
        with open_journal(path, ACCOUNT) as journal:
            for event in whole_run():
                journal.append(event)
            return path.read_bytes(), path.with_name(f"{path.name}-wal").read_bytes()


MAIN, WAL = _journal_bytes()
RUN = tuple(whole_run())


def _reopened(main: bytes, wal: bytes | None) -> tuple[JournalEvent, ...] | None:
    """What a start reads from these files; None when it refuses them."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"{ACCOUNT}.sqlite3"
        path.write_bytes(main)
        if wal is not None:
            path.with_name(f"{path.name}-wal").write_bytes(wal)
        try:
            with open_journal(path, ACCOUNT) as journal:
                return journal.events(RUN_ID)
        except JournalError:
            return None


SLOW = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(st.integers(0, len(MAIN) * 8 - 1), st.booleans())
def test_a_flipped_bit_is_harmless_or_refused(bit: int, with_wal: bool) -> None:
    damaged = bytearray(MAIN)
    damaged[bit // 8] ^= 1 << bit % 8
    assert _reopened(bytes(damaged), WAL if with_wal else None) in (None, RUN)


def test_a_run_is_not_lost_to_a_damaged_index() -> None:
    name = RUN_ID.encode("ascii")
    at = MAIN.find(name)
    assert at > 0
    while at >= 0:
        damaged = MAIN[:at] + b"1" + MAIN[at + 1 :]
        assert _reopened(damaged, None) in (None, RUN)
        at = MAIN.find(name, at + 1)


@SLOW
@given(st.integers(0, len(MAIN) - 1))
def test_a_truncated_file_is_refused(length: int) -> None:
    assert _reopened(MAIN[:length], None) is None


@SLOW
@given(st.integers(0, len(WAL) - 1), st.booleans())
def test_damage_to_the_write_ahead_file_loses_nothing(at: int, truncate: bool) -> None:
    damaged = WAL[:at] if truncate else WAL[:at] + bytes([WAL[at] ^ 255]) + WAL[at + 1 :]
    assert _reopened(MAIN, damaged) in (None, RUN)


def test_the_undamaged_files_are_read_in_full() -> None:
    assert _reopened(MAIN, WAL) == RUN
    assert _reopened(MAIN, None) == RUN


# --- the gate ---------------------------------------------------------------------------------

PERMIT = TradePermit(
    account_id=ACCOUNT,
    allow_live=False,
    run_id=RUN_ID,
    order_prefix="IBR",
    plan_hash=PLAN.plan_hash,
    tickets=PLAN.tickets,
    held_shares={one.con_id: one.qty_shares for one in PLAN.before.holdings.values()},
    max_order_usd=Decimal(0),
    max_run_usd=Decimal(7000),
    max_orders=3,
    granted_at_utc=NOON_UTC,
    first_order_within_sec=Decimal(60),
    lifetime_sec=Decimal(600),
)


@st.composite
def wild_requests(draw: st.DrawFn) -> OrderRequest:
    """Orders as a broken caller might make them: mostly right, in any order, any quantity."""
    line, attempt = draw(st.sampled_from(LINES)), draw(st.integers(1, 3))
    wild = request(line, attempt, qty=Decimal(draw(st.integers(-5, 160))))
    return draw(
        st.sampled_from(
            [
                wild,
                wild,
                request(line, attempt),
                replace(wild, side=Side.BUY if wild.side is Side.SELL else Side.SELL),
                replace(wild, con_id=7),
                replace(wild, account_id="DU9"),
            ]
        )
    )


@st.composite
def words(draw: st.DrawFn) -> BrokerEvent:
    """What the broker may say about any of our orders, true to what it executed or not."""
    line, attempt = draw(st.sampled_from(LINES)), draw(st.integers(1, 2))
    one = request(line, attempt)
    status = StatusSeen(
        order_id=one.order_id,
        client_id=CLIENT_ID,
        perm_id=1,
        status=draw(st.sampled_from(["Submitted", "Cancelled", "Inactive", "Filled"])),
        filled_shares=Decimal(0),
    )
    error = OrderErrorSeen(order_id=one.order_id, code=draw(st.sampled_from([201, 399])), text="")
    events: list[BrokerEvent] = [status, error, FillSeen(fill=fill(line, 1, attempt))]
    return draw(st.sampled_from(events))


@given(st.lists(st.one_of(wild_requests(), words()), max_size=30))
def test_whatever_is_tried_what_passes_stays_within_the_permit(
    tried: list[OrderRequest | BrokerEvent],
) -> None:
    gate = OrderGate(permit=PERMIT, client_id=CLIENT_ID)
    passed: list[OrderRequest] = []
    is_shut = False
    for one in tried:
        if not isinstance(one, OrderRequest):
            gate.observe(one)
            continue
        try:
            gate.admit(one, Decimal(1))
        except Refused:
            is_shut = True
        else:
            assert not is_shut
            passed.append(one)
    assert len({one.order_ref for one in passed}) == len(passed)
    assert len({one.con_id for one in passed}) <= PERMIT.max_orders
    for ticket in PLAN.tickets:
        ours = [one for one in passed if one.con_id == ticket.con_id]
        assert all(one.side is ticket.side and one.account_id == ACCOUNT for one in ours)
        assert all(0 < one.qty_shares <= ticket.qty_shares for one in ours)
        assert len(ours) <= 2
