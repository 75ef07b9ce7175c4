"""From a plan to the user's yes: show, ask, look again, and plan anew where something moved.

Leaves exactly one of three ends: an ``Approval`` with its permit, ``None`` when there is nothing
to trade or the answer was not a yes, or ``Refused``. Every plan that is shown is on record in the
journal first, and so is how it ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from src.app.proposing.planning import LiveProposal, aged, look_again, propose
from src.app.proposing.presenting import Presentation, present, question, write_pre_report
from src.app.runs import NOTHING_SENT
from src.base.errors import Interrupted, Refused
from src.broker.wire.clock import Stopwatch
from src.core.journal import events as journal
from src.core.journal.events import Approved, PlanRecorded
from src.core.permission.market_state import MarketState
from src.core.permission.permit import (
    Answer,
    Declined,
    TradePermit,
    grant_permit,
    is_approval,
    refuse_obstacles,
    trading_obstacles,
)
from src.core.permission.second_look import compare_after_answer
from src.terminal.console import emit
from src.terminal.prompt import ask

if TYPE_CHECKING:
    from pathlib import Path

    from src.app.proposing.costs import CostAsker
    from src.app.proposing.inputs import Books, Inputs
    from src.broker.ports import MarketView
    from src.core.records.plan import TradePlan
    from src.io.files.run_files import RunFiles
    from src.io.journal.db import JournalDb

log = logging.getLogger(__name__)

MAX_PLANS: Final = 3
"""How many plans are shown and asked about, the first one among them."""

ENDED: Final = "answered q"
"""The answer that ends the accounts which would be asked about after this one, too."""

CHANGED: Final = "The plan no longer holds and is made again:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a round of asking works with; ``asker`` asks what each plan will cost."""

    inputs: Inputs
    books: Books
    journal: JournalDb
    files: RunFiles
    how: Presentation
    now: Callable[[], datetime]
    first: FirstPlan | None = None
    asker: CostAsker | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPlan:
    """A plan that was made before its turn came, and the time since then."""

    proposal: LiveProposal
    since: Stopwatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A yes to one plan, the state of things after it, and the permission that follows."""

    proposal: LiveProposal
    state: MarketState
    permit: TradePermit
    pre_report: Path


async def seek_approval(view: MarketView, asking: Asking) -> Approval | Declined:
    """Ask until there is a yes to a plan that still holds, or why nothing is to be traded.

    Raises: Refused when a guard says no or the market keeps moving; BrokerLost.
    """
    asked: TradePlan | None = None
    for number in range(MAX_PLANS):
        planned = _planned_before(asking) if number == 0 else None
        planned = planned or await _plan(view, asking, fresh=number > 0)
        proposal, since_planned = planned.proposal, planned.since
        if asking.asker is not None:
            proposal = await asking.asker.asked(proposal, asking.now())
        filed = _show(proposal, asking, asked)
        if isinstance(filed, Declined):
            return filed
        answer = await _ask(proposal, asking)
        if isinstance(answer, Declined):
            return answer
        later = await look_again(view, asking.inputs, asking.books, asking.now)
        later = replace(later, costs=proposal.costs)
        if asking.asker is not None:
            await asking.asker.check()
        age_sec = since_planned.elapsed_sec()
        changes = _changes(proposal, later, age_sec, asking)
        if not changes:
            state = aged(later, age_sec)
            permit = _permit(proposal, answer, state, asking)
            if isinstance(permit, Declined):
                return permit
            return Approval(proposal=proposal, state=state, permit=permit, pre_report=filed)
        asked = proposal.plan
        _decline(asking, "changed: " + "; ".join(changes))
        emit("\n".join(("", CHANGED, *(f"- {one}" for one in changes), "")))
    raise Refused(
        f"account or market kept changing over {MAX_PLANS} plans; nothing was sent. "
        "Try again when it is calmer, or raise price_move_limit_pct or plan_max_age_sec"
    )


def _planned_before(asking: Asking) -> FirstPlan | None:
    """The plan that was made before, unless it has become too old to be shown."""
    limit_sec = asking.inputs.settings.execution.plan_max_age_sec
    first = asking.first
    return None if first is None or first.since.elapsed_sec() > limit_sec else first


async def _plan(view: MarketView, asking: Asking, *, fresh: bool) -> FirstPlan:
    since, is_again = Stopwatch(), fresh or asking.first is not None
    proposal = await propose(view, asking.inputs, asking.books, asking.now, fresh=is_again)
    return FirstPlan(proposal=proposal, since=since)


def _show(proposal: LiveProposal, asking: Asking, asked: TradePlan | None) -> Path | Declined:
    """Record, print and file the plan; where it is filed, if there is something to ask about.

    ``asked`` is the plan that no longer held.
    """
    asking.journal.append(_plan_event(proposal, asking))
    is_seen = present(proposal, asking.how, asking.now(), asked)
    filed = write_pre_report(proposal, asking.how, asking.files)
    found = trading_obstacles(proposal.plan, proposal.state, asking.inputs.settings, asking.now())
    try:
        refuse_obstacles(found)
    except Refused as error:
        _decline(asking, str(error))
        raise
    reason = "nothing to trade" if not proposal.plan.tickets else ""
    if not reason and not is_seen:
        reason = "nobody could read the plan: the output was closed"
    if reason:
        _decline(asking, reason)
    return Declined(reason=reason) if reason else filed


async def _ask(proposal: LiveProposal, asking: Asking) -> Answer | Declined:
    """The user's yes to this plan, or what it was instead; anything but a yes is on record."""
    settings = asking.inputs.settings
    try:
        text = await ask(question(proposal, asking.how))
    except asyncio.CancelledError:
        _decline(asking, "interrupted at the prompt")
        raise Interrupted("interrupted at the prompt: nothing was sent") from None
    if asking.asker is not None:
        await asking.asker.check()
    if is_approval(text, settings):
        for path in asking.inputs.changed_files():
            log.warning("%s was changed meanwhile; this run goes on with what it read", path)
        return Answer(text=text, run_id=asking.files.run_id, plan_hash=proposal.plan.plan_hash)
    reason = "end of input" if text is None else "answered no"
    if asking.how.is_one_of_several and (text or "").strip().lower() == "q":
        reason = ENDED
    _decline(asking, reason)
    emit(NOTHING_SENT)
    return Declined(reason=reason)


def _changes(
    proposal: LiveProposal, later: MarketState, age_sec: Decimal, asking: Asking
) -> tuple[str, ...]:
    limits = asking.inputs.settings.execution
    changes = compare_after_answer(
        proposal.plan, proposal.state, later, limits.price_move_limit_weight
    )
    if age_sec > limits.plan_max_age_sec:
        return (*changes, f"the plan is {age_sec:.0f} s old, {limits.plan_max_age_sec} s allowed")
    return changes


def _permit(
    proposal: LiveProposal, answer: Answer, state: MarketState, asking: Asking
) -> TradePermit | Declined:
    try:
        permit = grant_permit(answer, proposal.plan, state, asking.inputs.settings, asking.now())
    except Refused as error:
        _decline(asking, str(error))
        raise
    if not isinstance(permit, TradePermit):
        _decline(asking, permit.reason)
        return permit
    run_id = asking.files.run_id
    asking.journal.append(
        Approved(run_id=run_id, at_utc=asking.now(), plan_hash=proposal.plan.plan_hash)
    )
    log.info("plan approved hash=%s", proposal.plan.plan_hash)
    return permit


def _plan_event(proposal: LiveProposal, asking: Asking) -> PlanRecorded:
    return PlanRecorded(
        run_id=asking.files.run_id,
        at_utc=asking.now(),
        started_utc=asking.files.started_utc,
        plan=proposal.plan,
        client_id=asking.inputs.settings.ibkr.client_id,
        order_prefix=asking.books.order_prefix,
        is_simulated=asking.how.is_simulated,
        inputs_sha256=asking.inputs.sha256,
    )


def _decline(asking: Asking, reason: str) -> None:
    """This plan will not be traded, and why: for the journal and the log."""
    asking.journal.append(
        journal.Declined(run_id=asking.files.run_id, at_utc=asking.now(), reason=reason)
    )
    log.info("plan declined reason=%s", reason)
