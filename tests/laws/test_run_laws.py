"""Laws of the run machine, whatever comes in whatever order: no sane broker stands behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from src.core.journal.events import IntentRecorded
from src.core.orders.events import FillSeen, LinkSeen, LinkState, OrderErrorSeen, StatusSeen
from src.core.orders.state import (
    AnswerMissing,
    BrokerAnswered,
    CancelWanted,
    Place,
    PlaceRefused,
    PlaceReturned,
    PlaceUncertain,
)
from src.core.records.orders import OrderRequest
from src.core.running.machine import next_step
from src.core.running.parts import Run, Stage
from src.core.running.words import (
    Answered,
    Claimed,
    ClaimOrderId,
    Commit,
    DeskCame,
    Placed,
    Read,
    RunCommand,
    RunEvent,
    Written,
)
from tests.kits import execution_kit as kit
from tests.kits.builders import quote, snapshot
from tests.kits.execution_kit import at, buy, run_of, sell
from tests.kits.fakes import CLIENT_ID, FakeDesk
from tests.kits.orders_kit import fill

WORDS = ("PreSubmitted", "Submitted", "Filled", "Cancelled", "Inactive")
STORY = 40
PATIENT = 60
Chosen = tuple[str, int, int]

chosen = st.tuples(
    st.sampled_from(
        (
            *("status", "status", "fill", "fill", "error", "answer", "silence", "wait", "wait"),
            *("read", "quotes", "lost", "back", "desk", "no desk", "line lost", "stop"),
        )
    ),
    st.integers(0, 7),
    st.integers(0, 10),
)


def event_of(run: Run, choice: Chosen) -> RunEvent | None:
    """What comes next; None where nothing of the kind could come."""
    kind, which, number = choice
    if kind in ("status", "fill", "error"):
        return _about_an_order(run, choice)
    generation = run.link.generation
    events: dict[str, RunEvent] = {
        "answer": Answered(evidence=BrokerAnswered(working=(), completed=(), fills=())),
        "silence": Answered(evidence=AnswerMissing(reason="no answer")),
        "read": Read(account=snapshot({}, number * 1000)),
        "quotes": Read(quotes={f"B{n}": (quote(f"B{n}", last=100),) for n in range(which)}),
        "lost": LinkSeen(state=LinkState.SOCKET_LOST, generation=generation),
        "line lost": LinkSeen(state=LinkState.UPSTREAM_LOST, generation=generation),
        "back": LinkSeen(state=LinkState.UPSTREAM_BACK, generation=generation),
        "desk": DeskCame(generation=generation + 1),
        "no desk": DeskCame(failed="refused"),
        "stop": CancelWanted(reason="interrupted"),
    }
    is_idle = {
        "answer": not run.question.is_under_way,
        "silence": not run.question.is_under_way,
        "desk": not run.link.is_reconnecting,
        "no desk": not run.link.is_reconnecting,
        "stop": run.was_interrupted,
    }
    return None if is_idle.get(kind) else events.get(kind)


def _about_an_order(run: Run, choice: Chosen) -> RunEvent | None:
    kind, which, number = choice
    if not run.orders:
        return None
    request = run.orders[which % len(run.orders)].request
    if kind == "status":
        return StatusSeen(
            order_id=request.order_id,
            client_id=CLIENT_ID,
            perm_id=request.order_id,
            status=WORDS[number % len(WORDS)],
            filled_shares=Decimal(0),
        )
    if kind == "error":
        code = (201, 202, 442, 399, 10147)[number % 5]
        return OrderErrorSeen(order_id=request.order_id, code=code, text="said so")
    some = fill(number, f"{request.order_id}.{number}.01")
    about = replace(some, order_ref=request.order_ref, con_id=request.con_id, side=request.side)
    return FillSeen(fill=replace(about, account_id=request.account_id))


def carried_out(run: Run, commands: tuple[RunCommand, ...], number: int) -> Iterator[RunEvent]:
    """What the shell's own commands bring at once; the journal and the wire fail now and then."""
    is_on_record = True
    for command in commands:
        if isinstance(command, Commit):
            is_on_record = number != 1
            error = "" if is_on_record else "disk full"
            yield Written(records=len(command.records) if is_on_record else 0, error=error)
        elif isinstance(command, ClaimOrderId):
            yield Claimed(order_id=len(run.orders) + 1) if number != 2 else Claimed(refused="none")
        elif isinstance(command, Place):
            yield _placed(command, number, is_on_record=is_on_record)


def _placed(command: Place, number: int, *, is_on_record: bool) -> Placed:
    ref = command.request.order_ref
    if not is_on_record:
        return Placed(order_ref=ref, how=PlaceRefused(reason="no record"), is_on_record=False)
    if number == 3:
        return Placed(order_ref=ref, how=PlaceUncertain(reason="broke"))
    return Placed(order_ref=ref, how=PlaceReturned())


def stage_of(sells: int, buys: int, *, batch: bool) -> kit.Stage:
    tickets = (*(sell(f"S{n}") for n in range(sells)), *(buy(f"B{n}") for n in range(buys)))
    stage = kit.Stage(tickets=tickets, desk=FakeDesk(cash=Decimal(5000)))
    return kit.with_settings(stage, batch_orders=batch, algo_preference="adaptive")


@dataclass(slots=True)
class Watched:
    """A run, and what left it so far: every order is held against the rules as it leaves."""

    run: Run
    sec: float = 0
    recorded: set[str] = field(default_factory=set)
    placed: set[str] = field(default_factory=set)
    came: list[RunEvent] = field(default_factory=list)

    def step(self, choice: Chosen) -> None:
        was_halted = bool(self.run.halt_reason)
        self.run, commands = next_step(self.run, self.came, at(self.sec))
        self._note(commands)
        sending = [one.request for one in commands if isinstance(one, Place)]
        assert len(sending) <= 1
        for request in sending:
            assert not was_halted
            self._hold(request)
        self.came = list(carried_out(self.run, commands, choice[1]))
        event = event_of(self.run, choice)
        self.came += [event] if event is not None else []
        self.sec += 37.0 if choice[0] == "wait" else 0.1

    def _note(self, commands: tuple[RunCommand, ...]) -> None:
        for command in commands:
            records = command.records if isinstance(command, Commit) else ()
            intents = [one for one in records if isinstance(one, IntentRecorded)]
            self.recorded |= {one.request.order_ref for one in intents}

    def _hold(self, request: OrderRequest) -> None:
        assert request.order_ref in self.recorded, "an order leaves after its record"
        assert request.order_ref not in self.placed, "and once"
        assert not self.run.halt_reason
        assert self.run.link.is_usable
        assert not self.run.gap.is_open
        order = next(one for one in self.run.orders if one.request == request)
        ticket = self.run.ticket(order.line)
        assert request.qty_shares <= ticket.limit_shares <= ticket.ticket.qty_shares
        assert request.side is ticket.ticket.side
        self.placed.add(request.order_ref)


@settings(max_examples=150)
@given(st.integers(0, 3), st.integers(0, 3), st.booleans(), st.lists(chosen, max_size=STORY))
def test_whatever_comes_no_order_breaks_a_rule_and_the_run_ends(
    sells: int, buys: int, batch: bool, story: list[Chosen]
) -> None:
    watched = Watched(run=run_of(stage_of(sells, buys, batch=batch)))
    for choice in story:
        watched.step(choice)
    for kind in ("silence", "no desk", "wait") * PATIENT:
        watched.step((kind, 0, 0))
    assert watched.run.stage is Stage.OVER
    assert not watched.run.unwritten
    assert not watched.run.open_orders
