"""Laws of a whole run against a broker that behaves at random, in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from src.core.journal.events import FillRecorded, IntentRecorded
from src.core.orders.events import LinkState
from src.core.records.orders import Side, TicketStatus
from src.core.run.fold import fold
from src.core.run.outcome import recorded_status
from src.core.running.parts import Run
from tests.kits.execution_kit import Stage, buy, sell, with_settings
from tests.kits.fakes import (
    Behaviour,
    FakeDesk,
    FakeOrder,
    drops_after,
    drops_before,
    falsely_called_dead,
    fills,
    fills_on,
    found_again,
    gate_refuses,
    ignores,
    parked,
    rejects,
    rests,
)

CASH = Decimal(1500)
FLOOR = 200


def twice_told(order: FakeOrder) -> None:
    """Everything the broker says about this order comes twice."""
    order.later(0.05, order.acknowledge)
    order.later(0.06, order.acknowledge)
    order.later(0.1, order.execute, 4)
    order.later(0.11, _repeat_executions, order)
    order.later(0.2, order.fill)
    order.later(0.21, _repeat_executions, order)
    order.later(0.22, order.say, "Filled")


def _repeat_executions(order: FakeOrder) -> None:
    from src.core.orders.events import FillSeen

    for one in order.desk.booked:
        if one.order_ref == order.request.order_ref:
            order.desk.emit(FillSeen(fill=one))


def silent_fill(order: FakeOrder) -> None:
    """The execution comes, and no status ever."""
    order.later(0.1, order.execute)


def partly_refused(order: FakeOrder) -> None:
    order.later(0.1, order.fill, 3)
    order.later(0.2, order.reject, 442, "algo not allowed")


behaviours: st.SearchStrategy[Behaviour] = st.sampled_from(
    [
        fills(),
        fills(after=2.5),
        fills(parts=(3,)),
        fills(parts=(3, 3, 4)),
        rejects(),
        rejects(442, "algo not allowed"),
        rejects(387, "unsupported order type"),
        ignores,
        rests,
        drops_before,
        drops_after,
        gate_refuses,
        twice_told,
        silent_fill,
        partly_refused,
        found_again(60),
        found_again(400),
        falsely_called_dead(19.5),
        falsely_called_dead(0.1, "Filled"),
        parked(8),
        fills_on(60),
    ]
)


@st.composite
def stages(draw: st.DrawFn) -> Stage:
    sides = draw(st.lists(st.sampled_from([sell, buy]), min_size=1, max_size=5))
    sides.sort(key=lambda make: make is buy)
    tickets = tuple(make(f"T{number}") for number, make in enumerate(sides))
    stage = Stage(tickets=tickets, desk=FakeDesk(cash=CASH), floor_usd=FLOOR)
    for ticket in tickets:
        stage.behave(ticket.symbol, draw(behaviours), draw(behaviours))
    stage.desk.answers_cancel = draw(st.booleans())
    stage.desk.can_reconnect = draw(st.booleans())
    return with_settings(
        stage,
        algo_preference=draw(st.sampled_from(["adaptive", "none"])),
        batch_orders=draw(st.booleans()),
        order_timeout_sec=Decimal(draw(st.sampled_from([1, 20, 300]))),
    )


@st.composite
def disturbances(draw: st.DrawFn) -> tuple[str, float, float]:
    kind = draw(st.sampled_from(["none", "interrupt", "break off", "outage"]))
    return kind, draw(st.sampled_from([0.0, 0.05, 0.15, 3.0])), draw(st.sampled_from([1.0, 200.0]))


def play(stage: Stage, disturbance: tuple[str, float, float]) -> Run:
    kind, after, lasting = disturbance

    async def disturb(stage: Stage) -> None:
        await asyncio.sleep(after)
        if kind == "interrupt":
            stage.stop.set()
        elif kind == "break off":
            stage.desk.break_off()
        elif kind == "outage":
            stage.desk.link(LinkState.UPSTREAM_LOST, 1100)
            await asyncio.sleep(lasting)
            stage.desk.link(LinkState.UPSTREAM_BACK, 1102)

    return stage.play(disturb)


@settings(max_examples=150)
@given(stages(), disturbances())
def test_whatever_happens_the_money_rules_hold(
    stage: Stage, disturbance: tuple[str, float, float]
) -> None:
    result = play(stage, disturbance)
    placed = stage.desk.placed()
    # Each attempt once; at most the approved quantity per line, the approved side only.
    assert max(Counter(one.order_ref for one in placed).values(), default=0) <= 1
    for outcome in result.outcomes:
        ticket = outcome.ticket
        filled = [one for one in stage.desk.booked if one.symbol == ticket.symbol]
        assert all(one.side is ticket.side for one in filled)
        assert sum((one.qty_shares for one in filled), Decimal(0)) <= ticket.qty_shares
    # Cash stays above the floor: buys are paid from proven money only.
    spent = sum(
        (one.qty_shares * one.price_usd for one in stage.desk.booked if one.side is Side.BUY),
        Decimal(0),
    )
    earned = sum(
        (one.qty_shares * one.price_usd for one in stage.desk.booked if one.side is Side.SELL),
        Decimal(0),
    )
    assert CASH + earned - spent >= FLOOR
    # A filled ticket has the broker's own executions behind it.
    for outcome in result.outcomes:
        if outcome.status is not TicketStatus.UNRESOLVED:
            at_broker = {
                one.exec_id for one in stage.desk.booked if one.symbol == outcome.ticket.symbol
            }
            assert {one.exec_id for one in outcome.fills} == at_broker


@settings(max_examples=60)
@given(stages(), disturbances())
def test_a_journal_cut_anywhere_can_be_read_and_forgets_no_order(
    stage: Stage, disturbance: tuple[str, float, float]
) -> None:
    play(stage, disturbance)
    journal = stage.journal.events
    for length in range(1, len(journal) + 1):
        state = fold(journal[:length])
        announced = {
            event.request.order_ref
            for event in journal[:length]
            if isinstance(event, IntentRecorded)
        }
        assert {one.request.order_ref for one in state.orders} == announced
        booked = {e.fill.exec_id for e in journal[:length] if isinstance(e, FillRecorded)}
        assert booked == {one.exec_id for line in state.tickets for one in line.fills}
        for line in state.tickets:
            if recorded_status(line) is TicketStatus.FILLED:
                assert line.filled_shares == line.limit_shares
