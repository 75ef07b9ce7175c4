"""A confirmed run: hold the account, settle what was left, get a yes, trade, account for it all.

The order of things is the safety: lock and journal before the connection, earlier runs before a
new plan, the user's yes before the desk is opened, the journal before each order, and the records
whatever happened in between.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from src.app.approval import Approval, Asking, seek_approval
from src.app.books.account_books import AccountBooks, hold_account
from src.app.books.accounting import RunAccounts, account_for
from src.app.books.earlier_runs import settle_earlier_runs
from src.app.proposing.inputs import now_utc
from src.app.proposing.simulated import kept_refs
from src.app.runs import presentation
from src.base.errors import ExitCode, Interrupted, RebalancerError, Refused
from src.broker.execution import ExecutionResult, ExecutionRun, execute
from src.core.journal.events import RunClosed
from src.core.run.settlement import Settlement, settle
from src.terminal.console import complain
from src.terminal.progress import order_progress

if TYPE_CHECKING:
    from src.app.proposing.inputs import Inputs
    from src.broker.ibkr_client import IbkrSession
    from src.broker.sending.order_desk import IbkrOrderDesk
    from src.io.files.run_files import RunFiles
    from src.terminal.interrupt import Sending
    from src.terminal.options import Options

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What the steps of one confirmed run share."""

    inputs: Inputs
    files: RunFiles
    books: AccountBooks
    session: IbkrSession


async def confirmed_run(
    options: Options, inputs: Inputs, files: RunFiles, sending: Sending | None = None
) -> int:
    """Plan, ask and trade; the exit code says how it ended.

    ``sending`` is told when orders may leave from then on.
    Raises: Refused, BrokerLost and so on while nothing was sent.
    """
    from src.app.proposing.session import open_session

    settings, simulate, rehearsal = inputs.settings, options.simulate, options.rehearsal
    with hold_account(settings, files.started_utc, is_simulated=simulate) as books:
        _check_run_id(books, files)
        async with open_session(
            settings, simulate=simulate, rehearsal=rehearsal, trading=True
        ) as session:
            run = _Run(inputs=inputs, files=files, books=books, session=session)
            try:
                approval = await _approval(run, options)
            except asyncio.CancelledError:
                raise Interrupted("interrupted: nothing was sent") from None
            if approval is None:
                _close_untraded(run)
                return ExitCode.OK
            if sending is not None:
                sending.has_begun = True
            accounts = await _trade(run, approval)
            return account_for(accounts, books.journal, files)


async def _approval(run: _Run, options: Options) -> Approval | None:
    report_dir = run.inputs.settings.io.report_dir
    kept = kept_refs(options.rehearsal)
    earlier = await settle_earlier_runs(run.session, run.books, report_dir, kept)
    how = presentation(options, run.inputs)
    asking = Asking(
        inputs=run.inputs,
        books=replace(
            run.books.for_guards(),
            unknown_fills=earlier.unknown_fills,
            todays_fills=earlier.todays_fills,
        ),
        journal=run.books.journal,
        files=run.files,
        how=replace(how, notices=(*how.notices, *earlier.notices)),
        now=now_utc,
    )
    return await seek_approval(run.session, asking)


async def _trade(run: _Run, approval: Approval) -> RunAccounts:
    """Send and follow the orders, then read the account they left."""
    is_in_doubt = True
    try:
        result = await _execute(run, approval)
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
        is_simulated=run.books.is_simulated,
        result=result,
        settlement=_settlement(approval, result),
    )


async def _execute(run: _Run, approval: Approval) -> ExecutionResult:
    desk = run.session.open_order_desk(approval.permit)

    async def reconnect() -> IbkrOrderDesk:
        await desk.reconnect()
        return desk

    stop, settings = asyncio.Event(), run.inputs.settings
    limit_sec = float(settings.execution.order_timeout_sec)
    with order_progress(run.session.waits, limit_sec, stop) as show:
        return await execute(
            ExecutionRun(
                plan=approval.proposal.plan,
                permit=approval.permit,
                settings=settings,
                snapshot=approval.state.snapshot,
                listings=approval.state.listings,
                journal=run.books.journal,
                reconnect=reconnect,
                least_order_id=run.books.highest_order_id() + 1,
                earlier_refs=run.books.journal.order_refs(),
                clock_offset=approval.state.clock_offset,
                progress=show,
                stop=stop,
            ),
            desk,
        )


def _settlement(approval: Approval, result: ExecutionResult) -> Settlement:
    """The account as it was read after the last order, held against what was executed."""
    if result.after is None:
        return Settlement(was_read=not result.orders_sent)
    return settle(approval.proposal.plan, approval.state.snapshot, result.after, result.outcomes)


def _check_run_id(books: AccountBooks, files: RunFiles) -> None:
    if books.journal.events(files.run_id):
        raise Refused(f"another run started in the second {files.run_id}; start again")


def _close_untraded(run: _Run) -> None:
    run.books.journal.append(
        RunClosed(run_id=run.files.run_id, at_utc=now_utc(), exit_code=int(ExitCode.OK))
    )
    log.info("run finished exit_code=0 orders_sent=0")
