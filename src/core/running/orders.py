"""Give each piece of evidence to its order, and take up what the order machine answers.

Whatever forbids further orders (an alarm, a lost connection, an interrupt, a journal that cannot
be written) halts the sending for the whole run; what was sent is followed to its end all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from src.core.orders.codes import READ_ONLY_ADVICE, says_read_only
from src.core.orders.events import BrokerEvent, CommissionSeen, FillSeen, OrderErrorSeen
from src.core.orders.executions import execution_key
from src.core.orders.machine import next_step
from src.core.orders.matching import order_id_of, owner_of, stranger
from src.core.orders.state import (
    Cancel,
    CancelWanted,
    Finish,
    OrderCommand,
    OrderEvent,
    OrderState,
    Phase,
    Place,
    QueryBroker,
    RaiseAlarm,
    SlowDown,
    StartTimer,
    TimerFired,
    TimerKind,
    WriteJournal,
)
from src.core.orders.tickets import (
    TicketState,
    exceeds_limit,
    is_plain_refused,
    is_settled,
    wants_fallback,
    with_order,
)
from src.core.records.orders import Fill
from src.core.running.moves import alarm, conclude, emit, halt, note, put, say, seconds, skip
from src.core.running.pace import slow_down
from src.core.running.parts import Run
from src.core.running.questions import doubt
from src.core.running.words import Log

READ_ONLY: Final = "the gateway's API is read-only"
_LASTING: Final = (TimerKind.ORDER, TimerKind.LAST)


def take_evidence(run: Run, event: BrokerEvent) -> Run:
    """One message of the broker about an order."""
    owner = _owner(run, event)
    if owner is None:
        return _take_unowned(run, event)
    ref = owner.request.order_ref
    run = feed(run, ref, event)
    if isinstance(event, OrderErrorSeen) and says_read_only(event.code, event.text):
        return halt_read_only(run)
    known = (
        run.early.get(execution_key(event.fill.exec_id)) if isinstance(event, FillSeen) else None
    )
    return run if known is None else feed(run, ref, known)


def feed(run: Run, order_ref: str, event: OrderEvent) -> Run:
    """Give one event to one order and do what follows."""
    before = next(one for one in run.orders if one.request.order_ref == order_ref)
    after, commands = next_step(before, event, run.moment.at_utc)
    run = put(run, with_order(run.ticket(before.line), after))
    run = emit(run, *_changes(before, after))
    run = note(run, *(one.event for one in commands if isinstance(one, WriteJournal)))
    for command in commands:
        run = _perform(run, order_ref, command)
    return _look_at_ticket(run, before.line)


def feed_all(run: Run, orders: Iterable[OrderState], event: OrderEvent) -> Run:
    """Give one event to several orders."""
    for order in orders:
        run = feed(run, order.request.order_ref, event)
    return run


def fire_timers(run: Run) -> Run:
    """Tell the orders whose deadlines have passed."""
    for key in [key for key, moment in run.timers.items() if moment <= run.moment.elapsed]:
        if key in run.timers:
            run = _without_timers(run, {key})
            run = feed(run, key[0], TimerFired(kind=key[1], said=run.moment.said))
    return run


def halt_read_only(run: Run) -> Run:
    """The gateway takes no orders at all: one more would be refused like the last."""
    text = f"{READ_ONLY} and refuses every order; {READ_ONLY_ADVICE}, then run again"
    if text not in run.alarms:
        run = run._replace(alarms=(*run.alarms, text))
    return halt(run, READ_ONLY)


def fallback_is_due(run: Run, ticket: TicketState) -> bool:
    """True when a plain market order for the rest of the ticket is to follow."""
    refused = is_plain_refused(run.orders)
    return wants_fallback(ticket, run.terms.settings.execution, is_plain_refused=refused)


def _owner(run: Run, event: BrokerEvent) -> OrderState | None:
    """The order an event is about: the one its id suggests, else any that it names."""
    order_id = order_id_of(event)
    suggested = [order for order in run.orders if order.request.order_id == order_id]
    return owner_of(event, (*suggested, *run.orders))


def _perform(run: Run, order_ref: str, command: OrderCommand) -> Run:
    if isinstance(command, Place):
        return emit(run, command)
    if isinstance(command, Cancel):
        return _queue_cancel(run, command.order_id)
    if isinstance(command, RaiseAlarm):
        return alarm(run, command.text)
    return _arrange(run, order_ref, command)


def _arrange(run: Run, order_ref: str, command: OrderCommand) -> Run:
    """What an order wants of the clock, the pace and the next question."""
    if isinstance(command, QueryBroker):
        return doubt(run, order_ref)
    if isinstance(command, StartTimer):
        moment = run.moment.elapsed + seconds(command.seconds)
        return run._replace(timers={**run.timers, (order_ref, command.kind): moment})
    if isinstance(command, SlowDown):
        return slow_down(run)
    if not isinstance(command, Finish):
        return run
    # It has a status. Its time limit goes on: it may show life again.
    mine = {key for key in run.timers if key[0] == order_ref and key[1] not in _LASTING}
    return _without_timers(run, mine)


def _without_timers(run: Run, keys: set[tuple[str, TimerKind]]) -> Run:
    return run._replace(timers={key: at for key, at in run.timers.items() if key not in keys})


def _queue_cancel(run: Run, order_id: int) -> Run:
    """A cancel waits for a line that may come back; nobody waits for one that will not."""
    if not (run.link.is_open or run.link.is_reconnecting):
        return say(run, f"cancel not sent, there is no connection order_id={order_id}", "error")
    if order_id in run.cancels:
        return run
    return run._replace(cancels=(*run.cancels, order_id))


def _look_at_ticket(run: Run, line: int) -> Run:
    if exceeds_limit(run.ticket(line)):
        run = _prevent_over_fill(run, run.ticket(line))
    ticket = run.ticket(line)
    if not is_settled(ticket) or line in run.lines:
        return run
    return _send_rest(run, ticket) if fallback_is_due(run, ticket) else conclude(run, line)


def _send_rest(run: Run, ticket: TicketState) -> Run:
    """The algo was refused: what is left goes as plain market, unless the run is over."""
    if run.stage.is_after_orders:
        return skip(run, ticket.line, "not sent: the algo's refusal came after the run")
    text = f"{ticket.ticket.symbol}: algo refused, a plain market order follows"
    run = say(run._replace(lines=(ticket.line, *run.lines)), text, "warning")
    return halt(run, run.halt_reason) if run.halt_reason else run


def _prevent_over_fill(run: Run, ticket: TicketState) -> Run:
    """A fill came in after the rest was sent anew: end the rest before it is too much."""
    if ticket.filled_shares > ticket.limit_shares:
        run = alarm(run, f"{ticket.ticket.symbol}: more executed than approved")
    late = [order for order in ticket.orders if order.is_open and not order.end_wish]
    return feed_all(run, late, CancelWanted(reason="late fill of the first order"))


def _take_unowned(run: Run, event: BrokerEvent) -> Run:
    if isinstance(event, CommissionSeen):
        return run._replace(early={**run.early, execution_key(event.exec_id): event})
    if isinstance(event, FillSeen):
        return _check_stranger(run, event.fill)
    return say(run, f"message about no order of this run kind={type(event).__name__}")


def _check_stranger(run: Run, fill: Fill) -> Run:
    terms = run.terms
    if fill.order_ref in terms.earlier_refs:
        return run
    text = stranger(fill, terms.permit.account_id, terms.client_id, terms.since_utc)
    return alarm(run, text) if text else run


def _changes(before: OrderState, after: OrderState) -> Iterator[Log]:
    """What a step changed, for the log."""
    ref = after.request.order_ref
    yield from _progress(before, after, ref)
    for notice in after.notices[len(before.notices) :]:
        yield Log(text=f"order notice ref={ref} text={notice}")
    for fault in after.faults[len(before.faults) :]:
        yield Log(text=f"order contradiction ref={ref} text={fault}", level="error")


def _progress(before: OrderState, after: OrderState, ref: str) -> Iterator[Log]:
    if len(after.fills) > len(before.fills):
        shares = f"filled_shares={after.filled_shares} of={after.request.qty_shares}"
        yield Log(text=f"order executed ref={ref} {shares}")
    has_moved = after.phase is not before.phase or after.status is not before.status
    if has_moved and after.phase is not Phase.SENDING:  # who sends says so, with all its terms
        status = after.status.value if after.status else after.broker_status
        yield Log(text=f"order {after.phase.value} ref={ref} status={status}")
    if after.reason and after.reason != before.reason:
        text = f"{after.request.symbol} order {ref}: {after.reason}"
        yield Log(text=text, level="warning" if after.error_code else "info")
