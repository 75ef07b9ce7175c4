"""A whole confirmed run as a pure state machine: ``next_step(run, events, now)`` → run, commands.

Events are what the broker, the clock and the user did; commands are carried out in the order
given, and what they bring are events again. What came together is taken together and committed to
the journal in one go, before the next message leaves. Sells go first, then the buys fitted to the
cash that is proven, then what is still outstanding about them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from src.core.account.account_rules import spendable_now
from src.core.batches import first_states, lines_of
from src.core.orders.events import LinkSeen
from src.core.orders.state import CancelWanted, Place
from src.core.records.orders import Side
from src.core.run.ticket_outcome import progress_of
from src.core.running.buys import (
    begin_buys,
    read_quotes,
    take_account_prices,
    take_funds,
    take_quotes,
)
from src.core.running.end import (
    await_commissions,
    begin_reading,
    end_orders,
    lacks_commissions,
    listen_late,
    read_account,
    take_account,
)
from src.core.running.gaps import look_when_due, next_look
from src.core.running.link import (
    desk_came,
    give_up,
    give_up_when_due,
    interrupt,
    lost_for_good_at,
    on_link,
    take_answer,
)
from src.core.running.moves import emit, queue
from src.core.running.orders import fire_timers, take_evidence
from src.core.running.pace import AT_FIRST
from src.core.running.parts import Link, Means, Now, Run, Stage, Terms
from src.core.running.questions import ask_if_due
from src.core.running.sends import claimed, next_send, placed, send_if_due, written
from src.core.running.words import (
    Answered,
    Call,
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

LAST_RESORT: Final = timedelta(seconds=600)
"""Every open order has a deadline; should one ever lack it, the run ends all the same."""


def first_run(terms: Terms, generation: int, now: Now) -> Run:
    """A run of which nothing was sent yet; the first step begins it."""
    tickets = first_states(terms.plan)
    # The plan's prices were read after the answer.
    means = Means(spendable_usd=spendable_now(terms.before), read_at=now.elapsed)
    return Run(
        terms=terms,
        moment=now,
        tickets=tickets,
        means=means,
        link=Link(generation=generation),
        spacing=AT_FIRST,
        heard_at=now.elapsed,
        rest=lines_of(tickets, Side.SELL),
    )


def next_step(run: Run, events: Iterable[RunEvent], now: Now) -> tuple[Run, tuple[RunCommand, ...]]:
    """What these events and the time change, and what is to be done about it."""
    came = tuple(events)
    is_quiet = not came and _deadline(run) is None
    run = run._replace(moment=now)
    for event in came:
        run = _take(run, event)
    run = _pass_time(run, is_quiet=is_quiet)
    run = _advance(send_if_due(_advance(run)))
    run = _show(_write(ask_if_due(run), came))
    return run._replace(out=()), run.out


def wake_at(run: Run) -> timedelta:
    """When the next step is due although nothing has come."""
    deadline = _deadline(run)
    return run.heard_at + LAST_RESORT if deadline is None else deadline


# --- what came ------------------------------------------------------------------------------------


def _take(run: Run, event: RunEvent) -> Run:
    if isinstance(event, LinkSeen):
        return on_link(run, event)
    if isinstance(event, CancelWanted):
        return interrupt(run)
    if isinstance(event, (Claimed, Written, Placed)):
        return _take_done(run, event)
    if isinstance(event, Read):
        return run._replace(read=event)
    if isinstance(event, Answered):
        return take_answer(run, event)
    return desk_came(run, event) if isinstance(event, DeskCame) else take_evidence(run, event)


def _take_done(run: Run, event: Claimed | Written | Placed) -> Run:
    if isinstance(event, Claimed):
        return claimed(run, event)
    return written(run, event) if isinstance(event, Written) else placed(run, event)


def _pass_time(run: Run, *, is_quiet: bool) -> Run:
    """Whatever is due by now; ``is_quiet``: nothing came and nothing was waited for."""
    run = give_up_when_due(look_when_due(fire_timers(run)))
    if not is_quiet:
        return run._replace(heard_at=run.moment.elapsed)
    if run.moment.elapsed < run.heard_at + LAST_RESORT:
        return run
    return give_up(run, f"nothing was heard for {LAST_RESORT / timedelta(seconds=1):.0f} s")


def _deadline(run: Run) -> timedelta | None:
    own = (run.until, run.give_up_at, next_look(run), lost_for_good_at(run), next_send(run))
    return min((one for one in (*own, *run.timers.values()) if one is not None), default=None)


# --- the stages: when each is over, and what then -------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """A stage is over when ``is_over`` says so; ``then`` begins the next."""

    is_over: Callable[[Run], bool]
    then: Callable[[Run], Run]


def _advance(run: Run) -> Run:
    while run.stage is not Stage.OVER and STAGES[run.stage].is_over(run):
        run = STAGES[run.stage].then(run)
    return run


def _orders_ended(run: Run) -> bool:
    is_idle = not (run.lines or run.cancels or run.link.is_reconnecting)
    return is_idle and not run.open_orders


def _is_read(run: Run) -> bool:
    return run.read is not None or _is_time(run)


def _is_read_or_void(run: Run) -> bool:
    """What the buys need is not waited for once the user wants an end."""
    return _is_read(run) or run.was_interrupted


def _is_time(run: Run) -> bool:
    return run.until is not None and run.moment.elapsed >= run.until


def _may_read(run: Run) -> bool:
    return bool(run.halt_reason) or (run.link.is_usable and not run.gap.is_open)


def _has_commissions(run: Run) -> bool:
    return _is_time(run) or not lacks_commissions(run)


def _read_then(take: Callable[[Run], Run]) -> Callable[[Run], Run]:
    """Go on with what was read; nobody waits for the rest."""

    def then(run: Run) -> Run:
        run = run._replace(until=None)
        return take(emit(run, Call.DROP_READING) if run.read is None else run)

    return then


def _next_sells(run: Run) -> Run:
    """One batch, or one order after another; the buys when all have ended."""
    if not run.rest:
        return _begin_buys(run)
    at_once = len(run.rest) if run.terms.settings.execution.batch_orders else 1
    lines, rest = run.rest[:at_once], run.rest[at_once:]
    return queue(run._replace(rest=rest), lines)


def _begin_buys(run: Run) -> Run:
    sells, buys = lines_of(run.tickets, Side.SELL), lines_of(run.tickets, Side.BUY)
    return begin_buys(run, buys, after_sells=bool(sells)) if buys else end_orders(run)


def _next_buys(run: Run) -> Run:
    return begin_buys(run, run.rest, after_sells=False) if run.rest else end_orders(run)


STAGES: Final[Mapping[Stage, _Rule]] = {
    Stage.SELLS: _Rule(is_over=_orders_ended, then=_next_sells),
    Stage.FUNDS: _Rule(is_over=_is_read_or_void, then=_read_then(take_funds)),
    Stage.CONNECTION: _Rule(is_over=_may_read, then=read_quotes),
    Stage.QUOTES: _Rule(is_over=_is_read_or_void, then=_read_then(take_quotes)),
    Stage.PRICES: _Rule(is_over=_is_read_or_void, then=_read_then(take_account_prices)),
    Stage.BUYS: _Rule(is_over=_orders_ended, then=_next_buys),
    Stage.ORDERS: _Rule(is_over=_orders_ended, then=listen_late),
    Stage.LATE_FILLS: _Rule(is_over=_is_time, then=await_commissions),
    Stage.COMMISSIONS: _Rule(is_over=_has_commissions, then=begin_reading),
    Stage.ACCOUNT: _Rule(is_over=_is_read, then=_read_then(take_account)),
    Stage.PAUSE: _Rule(is_over=_is_time, then=read_account),
}
"""Every stage but the last."""


# --- what is to be done ---------------------------------------------------------------------------


def _write(run: Run, came: tuple[RunEvent, ...]) -> Run:
    """What is noted goes to disk before anything leaves; with the next intent, if one is due."""
    is_claiming = any(isinstance(one, ClaimOrderId) for one in run.out)
    if not run.unwritten or is_claiming or _has_just_failed(run, came):
        return run
    return run._replace(out=(Commit(records=run.unwritten), *run.out))


def _has_just_failed(run: Run, came: tuple[RunEvent, ...]) -> bool:
    """A commit that failed is tried again with the next that comes, not at once."""
    is_sending = any(isinstance(one, Place) for one in run.out)
    is_news = not came or any(not isinstance(one, Written) or not one.error for one in came)
    return not (is_sending or is_news)


def _show(run: Run) -> Run:
    """Tell the live display what changed, once nothing leaves any more."""
    is_sending = any(isinstance(one, (ClaimOrderId, Place)) for one in run.out)
    if is_sending or run.shown == run.tickets:
        return run
    known = run.shown or (None,) * len(run.tickets)
    shown = [
        progress_of(ticket)
        for ticket, before in zip(run.tickets, known, strict=True)
        if before is None or progress_of(before) != progress_of(ticket)
    ]
    return emit(run._replace(shown=run.tickets), *shown)
