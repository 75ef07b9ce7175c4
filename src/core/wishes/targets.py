"""The targets of a run with --skip or --only, and what is left alone because of them.

What keeps its weight has that weight as target, and so no drift.

Source: SRS R-312.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Final

from src.base.money import ONE, ZERO, weight_to_percent
from src.base.settings import RebalanceSettings
from src.core.drift import measure_drift, select_trades
from src.core.records.plan import DriftTable, SkipCode, SkippedTrade, Targets, Valuation
from src.core.records.portfolios import CASH, Symbol
from src.core.records.wishes import Wishes

_PLACES: Final = Decimal(1).scaleb(-60)
_LEFT_ALONE: Final = "left alone"


def wished_drift(account: Valuation, held: Targets, wishes: Wishes) -> DriftTable:
    """The drift against the targets that the wishes make of ``held``."""
    return measure_drift(account, wished_targets(account, held, wishes)[0])


def wished_targets(account: Valuation, held: Targets, wishes: Wishes) -> tuple[Targets, str]:
    """The targets, and a sentence where CASH takes up a difference."""
    if wishes.only:
        return _only(account, held, wishes.only)
    if wishes.skip:
        return _skipping(account, held, wishes.skip)
    return held, ""


def _only(account: Valuation, held: Targets, only: Collection[Symbol]) -> tuple[Targets, str]:
    """The named keep their targets, every other symbol its weight; CASH takes the difference."""
    weights = _weights_now(account)
    weights |= {symbol: held.weights.get(symbol, ZERO) for symbol in only}
    weights[CASH] = ONE - sum(weights.values(), ZERO)
    return Targets(weights=weights), _difference(held, weights[CASH])


def _skipping(account: Valuation, held: Targets, skip: Collection[Symbol]) -> tuple[Targets, str]:
    """The named keep their weight; the other assets share what these and CASH leave.

    CASH keeps its target, unless there is no other asset or nothing is left for them.
    """
    now, cash = _weights_now(account), held.weights[CASH]
    kept = {symbol: now.get(symbol, ZERO) for symbol in skip}
    others = {
        symbol: weight
        for symbol, weight in held.weights.items()
        if symbol not in kept and symbol != CASH
    }
    shared, left = sum(others.values(), ZERO), ONE - cash - sum(kept.values(), ZERO)
    scale = max(ZERO, left) / shared if shared else ZERO
    weights = {symbol: (weight * scale).quantize(_PLACES) for symbol, weight in others.items()}
    weights |= kept
    if shared and left >= ZERO:
        return Targets(weights={**weights, CASH: cash}), ""
    rest = ONE - sum(weights.values(), ZERO)
    return Targets(weights={**weights, CASH: rest}), _difference(held, rest)


def _weights_now(account: Valuation) -> dict[Symbol, Decimal]:
    return {
        symbol: (one.value_usd / account.net_liq_usd).quantize(_PLACES)
        for symbol, one in account.holdings.items()
    }


def _difference(held: Targets, cash: Decimal) -> str:
    before = held.weights[CASH]
    shown = [f"{round(weight_to_percent(weight), 2):.2f}%" for weight in (before, cash)]
    if shown[0] == shown[1]:
        return ""
    return f"what is left alone changes this run's CASH target from {shown[0]} to {shown[1]}"


# --- what is left alone -----------------------------------------------------------------------


def left_alone(
    account: Valuation, held: Targets, rules: RebalanceSettings, wishes: Wishes
) -> tuple[SkippedTrade, ...]:
    """The symbols named by --skip; else those whose trade the rules want and a wish forbids."""
    if wishes.skip:
        return tuple(_alone(symbol, "skipped by you") for symbol in sorted(wishes.skip))
    if not wishes.only:
        return ()
    wanted = select_trades(measure_drift(account, held), rules).ranked
    why = "not among those you named with --only"
    return tuple(_alone(row.symbol, why) for row in wanted if row.symbol not in wishes.only)


def _alone(symbol: Symbol, why: str) -> SkippedTrade:
    return SkippedTrade(symbol=symbol, code=SkipCode.WISH, reason=f"{_LEFT_ALONE}: {why}")
