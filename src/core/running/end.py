"""After the last order: read the account until it agrees with what was executed, or time is up.

The orders are listened to all the while, so an execution that comes late still counts. Where the
account shows more than the executions explain, the broker is asked for the day's executions again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from src.core.orders.state import Claim
from src.core.records.account import AccountSnapshot
from src.core.run.settlement import cash_difference, position_differences
from src.core.running.gaps import LONGEST_PAUSE
from src.core.running.moves import emit, say, seconds
from src.core.running.parts import Run, Stage
from src.core.running.questions import want_answer
from src.core.running.words import Call

_INTERRUPTED_LIMIT: Final = timedelta(seconds=5)
_MOST_READINGS: Final = 3


def end_orders(run: Run) -> Run:
    """No further order follows; what was sent is heard to its end."""
    stage = Stage.ORDERS if run.orders_sent else Stage.OVER
    return run._replace(stage=stage, rest=(), until=None)


def listen_late(run: Run) -> Run:
    """A cancelled order may have been executed at the last moment: listen a little longer."""
    if not any(order.claim is Claim.CANCELLED for order in run.orders):
        return await_commissions(run)
    until = run.moment.elapsed + seconds(run.terms.patience.proof_sec)
    return run._replace(stage=Stage.LATE_FILLS, until=until)


def await_commissions(run: Run) -> Run:
    """Give outstanding commissions a moment."""
    until = run.moment.elapsed + seconds(run.terms.patience.commission_sec)
    return run._replace(stage=Stage.COMMISSIONS, until=until)


def lacks_commissions(run: Run) -> bool:
    """True while one may still come for an execution that the broker has not priced yet."""
    is_lacking = any(not fill.is_charged for fill in run.fills if fill.qty_shares > 0)
    return is_lacking and run.link.is_open and not run.was_interrupted


def begin_reading(run: Run) -> Run:
    """Read the account, as often as it takes; at last as it is."""
    pause = seconds(run.terms.patience.pause_sec)
    return read_account(run._replace(began_at=run.moment.elapsed, pause=pause, after=None))


def read_account(run: Run) -> Run:
    """Read it once; all readings together have a limit."""
    if not run.link.is_open:
        return _end_readings(run)
    until = run.began_at + _limit(run)
    return emit(run._replace(stage=Stage.ACCOUNT, read=None, until=until), Call.READ_ACCOUNT)


def take_account(run: Run) -> Run:
    """The account once its positions are those before plus the fills; cash may lag a while."""
    seen = run.account_read
    if seen is None:
        why = run.read.error if run.read else "no answer in time"
        run = say(run, f"account could not be read after the run: {why}", "warning")
    else:
        run = run._replace(after=seen)
        if _agrees(run, seen):
            return _end_readings(run)
    if run.moment.elapsed - run.began_at + run.pause > _limit(run):
        return _end_readings(run)
    until, pause = run.moment.elapsed + run.pause, min(LONGEST_PAUSE, run.pause * 2)
    return want_answer(run._replace(stage=Stage.PAUSE, until=until, pause=pause))


def _limit(run: Run) -> timedelta:
    """Whoever pressed Ctrl+C is not kept waiting for an account that lags."""
    limit = seconds(run.terms.patience.account_sec)
    return min(limit, _INTERRUPTED_LIMIT) if run.was_interrupted else limit


def _agrees(run: Run, seen: AccountSnapshot) -> bool:
    before, fills = run.terms.before, run.fills
    if position_differences(before, seen, fills):
        return False
    spent, patience = run.moment.elapsed - run.began_at, run.terms.patience
    return spent >= seconds(patience.cash_sec) or not cash_difference(before, seen, fills)


def _end_readings(run: Run) -> Run:
    """Done, unless an order that was over works again: then it is followed to its end."""
    readings = run.readings + 1
    is_over = not run.open_orders or readings >= _MOST_READINGS
    stage = Stage.OVER if is_over else Stage.ORDERS
    return run._replace(stage=stage, readings=readings, until=None)
