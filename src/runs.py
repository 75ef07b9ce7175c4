"""The two runs that only look: a dry run through a connection, and a plan from a file."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from src.console import emit
from src.core.order_ref import order_prefix
from src.errors import ExitCode, JournalError, Refused
from src.inputs import Books
from src.io.journal_db import peek_open_runs, peek_order_refs
from src.io.lock import current_holder
from src.io.state_dir import journal_path, lock_path, state_dir
from src.options import Task
from src.presenting import Presentation, present, write_pre_report

if TYPE_CHECKING:
    from pathlib import Path

    from src.inputs import Inputs
    from src.io.run_files import RunFiles
    from src.options import Options

log = logging.getLogger(__name__)

DEFAULT_NOTICE = "dry run (neither --dry-run nor --confirm was given): nothing is sent"
DRY_RUN_NOTICE = "dry run: nothing is sent"
READ_ONLY_NOTICE = "read-only: nothing is sent"
READ_ONLY_END = "read-only: nothing was sent"


def now_utc() -> datetime:
    """The time of this machine."""
    return datetime.now(timezone.utc)


async def dry_run(options: Options, inputs: Inputs, files: RunFiles) -> int:
    """Plan through a connection, show it, file the pre-trade report; nothing can be sent."""
    from src.planning import propose
    from src.session import open_session

    how = presentation(options, inputs)
    books = _glance_at_books(inputs, is_simulated=options.simulate)
    async with open_session(inputs.settings, simulate=options.simulate) as session:
        proposal = await propose(session, inputs, books, now_utc, fresh=False)
        present(proposal, how, now_utc())
    write_pre_report(proposal, how, files)
    if options.task is Task.CONFIRM:
        emit(READ_ONLY_END)
    log.info("run finished exit_code=0 orders_sent=0")
    return ExitCode.OK


def plan_from_file(path: Path, options: Options, inputs: Inputs, files: RunFiles) -> int:
    """Plan from a snapshot file, show it, file the pre-trade report."""
    from src.core.targets import apply_unlisted, symbols_to_price, unlisted_symbols
    from src.io.snapshot_file import load_snapshot_file, prices_for
    from src.planning import Proposal, plan_trades

    source = str(path)
    file = load_snapshot_file(path)
    listed = inputs.portfolios.symbols
    snapshot = apply_unlisted(file.snapshot, listed, inputs.settings.rebalance)
    prices = prices_for(file.prices, symbols_to_price(snapshot, inputs.targets), source)
    proposal = Proposal(
        plan=plan_trades(snapshot, prices, inputs, {}),
        prices=prices,
        snapshot=snapshot,
        listings={},
        not_in_model=unlisted_symbols(snapshot, listed),
        warnings=(
            f"planned from the file {source}: symbols were not verified at the broker",
            *inputs.settings.warnings,
        ),
    )
    how = presentation(options, inputs)
    present(proposal, how, now_utc())
    write_pre_report(proposal, how, files)
    log.info("run finished exit_code=0 orders_sent=0")
    return ExitCode.OK


def presentation(options: Options, inputs: Inputs) -> Presentation:
    """How this invocation speaks about itself."""
    if options.task is Task.CONFIRM:
        notices = (READ_ONLY_NOTICE,) if inputs.settings.ibkr.read_only else ()
    else:
        notices = (DRY_RUN_NOTICE if options.is_explicit else DEFAULT_NOTICE,)
    return Presentation(
        settings=inputs.settings,
        is_simulated=options.simulate,
        as_json=options.as_json,
        notices=notices,
    )


def _glance_at_books(inputs: Inputs, *, is_simulated: bool) -> Books:
    """What would stand in the way of trading, without making or holding anything."""
    account = inputs.settings.ibkr.account_id
    directory = state_dir(is_simulated=is_simulated)
    prefix = order_prefix(is_simulated=is_simulated)
    if is_simulated:  # a new embedded gateway starts afresh: nothing earlier concerns it
        return Books(order_prefix=prefix, lock_holder=current_holder(lock_path(directory, account)))
    journal = journal_path(directory, account)
    open_runs: tuple[str, ...] = ()
    refs: frozenset[str] = frozenset()
    try:
        open_runs = tuple(run.run_id for run in peek_open_runs(journal, account))
        refs = peek_order_refs(journal, account)
    except (JournalError, Refused) as error:
        log.warning("the order journal cannot be read; --confirm would be refused: %s", error)
    return Books(
        order_prefix=prefix,
        journalled_refs=refs,
        open_runs=open_runs,
        lock_holder=current_holder(lock_path(directory, account)),
    )
