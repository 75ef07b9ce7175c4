"""The two runs that only look: a dry run through a connection, and a plan from a file."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from src.console import emit
from src.errors import ExitCode
from src.options import Task

if TYPE_CHECKING:
    from pathlib import Path

    from src.inputs import Inputs
    from src.io.run_files import RunFiles
    from src.options import Options
    from src.presenting import Presentation

log = logging.getLogger(__name__)

DEFAULT_NOTICE = "dry run (neither --dry-run nor --confirm was given): nothing is sent"
DRY_RUN_NOTICE = "dry run: nothing is sent"
OVERRULED_NOTICE = "dry run (--dry-run wins over --confirm): nothing is sent"
READ_ONLY_NOTICE = "read-only: nothing is sent"
READ_ONLY_END = "read-only: nothing was sent"


def now_utc() -> datetime:
    """The time of this machine."""
    return datetime.now(timezone.utc)


async def dry_run(options: Options, inputs: Inputs, files: RunFiles) -> int:
    """Plan through a connection, show it, file the pre-trade report; nothing can be sent."""
    from src.broker.ports import HeadStart
    from src.session import open_session

    head_start = HeadStart(imports=_import_what_follows, symbols=inputs.portfolios.symbols)
    opening = open_session(inputs.settings, simulate=options.simulate, head_start=head_start)
    async with opening as session:
        from src.account_books import glance_at_books
        from src.planning import propose
        from src.presenting import present, write_pre_report

        how = presentation(options, inputs)
        books = glance_at_books(inputs.settings, is_simulated=options.simulate)
        proposal = await propose(session, inputs, books, now_utc, fresh=False)
        present(proposal, how, now_utc())
    write_pre_report(proposal, how, files)
    if options.task is Task.CONFIRM:
        emit(READ_ONLY_END)
    log.info("run finished exit_code=0 orders_sent=0")
    return ExitCode.OK


def _import_what_follows() -> None:
    """Load what a plan needs while the gateway is still answering."""
    from src import account_books, planning, presenting  # noqa: F401


def plan_from_file(path: Path, options: Options, inputs: Inputs, files: RunFiles) -> int:
    """Plan from a snapshot file, show it, file the pre-trade report."""
    from src.core.account_rules import spendable_now
    from src.core.names import money_words
    from src.core.targets import apply_unlisted, symbols_to_price, unlisted_symbols
    from src.io.snapshot_file import load_snapshot_file, prices_for
    from src.planning import Proposal, plan_trades
    from src.presenting import present, write_pre_report

    source = str(path)
    file = load_snapshot_file(path)
    listed = inputs.portfolios.symbols
    snapshot = apply_unlisted(file.snapshot, listed, inputs.settings.rebalance)
    prices = prices_for(file.prices, symbols_to_price(snapshot, inputs.targets), source)
    is_kind_known = bool(snapshot.terms.trading_type)  # a file need not tell it
    spendable_usd = spendable_now(snapshot) if is_kind_known else None
    proposal = Proposal(
        plan=plan_trades(snapshot, prices, inputs, {}, spendable_usd),
        prices=prices,
        snapshot=snapshot,
        listings={},
        not_in_model=unlisted_symbols(snapshot, listed),
        warnings=(
            f"planned from the file {source}: symbols were not verified at the broker",
            *inputs.settings.warnings,
            *money_words(listed),
        ),
    )
    how = presentation(options, inputs)
    present(proposal, how, now_utc())
    write_pre_report(proposal, how, files)
    log.info("run finished exit_code=0 orders_sent=0")
    return ExitCode.OK


def presentation(options: Options, inputs: Inputs) -> Presentation:
    """How this invocation speaks about itself."""
    from src.presenting import Presentation

    if options.task is Task.CONFIRM:
        notices = (READ_ONLY_NOTICE,) if inputs.settings.ibkr.read_only else ()
    else:
        notices = (_dry_run_notice(options),)
    return Presentation(
        settings=inputs.settings,
        is_simulated=options.simulate,
        as_json=options.as_json,
        is_from_file=options.from_snapshot is not None,
        notices=notices,
    )


def _dry_run_notice(options: Options) -> str:
    if options.overrules_confirm:
        return OVERRULED_NOTICE
    return DRY_RUN_NOTICE if options.is_explicit else DEFAULT_NOTICE
