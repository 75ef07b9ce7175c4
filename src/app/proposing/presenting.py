"""Show a proposal and file its pre-trade report: the last thing before the prompt."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from src.base.accounts import is_paper_account
from src.base.errors import Refused
from src.base.known_accounts import mask_accounts
from src.core.orders.styles import choose_style
from src.core.preview import SIMULATED, PreviewContext, render_preview
from src.core.showing.names import first_buys
from src.core.showing.plan_json import PlanRemarks, PlanSource, plan_as_json
from src.core.showing.question import Asked, order_changes, question_text
from src.io.reports.report_rows import PRE_COLUMNS, ReportRun, pre_trade_rows
from src.terminal.console import emit, emit_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from src.app.proposing.planning import Proposal
    from src.base.json_values import Json
    from src.base.settings import Settings
    from src.core.records.orders import OrderStyle
    from src.core.records.plan import TradePlan
    from src.core.records.portfolios import Symbol
    from src.io.files.run_files import RunFiles

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """How this run speaks: ``notices`` stand at the top of the preview.

    ``is_one_of_several``: other accounts are asked about after this one.
    """

    settings: Settings
    is_simulated: bool
    as_json: bool
    is_from_file: bool = False
    notices: tuple[str, ...] = ()
    is_one_of_several: bool = False


def present(
    proposal: Proposal, how: Presentation, now_utc: datetime, asked: TradePlan | None = None
) -> bool:
    """Print the plan on stdout; False when nobody can read it any more.

    ``asked`` is the plan that the user was asked about before: what differs is shown.
    """
    warnings = (*proposal.warnings, *(f"trading: {text}" for text in proposal.obstacles))
    _log_plan(proposal, warnings)
    if how.as_json:
        import json

        return emit_document(json.dumps(plan_document(proposal, how), indent=2))
    context = PreviewContext(
        snapshot=proposal.snapshot,
        is_paper=is_paper_account(proposal.plan.account_id),
        is_simulated=how.is_simulated,
        now_utc=now_utc,
        unlisted=proposal.not_in_model,
        first_buys=first_buys(proposal.plan, proposal.listings),
        notices=how.notices,
        warnings=warnings,
        alerts=proposal.alerts,
        reminders=proposal.reminders,
        rules=how.settings.rebalance,
        label=how.settings.label,
        costs=_cost_lines(proposal),
        changes=order_changes(asked, proposal.plan) if asked else (),
    )
    return emit(render_preview(proposal.plan, proposal.prices, context))


def question(proposal: Proposal, how: Presentation) -> str:
    """What is asked about the plan on stderr; which answer is a yes is decided in the permit."""
    asked = Asked(
        is_paper=is_paper_account(proposal.plan.account_id),
        is_simulated=how.is_simulated,
        wants_account_id=how.settings.ibkr.allow_live,
        unlisted=proposal.not_in_model,
        label=how.settings.label,
    )
    return question_text(proposal.plan, asked)


def write_pre_report(proposal: Proposal, how: Presentation, files: RunFiles) -> Path:
    """File the plan as it was shown.

    Raises: Refused when it cannot be written: without a record nothing is asked or sent.
    """
    from src.io.reporting import write_report

    run = ReportRun(
        started_utc=files.started_utc,
        account_id=proposal.plan.account_id,
        is_simulated=how.is_simulated,
    )
    gateway_utc = files.started_utc + proposal.clock_offset
    rows = pre_trade_rows(run, proposal.plan, _styles(proposal, how.settings, gateway_utc))
    try:
        path = write_report(files.pre, PRE_COLUMNS, rows)
    except OSError as error:
        raise Refused(
            f"the pre-trade report {files.pre} could not be written: {error.strerror or error}; "
            "free the disk or set another report_dir; nothing was sent"
        ) from error
    log.info("pre-trade report written path=%s rows=%d", path, len(rows))
    return path


def _styles(proposal: Proposal, settings: Settings, at_utc: datetime) -> dict[Symbol, OrderStyle]:
    execution, hours = settings.execution, settings.rebalance.trading_hours
    return {
        one.symbol: choose_style(execution, hours, proposal.listings.get(one.symbol), at_utc)[0]
        for one in proposal.plan.tickets
    }


def plan_document(proposal: Proposal, how: Presentation) -> dict[str, Json]:
    """The plan as an object for programs: the account's id in full, others in texts masked."""
    if how.is_from_file:
        source: PlanSource = "file"
    else:
        source = "simulated" if how.is_simulated else "broker"
    marks = (SIMULATED,) if how.is_simulated else ()
    remarks = PlanRemarks(
        warnings=_masked(proposal.warnings),
        obstacles=_masked(proposal.obstacles),
        notices=_masked((*marks, *proposal.alerts, *how.notices, *proposal.reminders)),
    )
    what_if = None
    if proposal.costs is not None:
        from src.core.costs.what_if_text import costs_as_json

        what_if = costs_as_json(proposal.costs)
    return plan_as_json(proposal.plan, proposal.snapshot, source, remarks, what_if)


def _cost_lines(proposal: Proposal) -> tuple[str, ...]:
    if proposal.costs is None:
        return ()
    from src.core.costs.what_if_text import cost_lines

    return cost_lines(proposal.costs, proposal.plan)


def _masked(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(mask_accounts(text) for text in texts)


def _log_plan(proposal: Proposal, warnings: tuple[str, ...]) -> None:
    plan = proposal.plan
    log.info(
        "plan made hash=%s tickets=%d net_liq_usd=%.2f leverage_before=%.4f leverage_after=%.4f",
        plan.plan_hash,
        len(plan.tickets),
        plan.before.net_liq_usd,
        plan.before.leverage,
        plan.after.leverage,
    )
    for ticket in plan.tickets:
        log.info(
            "ticket planned symbol=%s side=%s qty_shares=%s est_price_usd=%s",
            ticket.symbol,
            ticket.side.value,
            ticket.qty_shares,
            ticket.est_price_usd,
        )
    for text in warnings:
        log.info("plan warning text=%s", text)
