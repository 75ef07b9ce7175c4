"""After the last order: close the books, file the post report, and say how it ended.

What cannot be written is printed, named as a problem, and makes the exit code 4; nothing of it
is lost, because the journal holds every execution.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from src.app.proposing.inputs import now_utc
from src.base.errors import JournalError
from src.core.journal.events import ReportWritten, RunClosed
from src.core.run.fold import fold
from src.core.run.outcome import run_outcomes
from src.core.run.report import RunReport, last_line, render_summary
from src.core.run.settlement import NOT_READ, all_fills
from src.core.wishes.withdrawal import missing_text
from src.io.post_report import printed_report, run_remark, write_post_report
from src.io.reports.report_rows import ReportRun
from src.terminal.console import emit

if TYPE_CHECKING:
    from pathlib import Path

    from src.core.records.plan import OrderOutcome, TradePlan
    from src.core.run.settlement import Settlement
    from src.core.running.parts import Run
    from src.io.files.run_files import RunFiles
    from src.io.journal.db import JournalDb

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAccounts:
    """What a run that traded leaves to be written down."""

    plan: TradePlan
    pre_report: Path
    is_simulated: bool
    result: Run
    settlement: Settlement
    settles_on: str = ""


def account_for(
    accounts: RunAccounts, journal: JournalDb, files: RunFiles, *, has_page: bool = False
) -> RunReport:
    """Close the run in the journal, write its report, print its summary; all there is to say."""
    report = _report(accounts, files)
    outcomes, gaps = _recorded(journal, report)
    problems = [*report.problems, *(gaps or _close(journal, report))]
    path, failures = _file(accounts, outcomes, None if gaps else journal, files)
    final = replace(report, problems=tuple(dict.fromkeys([*problems, *failures])))
    if final.exit_code != report.exit_code and not gaps:
        _close(journal, final)
    page = _page(journal, files) if has_page and not gaps else None
    written = {"Plan": accounts.pre_report, "Report": path, "Page": page, "Log": files.log}
    filed = tuple(f"{name + ':':8}{file}" for name, file in written.items() if file is not None)
    final = replace(final, filed=filed)
    emit("\n" + render_summary(final))
    log.info("run finished exit_code=%d %s", final.exit_code, last_line(final))
    return final


def _report(accounts: RunAccounts, files: RunFiles) -> RunReport:
    result = accounts.result
    stopped = bool(result.halt_reason) and not result.was_disconnected
    problems = [*result.alarms]
    if result.journal_error:
        problems.append(f"the journal is incomplete: {result.journal_error}")
    if result.orders_sent and not accounts.settlement.was_read:
        problems.append(NOT_READ)
    if result.orders_sent:
        problems += missing_text(accounts.plan, all_fills(result.outcomes))
    return RunReport(
        run_id=files.run_id,
        plan=accounts.plan,
        outcomes=result.outcomes,
        settlement=accounts.settlement,
        orders_sent=result.orders_sent,
        was_interrupted=result.was_interrupted,
        was_lost=result.was_disconnected,
        was_refused=stopped and not result.was_interrupted,
        problems=tuple(problems),
        settles_on=accounts.settles_on,
    )


def _close(journal: JournalDb, report: RunReport) -> list[str]:
    """Note the run's end; what went wrong with that, if anything."""
    event = RunClosed(
        run_id=report.run_id,
        at_utc=now_utc(),
        exit_code=int(report.exit_code),
        after=report.settlement.after,
        notes=report.problems,
    )
    try:
        journal.append(event)
    except JournalError as error:
        log.warning("run not closed in the journal: %s", error)
        return [f"the journal could not be closed: {error}"]
    return []


def _page(journal: JournalDb, files: RunFiles) -> Path | None:
    """The page of the run, from its journal."""
    from src.app.proposing.pages import file_page
    from src.core.history.pages import run_page

    return file_page(files.page, lambda: run_page(fold(journal.events(files.run_id))))


def _recorded(journal: JournalDb, report: RunReport) -> tuple[tuple[OrderOutcome, ...], list[str]]:
    """The outcomes as the journal proves them; as they were seen, where it is incomplete.

    A journal with a gap leaves its run open: the next start asks the broker for what is missing.
    """
    try:
        recorded = run_outcomes(fold(journal.events(report.run_id)))
    except JournalError as error:
        return report.outcomes, [f"the journal cannot be read again: {error}"]
    if recorded == report.outcomes:
        return recorded, []
    return report.outcomes, ["the journal lacks part of this run: the next start settles it"]


def _file(
    accounts: RunAccounts,
    outcomes: tuple[OrderOutcome, ...],
    journal: JournalDb | None,
    files: RunFiles,
) -> tuple[Path | None, list[str]]:
    """Write the post report, or print it, and note that: its path, and what went wrong."""
    after = accounts.settlement.after
    run = ReportRun(
        started_utc=files.started_utc,
        account_id=accounts.plan.account_id,
        is_simulated=accounts.is_simulated,
        remark=run_remark(accounts.plan, was_read=accounts.settlement.was_read),
    )
    try:
        path = write_post_report(files.post, run, outcomes, after)
    except OSError as error:
        log.warning("post report not written path=%s reason=%s", files.post, error)
        emit(printed_report(run, outcomes, after))
        why = error.strerror or error
        later = f"`python rebalance.py --rebuild {files.run_id}` writes it later"
        return None, [f"{files.post} could not be written ({why}); its rows stand above, {later}"]
    log.info("post-trade report written path=%s rows=%d", path, len(outcomes))
    if journal is None:
        return path, []
    try:
        journal.append(ReportWritten(run_id=files.run_id, at_utc=now_utc(), file_name=path.name))
    except JournalError as error:
        return path, [f"the journal could not note the report: {error}"]
    return path, []
