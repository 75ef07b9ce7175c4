"""Guards about the kind of account: what it may not do with borrowed money.

Source: SRS F-108. Every guard has the signature ``Guard`` and asks nobody.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from src.core.account_rules import account_rules
from src.core.market_state import MarketState, Obstacle, obstacles
from src.core.money import ZERO, dollars, plain_text, weight_to_percent
from src.core.records import CASH, AccountTerms, Side, TradePlan
from src.settings import Settings

_SHOWN: Final = Decimal("0.01")


def never_borrows(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """An account that cannot borrow has no negative CASH target, and its buys make no debt."""
    terms = state.snapshot.terms
    if account_rules(terms).may_borrow:
        return ()
    target = next((row.target_weight for row in plan.drift_before.rows if row.symbol == CASH), ZERO)
    if target < ZERO:
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
