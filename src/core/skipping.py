"""Why a wanted trade is not in the plan, and what else the reader should know about the plan.

Reasons and notes are whole sentences without a final stop; they change nothing.

Source: SRS R-304, R-305 and R-401.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from src.core.lots import Choice, Lots
from src.core.money import ONE, ZERO, dollars, plain_text, whole_shares
from src.core.records import CASH, DriftRow, SkippedTrade, Symbol, Valuation
from src.settings import RebalanceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """What sizing considered (ranked) and decided; quantities are signed, buys above zero."""

    wanted: tuple[DriftRow, ...]
    trades: Mapping[Symbol, Decimal]
    before: Valuation
    after: Valuation
    lots: Lots
    floor_usd: Decimal
    cash_target_weight: Decimal


def skipped_trades(
    sized: Sized, rules: RebalanceSettings, halted: frozenset[Symbol]
) -> tuple[SkippedTrade, ...]:
    """A reason for every considered row that got no ticket, in rank order."""
    left_out = [row for row in sized.wanted if row.symbol not in sized.trades]
    skipped = []
    for row in left_out:
        if row.symbol in halted:
            reason = "trading in it is halted"
        else:
            reason = _reason(row, sized.lots.choice(row), sized, rules)
        skipped.append(SkippedTrade(symbol=row.symbol, reason=reason))
    return tuple(skipped)


def plan_notes(sized: Sized, rules: RebalanceSettings) -> tuple[str, ...]:
    """What is special about this plan."""
    notes = (
        _all_cash(sized),
        _borrowing(sized),
        _no_buys(sized),
        _fractional_orders(sized, rules),
        *_left_fractions(sized, rules),
    )
    return tuple(note for note in notes if note)


def _reason(row: DriftRow, choice: Choice, sized: Sized, rules: RebalanceSettings) -> str:
    price = sized.before.holdings[row.symbol].price_usd
    if choice.sign < 0 and not choice.high:
        return "less than one share is left, and fractions cannot be sold"
    if choice.low > choice.high:
        if choice.lot >= 2 * choice.want:
            return f"one share costs {dollars(price)}, at least twice the drift"
        return (
            f"no order of at least {dollars(rules.min_order_usd)} in steps of "
            f"{dollars(price)} brings it closer to target"
        )
    smallest = choice.low * price
    if choice.sign > 0 and sized.after.cash_usd - smallest < sized.floor_usd:
        return "no cash is left for it above the cash floor"
    return "rounded to whole shares, a trade would not bring the portfolio closer to target"


def _all_cash(sized: Sized) -> str:
    if sized.cash_target_weight < ONE:
        return ""
    return "the target is 100% CASH: everything is sold"


def _borrowing(sized: Sized) -> str:
    if sized.after.cash_usd >= ZERO:
        return ""
    return f"after the trades {dollars(-sized.after.cash_usd)} is borrowed on margin"


def _no_buys(sized: Sized) -> str:
    wants_buys = any(row.drift_weight < ZERO for row in sized.wanted)
    if not wants_buys or any(qty > ZERO for qty in sized.trades.values()):
        return ""
    if sized.after.cash_usd > sized.floor_usd:
        return ""
    return (
        f"no buys: cash after the sells, {dollars(sized.after.cash_usd)}, is not above the "
        f"floor of {dollars(sized.floor_usd)} that the cash buffer and max_leverage set"
    )


def _fractional_orders(sized: Sized, rules: RebalanceSettings) -> str:
    fractional = any(qty != whole_shares(qty) for qty in sized.trades.values())
    if not (rules.allow_fractional and fractional):
        return ""
    return "many accounts refuse fractional orders through the API (error 10243)"


def _left_fractions(sized: Sized, rules: RebalanceSettings) -> list[str]:
    """Positions that should be closed but keep a fraction nobody can sell in whole shares."""
    closing = (row.symbol for row in sized.wanted if not row.target_weight and row.symbol != CASH)
    left = ((symbol, sized.after.holdings[symbol].qty_shares) for symbol in closing)
    unit = "0.0001 shares" if rules.allow_fractional else "whole shares"
    return [
        f"{plain_text(qty)} of {symbol} stays: orders are in {unit}"
        for symbol, qty in left
        if ZERO < qty < ONE
    ]
