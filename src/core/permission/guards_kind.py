"""Guards about the kind of account: borrowing, and selling what is not paid with settled money.

Source: SRS F-108. Every guard has the signature ``Guard`` and asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from src.base.money import ZERO, dollars, plain_text, weight_to_percent
from src.base.settings import Settings
from src.core.account.account_rules import account_rules
from src.core.permission.market_state import MarketState, Obstacle, obstacles
from src.core.records.account import AccountTerms
from src.core.records.orders import Side
from src.core.records.plan import TradePlan
from src.core.records.portfolios import CASH

_SHOWN: Final = Decimal("0.01")
_EXCHANGE: Final = "America/New_York"
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


def never_borrows(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """An account that cannot borrow has no negative CASH target, and its buys make no debt.

    With wishes the plan's CASH target may be below 0 while its floor is not: nothing is borrowed.
    """
    terms = state.snapshot.terms
    if account_rules(terms).may_borrow:
        return ()
    target = next((row.target_weight for row in plan.drift_before.rows if row.symbol == CASH), ZERO)
    if target < ZERO and plan.cash_floor_usd < ZERO:
        percent = plain_text(weight_to_percent(target).quantize(_SHOWN))
        return obstacles(
            f"the CASH target is {percent}%, but {_who(terms)} cannot borrow; "
            "choose a model mix whose CASH is not negative"
        )
    buys = any(ticket.side is Side.BUY for ticket in plan.tickets)
    if buys and plan.after.cash_usd < ZERO:
        debt = dollars(-plan.after.cash_usd)
        return obstacles(f"the buys would borrow {debt}, but {_who(terms)} cannot borrow")
    return ()


def _who(terms: AccountTerms) -> str:
    if not account_rules(terms).is_known:
        return "an account whose kind the broker does not tell"
    return f"this account ({terms.trading_type or terms.account_type})"


def free_riding(
    plan: TradePlan, state: MarketState, _settings: Settings, now: datetime
) -> tuple[Obstacle, ...]:
    """In a cash account, shares bought since the last trading day are not paid for for certain."""
    if account_rules(state.snapshot.terms).may_spend_unsettled:
        return ()
    gateway_utc = now + state.clock_offset
    since = _last_trading_day(_exchange_day(gateway_utc))
    bought = {
        con_id
        for con_id, at_utc in _bought(state)
        if at_utc is None or _exchange_day(at_utc) >= since
    }
    sold = [one.symbol for one in plan.tickets if one.side is Side.SELL and one.con_id in bought]
    if not sold:
        return ()
    text = (
        f"{', '.join(sold)} was bought today or on the last trading day: a sell before that has "
        "settled may count as free riding, for which IBKR restricts a cash account for 90 days"
    )
    return (Obstacle(text=text, is_warning=True),)


def _bought(state: MarketState) -> Iterator[tuple[int, datetime | None]]:
    """Con id and time of every purchase that the broker lists today or our journal knows."""
    for fill in state.todays_fills:
        if fill.side is Side.BUY and fill.qty_shares:
            yield fill.con_id, fill.at_utc
    for run in state.recent_trades:
        for con_id, moved in run.shares.items():
            if moved.after > moved.before:
                yield con_id, run.executed_utc or run.recorded_utc


def _exchange_day(at_utc: datetime) -> date:
    return at_utc.astimezone(ZoneInfo(_EXCHANGE)).date()


def _last_trading_day(today: date) -> date:
    """The weekday before today; holidays are not known here."""
    day = today - _DAY
    while day.weekday() >= _SATURDAY:
        day -= _DAY
    return day
