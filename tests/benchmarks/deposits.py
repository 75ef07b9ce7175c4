"""What a monthly deposit leaves idle: accounts played forward, planned with the default settings.

Run by hand:

    python -m tests.benchmarks.deposits
    python -m tests.benchmarks.deposits invest    # month by month, --invest beside plain runs

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
from src.core.records.plan import Targets, TradePlan, Valuation
from src.core.records.portfolios import CASH, Symbol
from src.core.records.wishes import NO_WISHES, Wishes
from src.core.showing.preview_table import drift_sum
from src.core.wishes.effect import plan_with_wishes
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
    """CASH above its target and all drift after the month's plan, and its turnover, as weights."""

    idle_weight: Decimal
    turnover_weight: Decimal
    drift_weight: Decimal
    orders: int


def play(
    funds: int,
    start_usd: int,
    seed: int,
    *,
    months: int = MONTHS,
    deposits: bool = True,
    wishes: Wishes = NO_WISHES,
) -> Iterator[Month]:
    """One account, month by month, each month with these wishes."""
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
        made = _planned(account(held, prices, valued.cash_usd + paid_in), targets, rules, wishes)
        valued = made.after
        yield _month(made)


def _targets(random: Random, names: list[Symbol]) -> Targets:
    parts = {name: random.randint(1, 5) for name in names}
    total = sum(parts.values())
    weights = {name: Decimal(part) / total for name, part in parts.items()}
    return Targets(weights={**weights, CASH: 1 - sum(weights.values(), Decimal(0))})


def _cents(price: float) -> Decimal:
    return Decimal(round(price * 100)) / 100


def _planned(
    valued: Valuation, targets: Targets, rules: RebalanceSettings, wishes: Wishes = NO_WISHES
) -> TradePlan:
    return plan_with_wishes(valued, targets, rules, wishes)


def _month(made: TradePlan) -> Month:
    cash = next(row.drift_weight for row in made.drift_after.rows if row.symbol == CASH)
    traded = sum((ticket.est_value_usd for ticket in made.tickets), Decimal(0))
    return Month(
        idle_weight=cash,
        turnover_weight=traded / made.before.net_liq_usd,
        drift_weight=drift_sum(made.drift_after.rows)[0],
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


def invest_table() -> int:
    """12 funds from 80,000 USD: each month the median of the seeds, plain and with --invest."""
    print("month   plain: idle turnover   drift  --invest: idle turnover   drift")
    plain, invested = (
        [list(play(12, 80_000, seed, wishes=wishes)) for seed in SEEDS]
        for wishes in (NO_WISHES, Wishes(invest=True))
    )
    for number in range(MONTHS):
        columns = [_medians([one[number] for one in runs]) for runs in (plain, invested)]
        print(f"{number + 1:>5}  {columns[0]}    {columns[1]}")
    return 0


def _medians(months: list[Month]) -> str:
    idle = median(one.idle_weight for one in months)
    turnover = median(one.turnover_weight for one in months)
    drift = median(one.drift_weight for one in months)
    return f"{idle:>11.2%} {turnover:>8.2%} {drift:>7.2%}"


def _mean_turnover(months: list[Month]) -> Decimal:
    return sum((month.turnover_weight for month in months), Decimal(0)) / len(months)


def _mean_orders(months: list[Month]) -> float:
    return sum(month.orders for month in months) / len(months)


if __name__ == "__main__":
    sys.exit(invest_table() if sys.argv[1:] == ["invest"] else main())
