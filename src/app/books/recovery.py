"""Settle what earlier runs left: ask the broker, append the findings, close what is proven.

Runs before anything may be traded, with the account's lock held. It reads and writes the journal
and reads the broker; it never sends or cancels anything. What it cannot prove stays open until
the user takes the run over by name. The deciding is done by ``src.core.run.reconcile``.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from src.base.errors import ExitCode, InputError, Refused
from src.core.journal.events import FillRecorded, JournalEvent, RunAccepted, RunClosed
from src.core.orders.ref import parse_order_ref
from src.core.orders.state import BrokerAnswered, Patience
from src.core.records.account import AccountSnapshot
from src.core.records.market import Price, PriceBook
from src.core.records.orders import Fill, WorkingOrder
from src.core.records.plan import Valuation
from src.core.run.broker_view import BrokerView, find_strangers
from src.core.run.fold import fold, fold_on
from src.core.run.outcome import is_open, run_exit_code, unresolved_tickets
from src.core.run.reconcile import needs_another_look, reconcile_run, working_orders
from src.core.run.state import RunState
from src.core.valuation import value_account

if TYPE_CHECKING:
    from src.broker.ports import MarketView
    from src.io.journal.db import JournalDb

_SEE_OPEN: Final = " (`python rebalance.py --recover` tells more)"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a recovery did: runs closed now, runs still open, and what carries our mark unknown.

    ``settled`` runs have no post-trade report yet unless their ``report`` says so. ``working``
    are the orders of open runs that the broker lists as open, by run id; None where its lists
    are closed to us. ``late`` are executions of runs that were accepted without them,
    ``fills`` all executions of the account that the broker lists, ``held_shares`` its positions
    by contract now (None where nothing was in doubt, or they cannot be read).
    """

    settled: tuple[RunState, ...] = ()
    still_open: tuple[RunState, ...] = ()
    working: Mapping[str, tuple[WorkingOrder, ...] | None] = field(default_factory=dict)
    late: tuple[FillRecorded, ...] = ()
    strangers: tuple[Fill, ...] = ()
    fills: tuple[Fill, ...] = ()
    held_shares: Mapping[int, Decimal] | None = None

    def then(self, later: Recovery) -> Recovery:
        """What this and a later recovery did, taken together."""
        settled, late = (*self.settled, *later.settled), (*self.late, *later.late)
        return replace(later, settled=settled, late=late)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The time now (UTC), and the pause between two rounds of questions."""

    now: Callable[[], datetime]
    pause: Callable[[], Awaitable[None]]


async def recover_runs(
    view: MarketView, journal: JournalDb, moments: Moments, order_prefix: str
) -> Recovery:
    """Reconcile every open run of the account with the broker and close what is settled.

    With no run in doubt the broker is asked once, for orders of ours that the journal lacks.
    Raises: BrokerLost when the broker does not answer, JournalError.
    """
    left = journal.open_runs()
    in_doubt = [state for state in left if state.has_orders]
    settled = [
        _append_all(journal, state.run_id, (_closing(state, moments.now(), None),))
        for state in left
        if not state.has_orders
    ]
    known_refs = frozenset(intent.request.order_ref for intent in journal.intents())
    seen = await _look(view, in_doubt, moments)
    snapshot = await _account_now(view) if in_doubt else None
    held = snapshot.held_shares if snapshot else {}
    seen = replace(seen, held_shares=held)
    still_open: list[RunState] = []
    for state in in_doubt:
        found = reconcile_run(state, seen, moments.now())
        looked_at = fold_on(state, found)
        if unresolved_tickets(looked_at):
            still_open.append(_append_all(journal, state.run_id, found))
        else:
            closing = _closing(looked_at, moments.now(), snapshot)
            settled.append(_append_all(journal, state.run_id, (*found, closing)))
    return Recovery(
        settled=tuple(settled),
        still_open=tuple(still_open),
        working={state.run_id: working_orders(state, seen) for state in still_open},
        late=_late_fills(journal, seen, moments.now()),
        strangers=find_strangers(seen, order_prefix, known_refs),
        fills=seen.fills,
        held_shares=snapshot.held_shares if snapshot else None,
    )


def _late_fills(journal: JournalDb, seen: BrokerView, at_utc: datetime) -> tuple[FillRecorded, ...]:
    """What was executed for runs that the user had taken over: on record, their reports anew."""
    late: list[FillRecorded] = []
    for state in journal.accepted_runs():
        found = reconcile_run(state, seen, at_utc)
        fills = [event for event in found if isinstance(event, FillRecorded)]
        if fills and state.closed is not None:
            closing = replace(state.closed, at_utc=at_utc)
            _append_all(journal, state.run_id, (*found, closing))
        late += fills
    return tuple(late)


def accept_run(journal: JournalDb, run_id: str, at_utc: datetime) -> RunState:
    """The user takes over what of this run cannot be proven; it blocks trading no longer.

    Raises: InputError when there is no such open run, JournalError.
    """
    events = journal.events(run_id)
    if not events:
        known = ", ".join(state.run_id for state in journal.open_runs()) or "none"
        raise InputError(f"the journal has no run {run_id}; open runs: {known}{_SEE_OPEN}")
    state = fold(events)
    if not is_open(state):
        raise InputError(f"run {run_id} is settled already; there is nothing to accept")
    reason = f"{len(unresolved_tickets(state))} tickets taken over unproven"
    return _take_over(journal, state, at_utc, reason)


def close_simulated_runs(
    journal: JournalDb, at_utc: datetime, kept_refs: frozenset[str] = frozenset()
) -> None:
    """A new embedded gateway knows nothing of an old one's orders: close what that one left.

    Runs with one of the orders that a kept gateway remembers (``kept_refs``) are left to be asked
    about. Raises: JournalError.
    """
    kept = {ref.run_id for ref in map(parse_order_ref, kept_refs) if ref is not None}
    for state in journal.open_runs():
        if state.run_id in kept:
            continue
        _take_over(journal, state, at_utc, "its simulated gateway is gone")


def _take_over(journal: JournalDb, state: RunState, at_utc: datetime, reason: str) -> RunState:
    found: list[JournalEvent] = [RunAccepted(run_id=state.run_id, at_utc=at_utc, reason=reason)]
    if state.closed is None:
        exit_code = int(run_exit_code(state))
        found.append(RunClosed(run_id=state.run_id, at_utc=at_utc, exit_code=exit_code))
    return _append_all(journal, state.run_id, tuple(found))


async def _look(view: MarketView, in_doubt: Sequence[RunState], moments: Moments) -> BrokerView:
    """Ask until nothing is left in doubt, as often as a live run would."""
    seen = BrokerView(account_id=view.account_id, rounds=(await _ask(view),), held_shares={})
    while any(needs_another_look(state, seen, moments.now()) for state in in_doubt):
        if len(seen.rounds) == Patience().rounds:
            break
        await moments.pause()
        seen = replace(seen, rounds=(*seen.rounds, await _ask(view)))
    return seen


async def _ask(view: MarketView) -> BrokerAnswered:
    """One round of questions; executions last, so that an order ending in between is seen."""
    working = await view.fetch_working_orders()
    completed = await view.fetch_completed_orders()
    return BrokerAnswered(working=working, completed=completed, fills=await view.fetch_fills())


async def _account_now(view: MarketView) -> AccountSnapshot | None:
    """The account for hints and for the report; findings are put on record without it too.

    An account that may not be traded (a short position, for one) is settled all the same.
    """
    try:
        return await view.fetch_snapshot(fresh=True)
    except Refused as error:
        log.warning("the account is left out of the recovery: %s", error)
        return None


def _append_all(journal: JournalDb, run_id: str, found: tuple[JournalEvent, ...]) -> RunState:
    """All findings at once: a run is never settled without being closed, so its report follows."""
    if found:
        journal.append_all(found)
    for event in found:
        log.info("recovery noted run=%s event=%s", run_id, type(event).__name__)
    return fold(journal.events(run_id))


def _closing(state: RunState, at_utc: datetime, snapshot: AccountSnapshot | None) -> RunClosed:
    """A settled run's end; the account afterwards is valued where the broker gave prices."""
    exit_code = run_exit_code(state) if state.has_orders else ExitCode.OK
    return RunClosed(
        run_id=state.run_id,
        at_utc=at_utc,
        exit_code=int(exit_code),
        after=_account_after(state, snapshot) if snapshot is not None else None,
        notes=("closed by a later start",),
    )


def _account_after(state: RunState, snapshot: AccountSnapshot) -> Valuation | None:
    """The run's managed holdings at the broker's own prices; None where one is missing."""
    before = state.plan.plan.before
    con_ids = {symbol: holding.con_id for symbol, holding in before.holdings.items()}
    managed = tuple(one for one in snapshot.positions if one.con_id in set(con_ids.values()))
    prices: dict[str, Price] = {}
    for one in managed:
        if not one.market_price_usd:
            return None
        prices[one.symbol] = Price(
            symbol=one.symbol,
            price_usd=one.market_price_usd,
            source="account",
            is_preferred=False,
        )
    held = AccountSnapshot(
        account_id=snapshot.account_id,
        as_of_utc=snapshot.as_of_utc,
        positions=managed,
        cash_usd=snapshot.cash_usd,
        ignored_cash=snapshot.ignored_cash,
        usd_per_unit=snapshot.usd_per_unit,
    )
    try:
        return value_account(held, PriceBook(prices=prices), con_ids)
    except Refused as error:
        log.warning("the account after run %s cannot be valued: %s", state.run_id, error)
        return None
