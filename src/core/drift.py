"""How far the account is from its targets, and which of it is worth trading.

Drift = current − target weight: positive is overweight, to be sold. ``drift_usd`` is drift × net
liq. CASH has a row of its own, and all rows sum to zero.

Source: SRS R-303 and R-304.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from operator import attrgetter, itemgetter
from typing import Final

from src.base.errors import PlanError
from src.base.money import ONE, ZERO, dollars, exact_arithmetic, usd_text, without_noise
from src.base.settings import RebalanceSettings
from src.core.records.plan import DriftRow, DriftTable, SkipCode, SkippedTrade, Targets, Valuation
from src.core.records.portfolios import CASH, Symbol
from src.core.records.wishes import NO_WISHES, Wishes

_WEIGHT_DIGITS: Final = Context(prec=34)
_HAIR: Final = Decimal("1e-24")
"""Weights are rounded, so a sum of them may stand a hair beyond a bound that it only touches."""

_UNBOUNDED: Final = Decimal("Infinity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the trigger chose: rows ranked by |drift| (ties by symbol), and what it dropped."""

    drift: DriftTable
    ranked: tuple[DriftRow, ...]
    skipped: tuple[SkippedTrade, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leeway:
    """What the wishes of a run leave to its plan; without wishes everything.

    ``floor_usd`` is the cash that buys may not go below, where a wish fixes it (None: F as the
    targets and the rules have it).
    """

    wishes: Wishes = NO_WISHES
    floor_usd: Decimal | None = None

    def bars(self, row: DriftRow) -> bool:
        """True for what may not be sold."""
        return not self.wishes.may_sell and row.drift_weight > ZERO


FREE: Final = Leeway()


@exact_arithmetic()
def measure_drift(account: Valuation, targets: Targets) -> DriftTable:
    """Compare current with target weights; one row per held or targeted symbol, sorted by symbol.

    ``targets`` are those after the cash buffer. A held symbol without a target has target 0.

    Raises: PlanError if net liq is not positive or an asset's target is negative.
    """
    if not account.net_liq_usd > ZERO:
        raise PlanError(f"net liq is {usd_text(account.net_liq_usd)} USD, need more than 0")
    rows = [drift_row(CASH, targets.weights[CASH], account.cash_usd, account.net_liq_usd)]
    for symbol, holding in account.holdings.items():
        target = targets.weights.get(symbol, ZERO)
        if target < ZERO:
            raise PlanError(f"the target of {symbol} is negative; holdings are long only")
        if target or holding.qty_shares:
            rows.append(drift_row(symbol, target, holding.value_usd, account.net_liq_usd))
    return DriftTable(rows=tuple(sorted(rows, key=_symbol)))


def drift_row(
    symbol: Symbol, target_weight: Decimal, value_usd: Decimal, net_liq_usd: Decimal
) -> DriftRow:
    """One row; the caller holds the exact context.

    The drift in dollars loses its noise and the weight follows from it, so that equal drifts are
    equal and none is left where the value is on target.
    """
    drift_usd = without_noise(value_usd - target_weight * net_liq_usd)
    return DriftRow(
        symbol=symbol,
        target_weight=target_weight,
        current_weight=_WEIGHT_DIGITS.divide(value_usd, net_liq_usd),
        drift_weight=_WEIGHT_DIGITS.divide(drift_usd, net_liq_usd),
        drift_usd=drift_usd,
    )


def redraw_drift(drift: DriftTable, account: Valuation, traded: Collection[Symbol]) -> DriftTable:
    """The table for the account as it is after trades in the named symbols at unchanged prices.

    Net liq is then unchanged too, so only those rows and CASH differ. The caller holds the exact
    context.
    """
    values = {symbol: account.holdings[symbol].value_usd for symbol in traded}
    values[CASH] = account.cash_usd
    net_liq = account.net_liq_usd
    return DriftTable(
        rows=tuple(
            (
                drift_row(row.symbol, row.target_weight, values[row.symbol], net_liq)
                if row.symbol in values
                else row
            )
            for row in drift.rows
        )
    )


@exact_arithmetic()
def select_trades(
    drift: DriftTable, rebalance: RebalanceSettings, leeway: Leeway = FREE
) -> Selection:
    """Apply the trigger, drop what is too small to trade, and keep cash and leverage in bounds.

    The minimum comes before the bounds: what it drops leaves its share in cash, so that others
    join for it. What joins is no longer skipped. What a wish bars stays where it is.
    """
    assets = [row for row in drift.rows if row.symbol != CASH]
    if leeway.wishes.invest:
        return Selection(drift=drift, ranked=_underweight(assets))
    if rebalance.trigger_mode == "total_drift":
        chosen = _beyond_total_band(rank_by_drift(assets), rebalance.portfolio_total_band_weight)
    else:
        band = rebalance.per_holding_band_weight
        chosen = rank_by_drift(row for row in assets if abs(row.drift_weight) > band)
    barred = {row.symbol for row in assets if leeway.bars(row)}
    left_alone = tuple(_unsold(row) for row in chosen if row.symbol in barred)
    free = [row for row in chosen if row.symbol not in barred]
    kept, dropped = _split(free, rebalance.min_order_usd)
    joined = keep_in_bounds(drift, rebalance, {row.symbol for row in kept}, barred)
    names = {row.symbol for row in joined}
    return Selection(
        drift=drift,
        ranked=tuple(rank_by_drift([*kept, *joined])) if joined else kept,
        skipped=tuple(one for one in dropped if one.symbol not in names) + left_alone,
    )


def _underweight(assets: Iterable[DriftRow]) -> tuple[DriftRow, ...]:
    """What new money can go to, without bands: ranked."""
    return tuple(rank_by_drift(row for row in assets if row.drift_weight < ZERO))


def keep_in_bounds(
    drift: DriftTable,
    rebalance: RebalanceSettings,
    kept: Collection[Symbol],
    fixed: Collection[Symbol] = (),
    at_least: int = 1,
) -> list[DriftRow]:
    """What joins the ``kept`` assets so that cash and leverage end within their bounds.

    CASH is judged as it would be with the kept assets at target. Too high: the underweight of
    largest drift joins, of those that an order of the minimum brings closer; too low: the
    overweight. ``fixed`` symbols stay where they are. If any joins, ``at_least`` so many do, as
    far as there are. The caller holds the exact context.
    """
    low, high = _cash_bounds(drift, rebalance)
    rest = [row for row in drift.rows if row.symbol != CASH and row.symbol not in kept]
    cash_drift = -sum((row.drift_weight for row in rest), ZERO)
    if low <= cash_drift <= high:
        return []
    free = [row for row in rest if row.symbol not in fixed]
    movable = [row for row in free if 2 * abs(row.drift_usd) > rebalance.min_order_usd]
    ranked = rank_by_drift(movable)
    buys = (row for row in ranked if row.drift_weight < ZERO)
    sells = (row for row in ranked if row.drift_weight > ZERO)
    side = sells if cash_drift < low else buys
    joined: list[DriftRow] = []
    while len(joined) < at_least or not low <= cash_drift <= high:
        if not low <= cash_drift <= high:
            side = sells if cash_drift < low else buys
        row = next(side, None)
        if row is None:
            break
        joined.append(row)
        cash_drift += row.drift_weight
    return joined


def _cash_bounds(drift: DriftTable, rebalance: RebalanceSettings) -> tuple[Decimal, Decimal]:
    """The least and the most drift of CASH: its band as a holding, and the leverage cap as cash.

    Holdings are long only, so leverage = 1 − CASH weight. Only ``per_holding`` has a band for CASH.
    """
    target = next(row.target_weight for row in drift.rows if row.symbol == CASH)
    at_cap = ONE - rebalance.max_leverage - target
    if rebalance.trigger_mode == "total_drift":
        return at_cap - _HAIR, _UNBOUNDED
    band = rebalance.per_holding_band_weight
    return max(at_cap, -band) - _HAIR, max(at_cap, ZERO) + band + _HAIR


def rank_by_drift(rows: Iterable[DriftRow]) -> list[DriftRow]:
    """Largest |drift| first; equal drifts by symbol."""
    keyed = [(abs(row.drift_weight), row) for row in sorted(rows, key=_symbol)]
    keyed.sort(key=_size, reverse=True)
    return [row for _, row in keyed]


def _beyond_total_band(ranked: list[DriftRow], band: Decimal) -> list[DriftRow]:
    left = sum((abs(row.drift_weight) for row in ranked), ZERO)
    chosen = []
    for row in ranked:
        if without_noise(left) <= band:
            break
        chosen.append(row)
        left -= abs(row.drift_weight)
    return chosen


def _split(
    ranked: Iterable[DriftRow], min_order_usd: Decimal
) -> tuple[tuple[DriftRow, ...], tuple[SkippedTrade, ...]]:
    kept, small = [], []
    for row in ranked:
        if not row.drift_weight:
            continue
        if abs(row.drift_usd) >= min_order_usd:
            kept.append(row)
        else:
            small.append(_too_small(row, min_order_usd))
    return tuple(kept), tuple(small)


def _too_small(row: DriftRow, min_order_usd: Decimal) -> SkippedTrade:
    text = f"drift of {dollars(abs(row.drift_usd))} is below the minimum order of"
    reason = f"{text} {dollars(min_order_usd)}"
    return SkippedTrade(symbol=row.symbol, code=SkipCode.MINIMUM, reason=reason)


def _unsold(row: DriftRow) -> SkippedTrade:
    reason = f"left alone: {dollars(row.drift_usd)} above its target, and nothing is sold"
    return SkippedTrade(symbol=row.symbol, code=SkipCode.WISH, reason=reason)


_symbol = attrgetter("symbol")
_size = itemgetter(0)
