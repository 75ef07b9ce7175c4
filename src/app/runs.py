"""The two runs that only look: a dry run through a connection, and a plan from a file."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from src.app.proposing.inputs import READ_ONLY_END, now_utc
from src.base.errors import ExitCode
from src.terminal.cli import DEFAULT_CONFIG, DEFAULT_CSV, as_path, as_word
from src.terminal.console import emit
from src.terminal.options import Task

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from src.app.proposing.costs import CostAsker
    from src.app.proposing.inputs import Inputs
    from src.app.proposing.planning import LiveProposal, Proposal
    from src.app.proposing.presenting import Presentation
    from src.base.settings import Settings
    from src.broker.ibkr_client import IbkrSession
    from src.io.files.run_files import RunFiles
    from src.terminal.options import Options

log = logging.getLogger(__name__)

DEFAULT_NOTICE = "dry run (neither --dry-run nor --confirm was given): nothing is sent"
DRY_RUN_NOTICE = "dry run: nothing is sent"
OVERRULED_NOTICE = "dry run (--dry-run wins over --confirm): nothing is sent"
READ_ONLY_NOTICE = "read-only: nothing is sent"
NOTHING_SENT = "Nothing was sent."


async def dry_run(options: Options, inputs: Inputs, files: RunFiles) -> int:
    """Plan through a connection, show it, file the pre-trade report; nothing can be sent."""
    from dataclasses import replace

    from src.app.proposing.session import client_note, open_session, open_session_to_look
    from src.broker.ports import HeadStart

    head_start = HeadStart(imports=_import_what_follows, symbols=inputs.portfolios.symbols)
    simulate, rehearsal = options.simulate, options.rehearsal
    opened = open_session if options.task is Task.CONFIRM else open_session_to_look
    async with opened(
        inputs.settings, simulate=simulate, rehearsal=rehearsal, head_start=head_start
    ) as session:
        from src.app.books.glance import glance_at_books
        from src.app.proposing.planning import propose
        from src.app.proposing.presenting import present, write_pre_report

        shown = presentation(options, inputs)
        beside = client_note(inputs.settings, session, simulate=simulate)
        how = replace(shown, notices=(*shown.notices, *beside))
        books = glance_at_books(inputs.settings, is_simulated=options.simulate)
        proposal = await propose(session, inputs, books, now_utc, fresh=False)
        if options.what_if:
            asker = cost_asker(session, inputs.settings)
            proposal = await asker.asked(proposal, now_utc())
        present(proposal, how, now_utc())
    path = write_pre_report(proposal, how, files)
    page = plan_page_if_wanted(options, proposal, files)
    if not options.as_json:
        emit("\n".join(_end(options, inputs, proposal, path, page)))
    log.info("run finished exit_code=0 orders_sent=0")
    return ExitCode.OK


def cost_asker(session: IbkrSession, settings: Settings, at_least: int = 1) -> CostAsker:
    """Who asks what plans cost, loaded where somebody wants to know."""
    from src.app.proposing.costs import CostAsker

    return CostAsker(session=session, settings=settings, at_least=at_least)


def _import_what_follows() -> None:
    """Load what a plan needs while the gateway is still answering."""
    from src.app.books import glance  # noqa: F401
    from src.app.proposing import (
        planning,  # noqa: F401
        presenting,  # noqa: F401
    )


def plan_page_if_wanted(options: Options, proposal: Proposal, files: RunFiles) -> Path | None:
    """Where the plan's page is, if ``--html`` asks for one and it could be written."""
    if not options.html:
        return None
    from src.app.proposing.pages import file_plan_page

    return file_plan_page(proposal, files, is_simulated=options.simulate)


def _end(
    options: Options, inputs: Inputs, proposal: LiveProposal, filed: Path, page: Path | None
) -> tuple[str, ...]:
    """The last lines: that nothing was sent, where the plan is, and how to trade it."""
    where = f"The plan is filed in {filed}" + (f",\nits page in {page}" if page else "")
    if options.task is Task.CONFIRM:
        return ("", where, READ_ONLY_END)
    first = []
    if inputs.settings.ibkr.read_only:
        first.append("set read_only = false in [ibkr]")
    if proposal.obstacles:
        first.append("settle what begins with trading: above")
    steps = f", {' and '.join(first)}, then" if first else ""
    how = (f"To trade it{steps}: {trading_command(options)}",) if proposal.plan.tickets else ()
    return ("", NOTHING_SENT, where, *how)


def trading_command(options: Options) -> str:
    """The command line that trades what this dry run showed."""
    words = ["python rebalance.py --confirm"]
    if options.simulate:
        words.append(f"--simulate {as_word(options.rehearsal.scenario)}".rstrip())
    for flag, path, usual in (
        ("--keep", options.rehearsal.keep, ""),
        ("--config", options.config, DEFAULT_CONFIG),
        ("--csv", options.csv, DEFAULT_CSV),
    ):
        if path is not None and path != as_path(usual):
            words.append(f"{flag} {as_word(path)}")
    if options.all_accounts:
        words.append("--all")
    if options.accounts:
        names = ",".join(options.accounts)
        words.append(f'--account "{names}"' if " " in names else f"--account {names}")
    if options.what_if:
        words.append("--what-if")
    return " ".join((*words, *(options.wishes.flags if options.wishes else ())))


def plan_from_file(path: Path, options: Options, inputs: Inputs, started_utc: datetime) -> int:
    """Plan from a snapshot file and show it: a what-if, filed only where ``--save`` asks."""
    from src.app.proposing.planning import Proposal, plan_trades
    from src.app.proposing.presenting import present, write_pre_report
    from src.core.account.account_rules import spendable_now
    from src.core.showing.names import money_words
    from src.core.targets import apply_unlisted, symbols_to_price, unlisted_symbols
    from src.io.files.snapshot_file import load_snapshot_file, prices_for

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
    filed = "Nothing is filed: a plan from a file is a what-if (--save files it)."
    if options.save:
        from src.io.files.run_files import name_what_if, prepare_report_dir

        files = name_what_if(prepare_report_dir(inputs.settings.io.report_dir), started_utc)
        filed = f"The plan is filed in {write_pre_report(proposal, how, files)}"
        page = plan_page_if_wanted(options, proposal, files)
        filed += f",\nits page in {page}" if page else ""
    if not options.as_json:
        emit(f"\n{NOTHING_SENT}\n{filed}")
    return ExitCode.OK


def presentation(options: Options, inputs: Inputs) -> Presentation:
    """How this invocation speaks about itself."""
    from src.app.proposing.presenting import Presentation

    if options.task is Task.CONFIRM:
        notices: tuple[str, ...] = (READ_ONLY_NOTICE,) if inputs.settings.ibkr.read_only else ()
    elif options.task is Task.CHECK:
        notices = ()
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
