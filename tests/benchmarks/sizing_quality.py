"""How close sizing comes to the proven best whole-share plan. Run by hand; needs SciPy (HiGHS).

    python -m tests.benchmarks.sizing_quality [--accounts 200] [--first-seed 0]

Error = (Σ|x_i p_i − T_i| + |cash after − T_c|) / net liq, over the symbols that were selected.
"""

from __future__ import annotations

import argparse
import time
from decimal import Decimal
from statistics import median
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from src.core.money import exact_arithmetic
from src.core.records import CASH, DriftRow, Side, TradePlan
from tests.benchmarks.sizing_accounts import Sample, random_account

ALLOWED = {"median": 1.001, "p90": 1.01, "max": 1.05}
SLACK = 1e-5


class Result(NamedTuple):
    seed: int
    kind: str
    symbols: int
    ours: float
    best: float
    bound: float
    millis: float
    feasible: bool


def wanted_rows(sample: Sample, plan: TradePlan) -> list[DriftRow]:
    """The symbols that sizing was free to trade: tickets, and those skipped for another reason."""
    traded = {one.symbol for one in plan.tickets}
    small = sample.rules.min_order_usd
    skipped = {one.symbol for one in plan.skipped}
    return [
        row
        for row in plan.drift_before.rows
        if row.symbol in traded or (row.symbol in skipped and abs(row.drift_usd) >= small)
    ]


def error_of(plan: TradePlan) -> float:
    total = sum((abs(row.drift_usd) for row in plan.drift_after.rows), Decimal(0))
    return float(total / plan.before.net_liq_usd)


class Model:
    """The plan as a mixed-integer problem.

    Per row: n units, a switch b (trade or not) and e ≥ |own drift|; then c ≥ |cash drift| and a
    switch that allows buys and then demands the floor.
    """

    def __init__(self, rows: list[DriftRow]) -> None:
        self.count = len(rows)
        self.size = 3 * self.count + 2
        self.cash_dev, self.may_buy = 3 * self.count, 3 * self.count + 1
        self.lower, self.upper = np.zeros(self.size), np.full(self.size, np.inf)
        self.upper[self.may_buy] = 1.0
        self.cash_row = np.zeros(self.size)
        self.constraints: list[LinearConstraint] = []

    def add(self, terms: dict[int, float], low: float, high: float) -> None:
        row = np.zeros(self.size)
        for index, value in terms.items():
            row[index] = value
        self.constraints.append(LinearConstraint(row, low, high))

    def add_row(self, i: int, row: DriftRow, sample: Sample, plan: TradePlan) -> None:
        holding = plan.before.holdings[row.symbol]
        minimum = float(sample.rules.min_order_usd)
        price, want = float(holding.price_usd), abs(float(row.drift_usd))
        sign = 1.0 if row.drift_weight < 0 else -1.0
        most = int((2 * want - 1e-9) / price)
        least = minimum / price
        n, b, e = i, self.count + i, 2 * self.count + i
        if sign < 0:
            held = int(holding.qty_shares)
            most = min(most, held)
            if not row.target_weight and held * price >= minimum and held:
                least, self.lower[b] = float(held), 1.0
        self.upper[n], self.upper[b] = most, 1.0
        self.add({n: 1.0, b: -float(most)}, -np.inf, 0.0)
        self.add({n: 1.0, b: -least}, 0.0, np.inf)
        self.add({e: 1.0, n: -price}, -want, np.inf)
        self.add({e: 1.0, n: price}, want, np.inf)
        if sign > 0:
            self.add({b: 1.0, self.may_buy: -1.0}, -np.inf, 0.0)
        self.cash_row[n] = -sign * price

    def add_cash(self, plan: TradePlan) -> None:
        cash, net_liq = float(plan.before.cash_usd), float(plan.before.net_liq_usd)
        weight = next(r.target_weight for r in plan.drift_before.rows if r.symbol == CASH)
        target, floor = float(weight) * net_liq, float(plan.cash_floor_usd)
        above, below, guard = self.cash_row.copy(), self.cash_row.copy(), self.cash_row.copy()
        above[self.cash_dev], below[self.cash_dev] = -1.0, 1.0
        slack = 10 * net_liq
        guard[self.may_buy] = -slack
        self.constraints.append(LinearConstraint(above, -np.inf, target - cash))
        self.constraints.append(LinearConstraint(below, target - cash, np.inf))
        self.constraints.append(LinearConstraint(guard, floor - cash - slack - 1e-7, np.inf))

    def solve(self, seconds: float) -> tuple[float, float]:
        """The best value found and the bound proved."""
        cost, kinds = np.zeros(self.size), np.zeros(self.size)
        cost[2 * self.count : 3 * self.count], cost[self.cash_dev] = 1.0, 1.0
        kinds[: 2 * self.count], kinds[self.may_buy] = 1, 1
        found = milp(
            cost,
            constraints=self.constraints,
            bounds=Bounds(self.lower, self.upper),
            integrality=kinds,
            options={"mip_rel_gap": 1e-7, "time_limit": seconds},
        )
        return (
            np.inf if found.fun is None else found.fun,
            -np.inf if found.mip_dual_bound is None else found.mip_dual_bound,
        )


def best_error(sample: Sample, plan: TradePlan, seconds: float) -> tuple[float, float]:
    """The best error HiGHS found and the bound it proved."""
    rows = wanted_rows(sample, plan)
    fixed = [r for r in plan.drift_before.rows if r.symbol != CASH and r not in rows]
    base = sum(abs(float(row.drift_usd)) for row in fixed)
    model = Model(rows)
    for i, row in enumerate(rows):
        model.add_row(i, row, sample, plan)
    model.add_cash(plan)
    value, bound = model.solve(seconds)
    net_liq = float(plan.before.net_liq_usd)
    return (value + base) / net_liq, (bound + base) / net_liq


def is_feasible(sample: Sample, plan: TradePlan) -> bool:
    with exact_arithmetic():
        sold = [t for t in plan.tickets if t.side is Side.SELL]
        proceeds = sum((t.est_value_usd for t in sold), Decimal(0))
        before = {row.symbol: abs(row.drift_usd) for row in plan.drift_before.rows}
        after = {row.symbol: abs(row.drift_usd) for row in plan.drift_after.rows}
        return (
            plan.after.cash_usd >= min(plan.cash_floor_usd, plan.before.cash_usd + proceeds)
            and all(t.est_value_usd >= sample.rules.min_order_usd for t in plan.tickets)
            and all(after[t.symbol] < before[t.symbol] for t in plan.tickets)
            and all(t.qty_shares <= plan.before.holdings[t.symbol].qty_shares for t in sold)
        )


def measure(seed: int, seconds: float) -> Result:
    sample = random_account(seed)
    started = time.perf_counter()
    plan = sample.plan()
    millis = (time.perf_counter() - started) * 1000
    best, bound = best_error(sample, plan, seconds)
    count = len(sample.account.holdings)
    feasible = is_feasible(sample, plan)
    return Result(seed, sample.kind, count, error_of(plan), best, bound, millis, feasible)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20.0, help="time limit of the solver")
    args = parser.parse_args()
    seeds = range(args.first_seed, args.first_seed + args.accounts)
    results = [measure(seed, args.seconds) for seed in seeds]
    ratios = sorted(max(1.0, (r.ours - SLACK) / r.best) if r.best else 1.0 for r in results)
    for r in sorted(results, key=lambda r: (r.ours - SLACK) / max(r.best, 1e-12))[-8:]:
        print(
            f"  worst: seed {r.seed} {r.kind}, {r.symbols} symbols: {r.ours:.6f} against "
            f"{r.best:.6f} (bound {r.bound:.6f})"
        )
    unproven = sum(r.best - r.bound > 1e-4 * r.best + 1e-9 for r in results)
    beaten = sum(r.ours < r.best - 1e-7 for r in results)
    print(f"accounts {len(results)}, feasible {sum(r.feasible for r in results)}")
    print(f"solver did not prove {unproven}; ours better than the solver's in {beaten}")
    rows = {
        "median": median(ratios),
        "p90": ratios[int(0.9 * len(ratios))],
        "max": ratios[-1],
    }
    for name, ratio in rows.items():
        print(f"error / optimum, {name:6} {ratio:.5f} (required {ALLOWED[name]})")
    largest = [r.millis for r in results if r.symbols >= 18]
    print(f"planning, 18 to 20 symbols: median {median(largest):.1f} ms, max {max(largest):.1f} ms")


if __name__ == "__main__":
    main()
