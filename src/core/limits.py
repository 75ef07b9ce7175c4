"""What of cash, buffer and leverage stays outside its limit after a plan, in one sentence with why.

CASH has the band of a holding around its target; the buffer is a floor below it; leverage has its
cap. The plan has done what it may: here is only said what is left, and what stood in the way.

Source: SRS R-309.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from src.base.money import ZERO, dollars, leverage_text, plain_text, weight_to_percent
from src.base.settings import RebalanceSettings
from src.core.records.plan import DriftRow
from src.core.records.portfolios import CASH
from src.core.records.wishes import NO_WISHES
from src.core.rounding.lots import Choice, Lots
from src.core.skipping import Sized
from src.core.targets import reserve_usd

_VISIBLE_USD: Final = Decimal("0.005")
"""What would be shown as $0.00 is not worth a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """The plan's CASH drift in USD, and the holdings that could move it closer to its target."""

    cash_drift_usd: Decimal
    band_usd: Decimal
    rows: tuple[DriftRow, ...]


def outside_limits(sized: Sized, rules: RebalanceSettings) -> str:
    """One sentence, empty where everything is within its limits."""
    left = _left(sized, rules)
    broken = list(_broken(sized, left, rules))
    if not broken:
        return ""
    why = _wish(sized, left) or _why(sized, left, rules)
    return f"{', and '.join(broken)}: {why}{_way_out(sized, left, rules)}"


def _left(sized: Sized, rules: RebalanceSettings) -> _Left:
    rows = {row.symbol: row for row in sized.drift_after.rows}
    cash_drift_usd = rows.pop(CASH).drift_usd
    is_rich = cash_drift_usd > ZERO
    return _Left(
        cash_drift_usd=cash_drift_usd,
        band_usd=_band_weight(rules) * sized.after.net_liq_usd,
        rows=tuple(
            row for row in rows.values() if row.drift_usd and (row.drift_usd < ZERO) is is_rich
        ),
    )


def _band_weight(rules: RebalanceSettings) -> Decimal:
    if rules.trigger_mode == "total_drift":
        return rules.portfolio_total_band_weight
    return rules.per_holding_band_weight


def _broken(sized: Sized, left: _Left, rules: RebalanceSettings) -> Iterator[str]:
    after = sized.after
    excess_usd = _above_the_cap_usd(sized, rules)
    if excess_usd >= _VISIBLE_USD:
        now, cap = leverage_text(after.leverage), leverage_text(rules.max_leverage)
        yield f"leverage stays {now}, {dollars(excess_usd)} above the cap of {cap}"
    target_usd = after.cash_usd - left.cash_drift_usd
    buffer_usd = reserve_usd(after.net_liq_usd, rules)
    drift_usd = abs(left.cash_drift_usd)
    if drift_usd > left.band_usd and drift_usd >= _VISIBLE_USD:
        side = "above" if left.cash_drift_usd > ZERO else "below"
        away = f"{dollars(drift_usd)} {side} its target of {dollars(target_usd)}"
        yield f"cash stays {away}"
    elif buffer_usd <= target_usd and buffer_usd - after.cash_usd >= _VISIBLE_USD:
        away = dollars(buffer_usd - after.cash_usd)
        yield f"cash stays {away} below the buffer of {dollars(buffer_usd)}"


def _above_the_cap_usd(sized: Sized, rules: RebalanceSettings) -> Decimal:
    return sized.after.gross_exposure_usd - rules.max_leverage * sized.after.net_liq_usd


def _way_out(sized: Sized, left: _Left, rules: RebalanceSettings) -> str:
    """New money may pass a target: that helps where the cash above its own pays for an order."""
    idle_usd = min(left.cash_drift_usd, sized.after.cash_usd)
    orders = (sized.least_order_usd(choice) for choice in _choices(sized, left, rules))
    can_be_spent = sized.wishes == NO_WISHES and any(least <= idle_usd for least in orders)
    return "; try --invest" if can_be_spent else ""


def _wish(sized: Sized, left: _Left) -> str:
    """What a wish has to do with it, else nothing."""
    if left.cash_drift_usd < ZERO:
        return "" if sized.wishes.may_sell else "nothing is sold, as you wished"
    if not sized.wishes.invest:
        return ""
    if not left.rows:
        return "no other holding is below its target"
    least_usd = min(sized.least_order_usd(sized.lots.choice(row)) for row in left.rows)
    if sized.free_usd < least_usd:
        free = dollars(max(sized.free_usd, ZERO))
        return f"{free} is left to invest, the least order costs {dollars(least_usd)}"
    return "trading in what is below its target is halted"


def _why(sized: Sized, left: _Left, rules: RebalanceSettings) -> str:
    """The first of the reasons that is true."""
    band = f"{plain_text(weight_to_percent(_band_weight(rules)))}%"
    if abs(left.cash_drift_usd) <= left.band_usd and _above_the_cap_usd(sized, rules) <= ZERO:
        return f"that is within the band of {band}"
    movable = [choice for choice in _choices(sized, left, rules) if choice.low <= choice.high]
    if not movable:
        unit = "" if rules.allow_fractional else " in whole shares"
        least = f" of at least {dollars(rules.min_order_usd)}" if rules.min_order_usd else ""
        return f"no order{least}{unit} brings a holding closer"
    open_to_trade = [choice for choice in movable if choice.symbol not in sized.halted]
    if not open_to_trade:
        return f"trading in {', '.join(choice.symbol for choice in movable)} is halted"
    least_usd = min(sized.least_order_usd(choice) for choice in open_to_trade)
    if left.cash_drift_usd > ZERO and sized.free_usd < least_usd:
        least = f"less than the least useful order of {dollars(least_usd)}"
        return f"{dollars(sized.free_usd)} is free above the floor, {least}"
    considered = {row.symbol for row in sized.wanted}
    if rules.trigger_mode == "total_drift" and not considered.issuperset(
        choice.symbol for choice in open_to_trade
    ):
        minimum = dollars(rules.min_order_usd)
        return f"what drifts is within the band of {band} or below the minimum order of {minimum}"
    return "no order would bring the portfolio as a whole closer to target"


def _choices(sized: Sized, left: _Left, rules: RebalanceSettings) -> Iterator[Choice]:
    """What could be ordered now; for a symbol that was not traded that is what it was before."""
    after = Lots(sized.after, rules)
    for row in left.rows:
        yield (after if row.symbol in sized.trades else sized.lots).choice(row)
