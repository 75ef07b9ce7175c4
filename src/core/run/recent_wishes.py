"""What the wishes of earlier runs mean for this one, as long as they are recent.

An amount to invest is a new wish each time: whoever gives it twice invests twice. So the invests of
the last days are told before the question. Money that was freed lies in the account until it is
taken out, and the next plain run would invest it again.

Source: SRS R-316.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from src.base.money import ZERO, dollars, exact_arithmetic
from src.core.records.orders import Side
from src.core.records.wishes import NO_WISHES, Wishes

if TYPE_CHECKING:  # a plan asks about earlier runs even where there are none
    from src.core.run.state import RunState

INVESTS_TOLD_FOR: Final = timedelta(days=7)
WITHDRAWALS_TOLD_FOR: Final = timedelta(days=10)
_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWish:
    """The wishes of a run that traded, what its buys cost, and when it started."""

    wishes: Wishes
    bought_usd: Decimal
    at_utc: datetime


@exact_arithmetic()
def past_wishes(runs: Iterable[RunState]) -> tuple[PastWish, ...]:
    """Those among these runs that had wishes and executed something, in the order given."""
    return tuple(
        PastWish(
            wishes=run.plan.plan.wishes,
            bought_usd=_bought_usd(run),
            at_utc=run.plan.started_utc,
        )
        for run in runs
        if run.plan.plan.wishes != NO_WISHES and any(one.fills for one in run.tickets)
    )


def earlier_invests(past: Iterable[PastWish], wishes: Wishes, now_utc: datetime) -> tuple[str, ...]:
    """For the place above the prompt: what was invested in the last days, when this run invests."""
    return tuple(
        f"you invested {dollars(one.bought_usd)} on {_day_and_time(one.at_utc)}"
        for one in past
        if wishes.invest and one.bought_usd and one.wishes.invest
        if now_utc - one.at_utc <= INVESTS_TOLD_FOR
    )


def earlier_withdrawals(
    past: Iterable[PastWish], wishes: Wishes, now_utc: datetime
) -> tuple[str, ...]:
    """For the place above everything else: what was freed in the last days may still be there."""
    return tuple(
        f"{dollars(one.wishes.withdraw_usd)} freed on {_day_and_time(one.at_utc)} would be "
        "invested again"
        for one in past
        if one.wishes.withdraw_usd is not None and wishes.withdraw_usd is None
        if now_utc - one.at_utc <= WITHDRAWALS_TOLD_FOR
    )


def _day_and_time(at_utc: datetime) -> str:
    """Such as 27 Nov 10:31 UTC, without the names of the system's language."""
    month = _MONTHS.split()[at_utc.month - 1]
    return f"{at_utc.day} {month} {at_utc:%H:%M} UTC"


def _bought_usd(run: RunState) -> Decimal:
    fills = (fill for ticket in run.tickets for fill in ticket.fills)
    return sum((one.qty_shares * one.price_usd for one in fills if one.side is Side.BUY), ZERO)
