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

from src.core.money import ZERO, dollars, exact_arithmetic, usd_text
from src.core.records import (
    CASH,
    DriftRow,
    DriftTable,
    SkippedTrade,
    Symbol,
    Targets,
    Valuation,
)
from src.errors import PlanError
from src.settings import RebalanceSettings

_WEIGHT_DIGITS: Final = Context(prec=34)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the trigger chose: rows ranked by |drift| (ties by symbol), and what it dropped."""

    drift: DriftTable
    ranked: tuple[DriftRow, ...]
    skipped: tuple[SkippedTrade, ...] = ()


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
    """One row; the caller holds the exact context. Only the current weight is rounded."""
    current = _WEIGHT_DIGITS.divide(value_usd, net_liq_usd)
    drift = current - target_weight
    return DriftRow(
        symbol=symbol,
        target_weight=target_weight,
        current_weight=current,
        drift_weight=drift,
        drift_usd=value_usd - target_weight * net_liq_usd,
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
def select_trades(drift: DriftTable, rebalance: RebalanceSettings) -> Selection:
    """Apply the trigger, then drop what is too small to trade and rank the rest."""
    ranked = rank_by_drift(row for row in drift.rows if row.symbol != CASH)
    if rebalance.trigger_mode == "total_drift":
        chosen = _beyond_total_band(ranked, rebalance.portfolio_total_band_weight)
    else:
        chosen = _beyond_band(ranked, rebalance.per_holding_band_weight)
    kept, skipped = _split(chosen, rebalance.min_order_usd)
    return Selection(drift=drift, ranked=kept, skipped=skipped)


def prioritize_by_drift(
    rows: Iterable[DriftRow], min_order_usd: Decimal
) -> tuple[tuple[DriftRow, ...], tuple[SkippedTrade, ...]]:
    """Split into trades worth placing, ranked by |drift|, and those below the minimum order."""
    return _split(rank_by_drift(rows), min_order_usd)


def rank_by_drift(rows: Iterable[DriftRow]) -> list[DriftRow]:
    """Largest |drift| first; equal drifts by symbol."""
    keyed = [(abs(row.drift_weight), row) for row in sorted(rows, key=_symbol)]
    keyed.sort(key=_size, reverse=True)
    return [row for _, row in keyed]


def _beyond_band(ranked: list[DriftRow], band: Decimal) -> list[DriftRow]:
    """Every asset beyond the band; then as many more as it takes to bring CASH into it.

    CASH counts as a holding: with the chosen assets at target its drift would be minus the sum of
    the others', so a deposit spread thinly over many holdings is invested too.
    """
    chosen = [row for row in ranked if abs(row.drift_weight) > band]
    rest = ranked[len(chosen) :]
    cash_drift = -sum((row.drift_weight for row in rest), ZERO)
    too_rich = cash_drift > ZERO
    for row in rest:
        if abs(cash_drift) <= band:
            break
        if row.drift_weight and (row.drift_weight < ZERO) is too_rich:
            chosen.append(row)
            cash_drift += row.drift_weight
    return chosen


def _beyond_total_band(ranked: list[DriftRow], band: Decimal) -> list[DriftRow]:
    left = sum((abs(row.drift_weight) for row in ranked), ZERO)
    chosen = []
    for row in ranked:
        if left <= band:
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
    return SkippedTrade(symbol=row.symbol, reason=f"{text} {dollars(min_order_usd)}")


_symbol = attrgetter("symbol")
_size = itemgetter(0)
