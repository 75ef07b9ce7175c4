"""A confirmed run: hold the account, settle what was left, get a yes, trade, account for it all.

The order of things is the safety: lock and journal before the connection, earlier runs before a
new plan, the user's yes before the desk is opened, the journal before each order, and the records
whatever happened in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from src.app.approval import Approval, Asking, FirstPlan, seek_approval
from src.app.books.account_books import AccountBooks, hold_account
from src.app.books.accounting import RunAccounts, account_for
from src.app.books.earlier_runs import EARLIER_RUNS, EarlierRuns, settle_earlier_runs
from src.app.proposing.inputs import now_utc
from src.app.proposing.simulated import kept_refs
from src.app.runs import cost_asker, presentation
from src.base.errors import BrokerLost, ExitCode, Interrupted, RebalancerError, Refused
from src.broker.execution import ExecutionRun, execute
from src.core.calendar.act_times import day_text
from src.core.calendar.sessions import settlement_day
from src.core.journal.events import RunClosed
from src.core.permission.permit import Declined
from src.core.records.orders import Side
from src.core.run.report import RunReport
from src.core.run.settlement import Settlement, settle
from src.core.running.parts import Run, Terms
from src.terminal.console import complain
from src.terminal.progress import order_progress

if TYPE_CHECKING:
    from src.app.proposing.costs import CostAsker
    from src.app.proposing.inputs import Inputs
    from src.app.proposing.presenting import Presentation
    from src.broker.ibkr_client import IbkrSession
    from src.broker.sending.order_desk import IbkrOrderDesk
    from src.io.files.run_files import RunFiles
    from src.terminal.interrupt import Sending
    from src.terminal.options import Options

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One account's run from its plan to its report: what its steps share.

    ``first`` is a plan that was made before, together with those of other accounts; ``what_if``:
    the broker is asked what the plan costs; ``has_page``: a page is filed beside the report.
    """

    inputs: Inputs
    files: RunFiles
    books: AccountBooks
    session: IbkrSession
    how: Presentation
    earlier: EarlierRuns
    first: FirstPlan | None = None
    what_if: bool = False
    has_page: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """A run that was approved: what it came to, and whether it ended by an alarm."""

    report: RunReport
    was_alarmed: bool


async def confirmed_run(
    options: Options, inputs: Inputs, files: RunFiles, sending: Sending | None = None
) -> int:
    """Plan, ask and trade; the exit code says how it ended.

    ``sending`` is told when orders may leave from then on.
    Raises: Refused, BrokerLost and so on while nothing was sent.
    """
    from src.app.proposing.session import open_session

    settings, simulate = inputs.settings, options.simulate
    with hold_account(settings, files.started_utc, is_simulated=simulate) as books:
        async with open_session(
            settings, simulate=simulate, trading=True, rehearsal=options.rehearsal
        ) as session:
            ended = await _whole_run(options, inputs, (files, books, session), sending)
    return ended.report.exit_code if isinstance(ended, Traded) else ExitCode.OK


async def _whole_run(
    options: Options,
    inputs: Inputs,
    held: tuple[RunFiles, AccountBooks, IbkrSession],
    sending: Sending | None,
) -> Traded | Declined:
    files, books, session = held
    with nothing_sent_yet():
        kept, folder = kept_refs(options.rehearsal), inputs.settings.io.report_dir
        with session.waits.on(EARLIER_RUNS):
            earlier = await settle_earlier_runs(session, books, folder, kept)
    turn = Turn(
        inputs=inputs,
        files=files,
        books=books,
        session=session,
        how=presentation(options, inputs),
        earlier=earlier,
        what_if=options.what_if,
        has_page=options.html or inputs.settings.io.html_report,
    )
    return await take_turn(turn, sending)


async def take_turn(turn: Turn, sending: Sending | None = None) -> Traded | Declined:
    """Ask about the account's plan and trade it after a yes; it is all on record then.

    Raises: Refused, BrokerLost and so on while nothing was sent.
    """
    _check_run_id(turn.books, turn.files)
    with nothing_sent_yet():
        approval = await _approval(turn)
    if isinstance(approval, Declined):
        _close_untraded(turn)
        return approval
    if sending is not None:
        sending.has_begun = True
    accounts = await _trade(turn, approval)
    report = account_for(accounts, turn.books.journal, turn.files, has_page=turn.has_page)
    return Traded(report=report, was_alarmed=bool(accounts.result.alarms))


@contextmanager
def nothing_sent_yet() -> Iterator[None]:
    """An interrupt inside the block is one before anything was sent."""
    try:
        yield
    except asyncio.CancelledError:
        raise Interrupted("interrupted: nothing was sent") from None


async def _approval(turn: Turn) -> Approval | Declined:
    how, earlier, asker = turn.how, turn.earlier, _cost_asker(turn)
    asking = Asking(
        inputs=turn.inputs,
        books=replace(
            turn.books.for_guards(),
            unknown_fills=earlier.unknown_fills,
            todays_fills=earlier.todays_fills,
        ),
        journal=turn.books.journal,
        files=turn.files,
        how=replace(how, notices=(*how.notices, *earlier.notices)),
        now=now_utc,
        first=turn.first,
        asker=asker,
    )
    try:
        return await seek_approval(turn.session, asking)
    except (Interrupted, BrokerLost, Refused, asyncio.CancelledError):
        if asker is not None:  # a question that became an order is told before all that
            await asker.check()
        raise


def _cost_asker(turn: Turn) -> CostAsker | None:
    """A limit to the excess liquidity cannot be kept without the broker's figures."""
    settings = turn.inputs.settings
    if not (turn.what_if or settings.rebalance.min_excess_liquidity_usd):
        return None
    return cost_asker(turn.session, settings, turn.books.highest_order_id() + 1)


async def _trade(turn: Turn, approval: Approval) -> RunAccounts:
    """Send and follow the orders, then read the account they left."""
    is_in_doubt = True
    try:
        result = await _execute(turn, approval)
        is_in_doubt = False
    except RebalancerError:  # raised only while nothing was sent
        is_in_doubt = False
        raise
    finally:
        if is_in_doubt:
            complain("orders may be working: run `python rebalance.py --recover` before anything")
    return RunAccounts(
        plan=approval.proposal.plan,
        pre_report=approval.pre_report,
        is_simulated=turn.books.is_simulated,
        result=result,
        settlement=_settlement(approval, result),
        settles_on=_settles_on(approval),
    )


async def _execute(turn: Turn, approval: Approval) -> Run:
    desk = turn.session.open_order_desk(approval.permit)

    async def reconnect() -> IbkrOrderDesk:
        await desk.reconnect()
        return desk

    stop, settings = asyncio.Event(), turn.inputs.settings
    terms = Terms(
        plan=approval.proposal.plan,
        permit=approval.permit,
        settings=settings,
        before=approval.state.snapshot,
        listings=approval.state.listings,
        client_id=desk.client_id,
        least_order_id=turn.books.highest_order_id() + 1,
        earlier_refs=turn.books.journal.order_refs(),
        clock_offset=approval.state.clock_offset,
    )
    limit_sec = float(settings.execution.order_timeout_sec)
    with closing(desk), order_progress(turn.session.waits, limit_sec, stop) as show:
        try:
            await desk.make_way()
        except asyncio.CancelledError:  # an interrupt meanwhile: no order is begun
            stop.set()
        return await execute(
            ExecutionRun(
                terms=terms,
                journal=turn.books.journal,
                reconnect=reconnect,
                progress=show,
                stop=stop,
            ),
            desk,
        )


def _settles_on(approval: Approval) -> str:
    """The day when today's sells settle, in words; empty where the hours do not tell."""
    state, plan = approval.state, approval.proposal.plan
    sold = [state.listings[one.symbol] for one in plan.tickets if one.side is Side.SELL]
    day = settlement_day(sold, now_utc() + state.clock_offset)
    return "" if day is None else day_text(day)


def _settlement(approval: Approval, result: Run) -> Settlement:
    """The account as it was read after the last order, held against what was executed."""
    if result.after is None:
        return Settlement(was_read=not result.orders_sent)
    return settle(approval.proposal.plan, approval.state.snapshot, result.after, result.outcomes)


def _check_run_id(books: AccountBooks, files: RunFiles) -> None:
    if books.journal.events(files.run_id):
        raise Refused(f"another run started in the second {files.run_id}; start again")


def _close_untraded(turn: Turn) -> None:
    turn.books.journal.append(
        RunClosed(run_id=turn.files.run_id, at_utc=now_utc(), exit_code=int(ExitCode.OK))
    )
    log.info("run finished exit_code=0 orders_sent=0")
