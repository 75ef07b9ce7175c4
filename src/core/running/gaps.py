"""After a gap in the connection: nothing leaves until the account was read and is understood.

The account is read again, with working orders and executions, until it is what the run's own
executions explain. Where it stays different somebody else was there: nothing more is sent. Cash
that stays lower is what the buys have to make do with.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from src.base.money import dollars
from src.core.orders.state import BrokerAnswered
from src.core.permission.after_gap import GapFinding, look_after_gap
from src.core.running.moves import halt, say, seconds
from src.core.running.parts import Run
from src.core.running.questions import want_answer
from src.core.running.words import Answered

_CASH_LIMIT: Final = timedelta(seconds=15)
_FIRST_PAUSE: Final = timedelta(milliseconds=250)
LONGEST_PAUSE: Final = timedelta(seconds=3)


def begin_gap(run: Run) -> Run:
    """The connection is there again: read everything before the next order."""
    now = run.moment.elapsed
    gap = replace(
        run.gap,
        count=run.gap.count + 1,
        is_open=not (run.halt_reason or run.stage.is_after_orders),
        opened_at=run.gap.opened_at if run.gap.is_open else now,
        began_at=now,
        pause=_FIRST_PAUSE,
        look_at=None,
    )
    run = run._replace(gap=gap)
    if gap.is_open and now - gap.opened_at > seconds(run.terms.patience.recovery_sec):
        return _stop(run, "the line kept breaking before the account could be read")
    return want_answer(run, with_account=True) if gap.is_open else run


def next_look(run: Run) -> timedelta | None:
    """When the account is to be read again."""
    return run.gap.look_at if run.gap.is_open else None


def look_when_due(run: Run) -> Run:
    """Ask once more, when the pause after the last look is over."""
    moment = next_look(run)
    if moment is None or run.moment.elapsed < moment:
        return run
    return want_answer(run._replace(gap=replace(run.gap, look_at=None)), with_account=True)


def judge_gap(run: Run, answer: Answered) -> Run:
    """Judge what was read, after the orders have had their evidence."""
    evidence = answer.evidence
    if answer.account is None or not isinstance(evidence, BrokerAnswered):
        return _wait_or_stop(run, "the account could not be read again after a gap")
    finding = look_after_gap(
        run.terms.plan, run.terms.before, answer.account, evidence.working or (), run.tickets
    )
    return _judge(run, finding)


def _judge(run: Run, finding: GapFinding) -> Run:
    if finding.orders:
        listed = "; ".join(finding.orders)
        return _stop(run, f"another order works in a planned symbol after a gap: {listed}")
    if finding.differences:
        changed = "; ".join(finding.differences)
        return _wait_or_stop(run, f"the account changed during a gap: {changed}")
    if finding.cash_short_usd and _spent(run) < min(_CASH_LIMIT, _limit(run)):
        return _wait(run)
    if finding.cash_short_usd and run.gap.has_fitted:
        short = dollars(finding.cash_short_usd)
        return _stop(run, f"USD cash is {short} less than executions explain after a gap")
    return _close(run, finding.cash_short_usd)


def _spent(run: Run) -> timedelta:
    return run.moment.elapsed - run.gap.began_at


def _limit(run: Run) -> timedelta:
    return seconds(run.terms.patience.account_sec)


def _wait_or_stop(run: Run, reason: str) -> Run:
    return _stop(run, reason) if _spent(run) + run.gap.pause > _limit(run) else _wait(run)


def _wait(run: Run) -> Run:
    gap = run.gap
    look_at, pause = run.moment.elapsed + gap.pause, min(LONGEST_PAUSE, gap.pause * 2)
    return run._replace(gap=replace(gap, look_at=look_at, pause=pause))


def _stop(run: Run, reason: str) -> Run:
    run = run._replace(gap=replace(run.gap, is_open=False))
    return halt(run, f"the connection had a gap; {reason}")


def _close(run: Run, cash_short_usd: Decimal) -> Run:
    gap = replace(run.gap, is_open=False, cash_short_usd=cash_short_usd)
    text = f"account understood after a gap cash_short_usd={cash_short_usd}"
    return say(run._replace(gap=gap), text)
