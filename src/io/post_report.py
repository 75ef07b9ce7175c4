"""The post-trade report: made from outcomes, which a run's journal gives again at any time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from src.core.records.plan import OrderOutcome, TradePlan, Valuation
from src.core.run.outcome import run_outcomes
from src.core.run.settlement import NOT_READ
from src.core.run.state import RunState
from src.core.wishes.effect import wish_lines
from src.io.files.run_files import name_run_files
from src.io.reports.report_rows import POST_COLUMNS, ReportRun, Row, post_trade_rows


def write_post_report(
    path: Path, run: ReportRun, outcomes: Iterable[OrderOutcome], after: Valuation | None
) -> Path:
    """Write the report and return the path it got; the same report again changes nothing.

    Raises: OSError when it cannot be written; then there is no new file.
    """
    from src.io.reporting import write_report

    return write_report(path, POST_COLUMNS, post_trade_rows(run, tuple(outcomes), after))


def rebuild_post_report(state: RunState, report_dir: Path) -> Path:
    """Write the report of a closed run from its journal, under the run's own name.

    Raises: OSError when it cannot be written.
    """
    files = name_run_files(report_dir, state.run_id, state.plan.started_utc)
    after = state.closed.after if state.closed else None
    return write_post_report(files.post, report_run(state), run_outcomes(state), after)


def report_run(state: RunState) -> ReportRun:
    """What the rows of a recorded run's report say about the run itself."""
    was_unread = state.closed is not None and NOT_READ in state.closed.notes
    return ReportRun(
        started_utc=state.plan.started_utc,
        account_id=state.plan.plan.account_id,
        is_simulated=state.plan.is_simulated,
        remark=run_remark(state.plan.plan, was_read=not was_unread),
    )


def run_remark(plan: TradePlan, *, was_read: bool) -> str:
    """What is true of the whole run: its wishes, and an account that was not read at its end."""
    unread = () if was_read else (NOT_READ,)
    return "; ".join((*wish_lines(plan.wishes), *unread))


def printed_report(
    run: ReportRun, outcomes: Iterable[OrderOutcome], after: Valuation | None
) -> str:
    """The report as text for the console, where a file could not be written."""
    rows: tuple[Row, ...] = (POST_COLUMNS, *post_trade_rows(run, tuple(outcomes), after))
    return "\n".join(",".join(row) for row in rows)
