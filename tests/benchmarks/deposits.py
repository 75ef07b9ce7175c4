"""What a monthly deposit leaves idle: accounts played forward, planned with the default settings.

Run by hand:

    python -m tests.benchmarks.deposits

Each month every price changes by 0.3% ± 2% (normal, seeded), 2.5% of net liq is paid in, and the
plan fills at its own prices. Measured after the first plan that spreads the starting cash.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from statistics import median
from typing import Final

from src.base.settings import RebalanceSettings
from src.core.drift import measure_drift, select_trades
from src.core.records.plan import Targets, TradePlan, Valuation
from src.core.records.portfolios import CASH, Symbol
from src.core.sizing import size_orders
from src.core.targets import hold_buffer
from tests.kits.builders import account

MONTHS, SEEDS = 24, (1, 2, 3, 4, 5)
DEPOSIT_WEIGHT: Final = Decimal("0.025")
GROWTH, SPREAD = 0.003, 0.02

ALLOWED: Final = {
    (12, 80_000): Decimal("0.003"),
    (20, 80_000): Decimal("0.003"),
    (30, 150_000): Decimal("0.003"),
    (40, 250_000): Decimal("0.003"),
    (40, 80_000): Decimal("0.005"),
}
"""(number of funds, USD to begin with) → the most that the median month may leave idle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """CASH above its target after the month's plan, and what the plan traded, as weights."""

    idle_weight: Decimal
    turnover_weight: Decimal
    orders: int


def play(
    funds: int, start_usd: int, seed: int, *, months: int = MONTHS, deposits: bool = True
) -> Iterator[Month]:
    """One account, month by month."""
    random = Random(seed)  # noqa: S311 - test data, not secrets
    names = [f"E{number:02}" for number in range(funds)]
    rules = RebalanceSettings()
    targets = _targets(random, names)
    prices = {name: _cents(20 * 25 ** random.random()) for name in names}
    valued = _planned(account({}, prices, start_usd), targets, rules).after
    for _ in range(months):
        prices = {
            name: _cents(float(price) * (1 + random.gauss(GROWTH, SPREAD)))
            for name, price in prices.items()
        }
        held = {name: one.qty_shares for name, one in valued.holdings.items()}
        paid_in = round(valued.net_liq_usd * DEPOSIT_WEIGHT, 2) if deposits else Decimal(0)
        made = _planned(account(held, prices, valued.cash_usd + paid_in), targets, rules)
        valued = made.after
        yield _month(made)


def _targets(random: Random, names: list[Symbol]) -> Targets:
    parts = {name: random.randint(1, 5) for name in names}
    total = sum(parts.values())
    weights = {name: Decimal(part) / total for name, part in parts.items()}
    return Targets(weights={**weights, CASH: 1 - sum(weights.values(), Decimal(0))})


def _cents(price: float) -> Decimal:
    return Decimal(round(price * 100)) / 100


def _planned(valued: Valuation, targets: Targets, rules: RebalanceSettings) -> TradePlan:
    drift = measure_drift(valued, hold_buffer(targets, valued, rules))
    return size_orders(select_trades(drift, rules), valued, rules)


def _month(made: TradePlan) -> Month:
    cash = next(row.drift_weight for row in made.drift_after.rows if row.symbol == CASH)
    traded = sum((ticket.est_value_usd for ticket in made.tickets), Decimal(0))
    return Month(
        idle_weight=cash,
        turnover_weight=traded / made.before.net_liq_usd,
        orders=len(made.tickets),
    )


def main() -> int:
    """Print the table; 1 when a promise was missed."""
    missed = 0
    for (funds, start_usd), allowed in ALLOWED.items():
        months = [month for seed in SEEDS for month in play(funds, start_usd, seed)]
        quiet = [month for seed in SEEDS for month in play(funds, start_usd, seed, deposits=False)]
        idle = median(month.idle_weight for month in months)
        missed += idle > allowed
        print(
            f"{funds} funds, {start_usd:>7,} USD: idle {idle:7.3%} (allowed {allowed:.1%}), "
            f"turnover {_mean_turnover(months):.2%} of net liq a month in "
            f"{_mean_orders(months):.1f} orders; without deposits {_mean_turnover(quiet):.2%} "
            f"in {_mean_orders(quiet):.1f}"
        )
    return int(missed > 0)


def _mean_turnover(months: list[Month]) -> Decimal:
    return sum((month.turnover_weight for month in months), Decimal(0)) / len(months)


def _mean_orders(months: list[Month]) -> float:
    return sum(month.orders for month in months) / len(months)


if __name__ == "__main__":
    sys.exit(main())
