"""Settle what earlier runs of the account left behind, before anything new is planned."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from src.app.books.account_books import AccountBooks, file_left_report
from src.app.books.recovery import Moments, Recovery, close_simulated_runs, recover_runs
from src.app.proposing.inputs import now_utc
from src.base.errors import Refused
from src.base.money import shares_text
from src.base.text import printable
from src.core.run.open_orders import open_lines, open_symbols
from src.core.run.outcome import recorded_outcome, unresolved_tickets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from src.broker.ports import MarketView
    from src.core.orders.tickets import TicketState
    from src.core.records.orders import Fill
    from src.core.run.state import RunState

log = logging.getLogger(__name__)

EARLIER_RUNS: Final = "what became of earlier runs"
"""What is waited for meanwhile."""

SECOND_ROUND_PAUSE_SEC: Final = 3.0
"""The broker's lists lag: what is missing in the first round may be there in the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRuns:
    """What became of earlier runs: sentences for the preview, executions nobody here announced.

    ``todays_fills`` are all executions that the broker lists for the account.
    """

    notices: tuple[str, ...] = ()
    unknown_fills: tuple[Fill, ...] = ()
    todays_fills: tuple[Fill, ...] = ()


async def settle_earlier_runs(
    view: MarketView,
    books: AccountBooks,
    report_dir: Path,
    kept_refs: frozenset[str] = frozenset(),
) -> EarlierRuns:
    """Reconcile, close and report what earlier runs left.

    Of simulated runs only those are asked about whose orders a kept gateway remembers.
    Raises: Refused naming every run that stays open and how to settle it; BrokerLost.
    """
    if books.is_simulated:
        close_simulated_runs(books.journal, now_utc(), kept_refs)
        if not kept_refs:
            return EarlierRuns()
    recovery = await reconcile(view, books)
    notices = [_settled_text(state, books, report_dir) for state in with_orders(recovery.settled)]
    notices += late_texts(recovery)
    notices += file_missing_reports(books, report_dir)
    if recovery.still_open:
        raise _unresolved(recovery)
    unknown = recovery.strangers
    return EarlierRuns(
        notices=(*notices, *stranger_texts(unknown)),
        unknown_fills=unknown,
        todays_fills=recovery.fills,
    )


async def reconcile(view: MarketView, books: AccountBooks) -> Recovery:
    """Ask the broker what became of every order in doubt, and append what it says."""
    moments = Moments(now=now_utc, pause=_pause)
    return await recover_runs(view, books.journal, moments, books.order_prefix)


def with_orders(states: Iterable[RunState]) -> tuple[RunState, ...]:
    """The runs that sent something; the others left nothing worth a word."""
    return tuple(state for state in states if state.has_orders)


def open_details(state: RunState, recovery: Recovery) -> tuple[str, ...]:
    """What is open in a run, in columns, and the ways on; why each order is in doubt is logged."""
    for one in unresolved_tickets(state):
        log.info("in doubt run=%s %s", state.run_id, _doubt(one))
    return open_lines(state, recovery.working.get(state.run_id, ()), recovery.held_shares)


def _unresolved(recovery: Recovery) -> Refused:
    runs = recovery.still_open
    names = [f"run {state.run_id} is unresolved ({open_symbols(state)})" for state in runs]
    refused = Refused("; ".join(names))
    refused.details = tuple(line for state in runs for line in open_details(state, recovery))
    return refused


def _doubt(ticket: TicketState) -> str:
    error = printable(recorded_outcome(ticket).error)
    return f"{ticket.ticket.symbol}: {error}" if error else ticket.ticket.symbol


def late_texts(recovery: Recovery) -> list[str]:
    """Executions of runs that the user had taken over without them."""
    return [
        f"executed for run {event.run_id} after you accepted it: {event.fill.side.value} "
        f"{shares_text(event.fill.qty_shares)} {printable(event.fill.symbol)}; it is in the run's "
        "report now"
        for event in recovery.late
    ]


def stranger_texts(fills: Iterable[Fill]) -> tuple[str, ...]:
    """Executions that carry our mark and that no journal of this computer knows."""
    return tuple(
        f"executed today by this program elsewhere: {fill.side.value} "
        f"{shares_text(fill.qty_shares)} {printable(fill.symbol)} as {printable(fill.order_ref)}"
        for fill in fills
    )


def file_missing_reports(books: AccountBooks, report_dir: Path) -> list[str]:
    """Write what a run that died after its last order could not write; one sentence for each.

    Raises: Refused when a report cannot be written.
    """
    left = books.journal.unreported_runs()
    return [
        f"the missing report of run {state.run_id} is written: {_file(state, books, report_dir)}"
        for state in left
    ]


def _settled_text(state: RunState, books: AccountBooks, report_dir: Path) -> str:
    path = _file(state, books, report_dir)
    return f"run {state.run_id} was settled with the broker's records; its report is {path}"


def _file(state: RunState, books: AccountBooks, report_dir: Path) -> Path:
    try:
        return file_left_report(books.journal, state, report_dir, now_utc())
    except OSError as error:
        raise Refused(
            f"the report of run {state.run_id} cannot be written to {report_dir}: "
            f"{error.strerror or error}; nothing was sent"
        ) from error


async def _pause() -> None:
    await asyncio.sleep(SECOND_ROUND_PAUSE_SEC)
