"""Why a wanted trade is not in the plan, and what else the reader should know about the plan.

Every reason is true of the account as the plan leaves it. Reasons and notes are whole sentences
without a final stop; they change nothing.

Source: SRS R-304, R-305 and R-401.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from src.base.money import ONE, ZERO, dollars, plain_text, shares_text, whole_shares
from src.base.settings import RebalanceSettings
from src.core.records.plan import DriftRow, DriftTable, SkipCode, SkippedTrade, Valuation
from src.core.records.portfolios import Symbol
from src.core.records.wishes import NO_WISHES, Wishes
from src.core.rounding.lots import Choice, Lots


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """What sizing considered (ranked) and decided; quantities are signed, buys above zero."""

    wanted: tuple[DriftRow, ...]
    trades: Mapping[Symbol, Decimal]
    before: Valuation
    after: Valuation
    drift_after: DriftTable
    lots: Lots
    floor_usd: Decimal
    cash_target_weight: Decimal
    halted: frozenset[Symbol]
    wishes: Wishes = NO_WISHES

    @property
    def free_usd(self) -> Decimal:
        """Cash above the floor once the plan is done; below zero where it is missing."""
        return self.after.cash_usd - self.floor_usd

    def lot_usd(self, symbol: Symbol) -> Decimal:
        """What the smallest step of a symbol is worth."""
        return self.lots.step * self.before.holdings[symbol].price_usd

    def least_order_usd(self, choice: Choice) -> Decimal:
        """What the smallest order that brings a symbol closer to its target is worth."""
        return choice.low * self.lot_usd(choice.symbol)


def skipped_trades(sized: Sized, rules: RebalanceSettings) -> tuple[SkippedTrade, ...]:
    """A reason for every considered row that got no ticket, in rank order."""
    left_out = [row for row in sized.wanted if row.symbol not in sized.trades]
    return tuple(_skipped(row, sized, rules) for row in left_out)


def plan_notes(sized: Sized, rules: RebalanceSettings) -> tuple[str, ...]:
    """What is special about this plan."""
    notes = (
        _all_cash(sized),
        _borrowing(sized),
        _no_buys(sized),
        _fractional_orders(sized, rules),
        *_left_fractions(sized),
    )
    return tuple(note for note in notes if note)


def _skipped(row: DriftRow, sized: Sized, rules: RebalanceSettings) -> SkippedTrade:
    choice = sized.lots.choice(row)
    if row.symbol in sized.halted:
        code, reason = SkipCode.HALTED, "trading in it is halted"
    elif choice.low > choice.high and not sized.wishes.invest:
        code, reason = _no_order(row, choice, sized, rules)
    else:
        code, reason = _no_use(choice, sized)
    return SkippedTrade(symbol=row.symbol, code=code, reason=reason)


def _no_order(
    row: DriftRow, choice: Choice, sized: Sized, rules: RebalanceSettings
) -> tuple[SkipCode, str]:
    """No order of the symbol brings it closer, whatever the others do."""
    step, lot_usd = sized.lots.step, sized.lot_usd(row.symbol)
    sellable = whole_shares(sized.before.holdings[row.symbol].qty_shares, step)
    if choice.sign < 0 and not sellable:
        return SkipCode.FRACTION, f"less than {_unit(step)} is held, which cannot be sold"
    if choice.lot >= 2 * choice.want:
        costs = f"{_unit(step)} {'costs' if step == ONE else 'cost'} {dollars(lot_usd)}"
        twice = f"at least twice the drift of {dollars(abs(row.drift_usd))}"
        return SkipCode.SHARE_PRICE, f"{costs}, {twice}"
    minimum = f"the minimum order of {dollars(rules.min_order_usd)}"
    worth_usd = sellable / step * lot_usd
    if choice.sign < 0 and worth_usd < rules.min_order_usd:
        can_be_sold = f"the {shares_text(sellable)} shares of it that can be sold are worth"
        return SkipCode.MINIMUM, f"{can_be_sold} {dollars(worth_usd)}, below {minimum}"
    steps = f"no order in steps of {dollars(lot_usd)}"
    return SkipCode.MINIMUM, f"{steps} that reaches {minimum} brings it closer to target"


def _no_use(choice: Choice, sized: Sized) -> tuple[SkipCode, str]:
    """Orders would bring the symbol closer, but are not affordable or not worth it."""
    least_usd = sized.least_order_usd(choice)
    if choice.sign > 0 and sized.free_usd < least_usd:
        least = f"the least useful order costs {dollars(least_usd)}"
        free = f"{dollars(max(sized.free_usd, ZERO))} is free above the floor"
        return SkipCode.CASH, f"no cash is left for it: {least}, {free}"
    return SkipCode.NO_GAIN, "no order of it would bring the portfolio as a whole closer to target"


def _unit(step: Decimal) -> str:
    return "one share" if step == ONE else f"{plain_text(step)} shares"


# --- notes on the whole plan -------------------------------------------------------------------


def _all_cash(sized: Sized) -> str:
    """Where the target is 100% CASH: whether that is reached."""
    if sized.cash_target_weight < ONE:
        return ""
    target = "the target is 100% CASH"
    left = [one for _, one in sorted(sized.after.holdings.items()) if one.qty_shares]
    stays = ", ".join(f"{shares_text(one.qty_shares)} {one.symbol}" for one in left)
    if not sized.trades:
        return f"{target}, but nothing is sold: {stays} stays" if left else ""
    return f"{target}: everything is sold" + (f" but {stays}" if left else "")


def _borrowing(sized: Sized) -> str:
    if sized.after.cash_usd >= ZERO:
        return ""
    return f"after the trades {dollars(-sized.after.cash_usd)} is borrowed on margin"


def _no_buys(sized: Sized) -> str:
    wants_buys = any(row.drift_weight < ZERO for row in sized.wanted)
    if sized.wishes.invest or not wants_buys or any(qty > ZERO for qty in sized.trades.values()):
        return ""
    if sized.after.cash_usd > sized.floor_usd:
        return ""
    wish = sized.wishes != NO_WISHES
    what = "the models' CASH target sets" if wish else "the cash buffer and max_leverage set"
    return (
        f"no buys: cash after the sells, {dollars(sized.after.cash_usd)}, is not above the "
        f"floor of {dollars(sized.floor_usd)} that {what}"
    )


def _fractional_orders(sized: Sized, rules: RebalanceSettings) -> str:
    fractional = any(qty != whole_shares(qty) for qty in sized.trades.values())
    if not (rules.allow_fractional and fractional):
        return ""
    return "many accounts refuse fractional orders through the API (error 10243)"


def _left_fractions(sized: Sized) -> list[str]:
    """Positions that are closed but keep a fraction smaller than an order can be."""
    step = sized.lots.step
    unit = "whole shares" if step == ONE else f"{plain_text(step)} shares"
    closed = (row.symbol for row in sized.wanted if not row.target_weight)
    left = (
        (symbol, sized.after.holdings[symbol].qty_shares)
        for symbol in closed
        if symbol in sized.trades
    )
    return [
        f"{plain_text(qty)} of {symbol} stays: orders are in {unit}"
        for symbol, qty in left
        if ZERO < qty < step
    ]
