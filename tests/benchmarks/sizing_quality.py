"""How close sizing comes to the proven best plan. Run by hand; needs SciPy (HiGHS).

    python -m tests.benchmarks.sizing_quality [--accounts 80] [--first-seed 0] [--world "whole"]

Error = (Σ|x_i p_i − T_i| + |cash after − T_c|) / net liq over the symbols that sizing was free to
trade. Measured in every world of ``sizing_accounts``: for whole plans over the symbols that were
selected, for the optimiser alone over every symbol off target, and for plans of ``--invest`` over
every underweight, which may pass its target. Where fractions are allowed the solver may first trade
any amount; only if that beats us it has to keep to the steps.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from src.base.money import exact_arithmetic, share_step
from src.core.drift import rank_by_drift
from src.core.records.plan import DriftRow, DriftTable, SkipCode
from src.core.records.portfolios import CASH, Symbol
from src.core.records.wishes import Wishes
from src.core.rounding.best_plan import best_units
from src.core.rounding.lots import CashFrame, Lots
from src.core.targets import cash_floor
from src.core.wishes.effect import plan_with_wishes
from tests.benchmarks.sizing_accounts import WORLDS, Sample, random_account
from tests.kits.builders import drift_table

ALLOWED = {"median": 1.001, "p90": 1.01, "max": 1.05}
SLACK = 1e-5
NOT_FREE = (SkipCode.MINIMUM, SkipCode.HALTED)
NET_LIQ = 1000
"""What the solver is told net liq to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An account and the rows that sizing is free to trade.

    ``may_pass_target``: a buy may end above its own target, as with ``--invest``.
    """

    sample: Sample
    rows: tuple[DriftRow, ...]
    cash_target_usd: Decimal
    floor_usd: Decimal
    may_pass_target: bool = False

    def error(self, trades: Mapping[Symbol, Decimal]) -> float:
        """What signed quantities leave, as a fraction of net liq."""
        prices = {row.symbol: self.price(row) for row in self.rows}
        moved = {symbol: qty * prices[symbol] for symbol, qty in trades.items()}
        own = sum(abs(row.drift_usd + moved.get(row.symbol, Decimal(0))) for row in self.rows)
        cash = self.sample.account.cash_usd - sum(moved.values())
        return float((own + abs(cash - self.cash_target_usd)) / self.sample.account.net_liq_usd)

    def is_allowed(self, trades: Mapping[Symbol, Decimal]) -> bool:
        """Floor, minimum, holdings, and every own drift lower than before."""
        rows = [row for row in self.rows if trades.get(row.symbol)]
        moved = {row.symbol: trades[row.symbol] * self.price(row) for row in rows}
        cash = self.sample.account.cash_usd - sum(moved.values())
        unbought = self.sample.account.cash_usd - sum(one for one in moved.values() if one < 0)
        return (
            cash >= min(self.floor_usd, unbought)
            and all(abs(one) >= self.sample.rules.min_order_usd for one in moved.values())
            and (
                self.may_pass_target
                or all(abs(row.drift_usd + moved[row.symbol]) < abs(row.drift_usd) for row in rows)
            )
            and all(-trades[row.symbol] <= self.held(row) for row in rows)
        )

    def price(self, row: DriftRow) -> Decimal:
        return self.sample.account.holdings[row.symbol].price_usd

    def held(self, row: DriftRow) -> Decimal:
        return self.sample.account.holdings[row.symbol].qty_shares


class Result(NamedTuple):
    seed: int
    event: str
    symbols: int
    ours: float
    best: float
    bound: float
    millis: float
    allowed: bool

    @property
    def ratio(self) -> float:
        return max(1.0, (self.ours - SLACK) / max(self.best, 1e-12))


class Model:
    """The task as a mixed-integer problem.

    Per row: x dollars or n units, a switch b (trade or not) and e ≥ |own drift|; then c ≥ |cash
    drift| and a switch that allows buys and then demands the floor.
    """

    def __init__(self, task: Task, *, any_amount: bool) -> None:
        self.task = task
        self.any_amount = any_amount
        self.count = len(task.rows)
        self.size = 3 * self.count + 2
        self.cash_dev, self.may_buy = 3 * self.count, 3 * self.count + 1
        self.lower, self.upper = np.zeros(self.size), np.full(self.size, np.inf)
        self.upper[self.may_buy] = 1.0
        self.cash_row = np.zeros(self.size)
        self.constraints: list[LinearConstraint] = []
        for index, row in enumerate(task.rows):
            self._add_row(index, row)
        self._add_cash()

    def solve(self, seconds: float) -> tuple[float, float]:
        """The best value found and the bound proved, as fractions of net liq."""
        cost, kinds = np.zeros(self.size), np.zeros(self.size)
        cost[2 * self.count : 3 * self.count], cost[self.cash_dev] = 1.0, 1.0
        kinds[: 2 * self.count], kinds[self.may_buy] = 1, 1
        if self.any_amount:
            kinds[: self.count] = 0
        found = milp(
            cost,
            constraints=self.constraints,
            bounds=Bounds(self.lower, self.upper),
            integrality=kinds,
            options={"mip_rel_gap": 1e-7, "time_limit": seconds},
        )
        value = np.inf if found.fun is None else found.fun
        bound = 0.0 if found.mip_dual_bound is None else found.mip_dual_bound
        return value / NET_LIQ, bound / NET_LIQ

    def scaled(self, amount_usd: Decimal) -> float:
        """Money such that net liq is always the same, which the solver likes."""
        return float(NET_LIQ * amount_usd / self.task.sample.account.net_liq_usd)

    def _add(self, terms: dict[int, float], low: float, high: float) -> None:
        row = np.zeros(self.size)
        for index, value in terms.items():
            row[index] = value
        self.constraints.append(LinearConstraint(row, low, high))

    def _add_row(self, index: int, row: DriftRow) -> None:
        rules = self.task.sample.rules
        price, want = self.scaled(self.task.price(row)), abs(self.scaled(row.drift_usd))
        step = float(share_step(allow_fractional=rules.allow_fractional))
        unit = 1.0 if self.any_amount else price * step
        least = self.scaled(rules.min_order_usd) / unit
        most = (2 * want - 1e-9) / unit
        if self.task.may_pass_target:
            to_spend = self.task.sample.account.cash_usd - self.task.floor_usd
            most = self.scaled(max(to_spend, Decimal(0))) / unit
        sign = 1.0 if row.drift_weight < 0 else -1.0
        n, b, e = index, self.count + index, 2 * self.count + index
        if sign < 0:
            held = self._units_held(row) * price * step / unit
            most = min(most, held)
            if not row.target_weight and held >= least and held:
                least, self.lower[b] = held, 1.0
        if not self.any_amount:
            most = float(int(most))
        self.upper[n], self.upper[b] = max(most, 0.0), float(least <= most)
        self._add({n: 1.0, b: -most}, -np.inf, 0.0)
        self._add({n: 1.0, b: -least}, 0.0, np.inf)
        self._add({e: 1.0, n: -unit}, -want, np.inf)
        self._add({e: 1.0, n: unit}, want, np.inf)
        if sign > 0:
            self._add({b: 1.0, self.may_buy: -1.0}, -np.inf, 0.0)
        self.cash_row[n] = -sign * unit

    def _units_held(self, row: DriftRow) -> float:
        step = share_step(allow_fractional=self.task.sample.rules.allow_fractional)
        return float(self.task.held(row) // step)

    def _add_cash(self) -> None:
        account = self.task.sample.account
        cash, slack = self.scaled(account.cash_usd), 10 * self.scaled(account.net_liq_usd)
        target, floor = self.scaled(self.task.cash_target_usd), self.scaled(self.task.floor_usd)
        above, below, guard = self.cash_row.copy(), self.cash_row.copy(), self.cash_row.copy()
        above[self.cash_dev], below[self.cash_dev] = -1.0, 1.0
        guard[self.may_buy] = -slack
        self.constraints.append(LinearConstraint(above, -np.inf, target - cash))
        self.constraints.append(LinearConstraint(below, target - cash, np.inf))
        self.constraints.append(LinearConstraint(guard, floor - cash - slack - 1e-6, np.inf))


def task_of(sample: Sample, drift: DriftTable, rows: Iterable[DriftRow]) -> Task:
    target = next(row.target_weight for row in drift.rows if row.symbol == CASH)
    net_liq = sample.account.net_liq_usd
    return Task(
        sample=sample,
        rows=tuple(rows),
        cash_target_usd=target * net_liq,
        floor_usd=cash_floor(target, net_liq, sample.rules),
    )


def measure_plan(seed: int, world: str, seconds: float) -> Result:
    """A whole plan, over its tickets and those skipped for another reason than their size."""
    sample = random_account(seed, world)
    started = time.process_time()
    plan = sample.plan()
    millis = (time.process_time() - started) * 1000
    signs = {"BUY": 1, "SELL": -1}
    trades = {one.symbol: signs[one.side.value] * one.qty_shares for one in plan.tickets}
    skipped = {one.symbol for one in plan.skipped if one.code not in NOT_FREE}
    rows = [row for row in plan.drift_before.rows if row.symbol in trades.keys() | skipped]
    return _result(seed, task_of(sample, plan.drift_before, rows), trades, millis, seconds)


def measure_sizing(seed: int, world: str, seconds: float) -> Result:
    """The optimiser alone, over every symbol off target that is not halted."""
    sample = random_account(seed, world)
    with exact_arithmetic():
        drift = drift_table(sample.account, sample.targets, sample.rules)
        off = [row for row in drift.rows if row.symbol not in (CASH, *sample.halted)]
        task = task_of(sample, drift, (row for row in off if row.drift_weight))
        lots = Lots(sample.account, sample.rules)
        choices = [lots.choice(row) for row in rank_by_drift(task.rows)]
        choices = [one for one in choices if one.low <= one.high]
        frame = CashFrame(
            net_liq_usd=sample.account.net_liq_usd,
            cash_usd=sample.account.cash_usd,
            target_usd=task.cash_target_usd,
            floor_usd=task.floor_usd,
        )
        started = time.process_time()
        units = best_units(choices, lots.cash_rule(frame))
        millis = (time.process_time() - started) * 1000
        pairs = zip(choices, units, strict=True)
        trades = {one.symbol: one.sign * count * lots.step for one, count in pairs}
    return _result(seed, task, trades, millis, seconds)


def measure_invest(seed: int, world: str, seconds: float) -> Result:
    """A plan of ``--invest`` without an amount, over every underweight that is not halted."""
    sample = random_account(seed, world)
    started = time.process_time()
    wishes, halted = Wishes(invest=True), frozenset(sample.halted)
    plan = plan_with_wishes(sample.account, sample.targets, sample.rules, wishes, halted)
    millis = (time.process_time() - started) * 1000
    drift = plan.drift_before
    rows = [
        row
        for row in drift.rows
        if row.drift_weight < 0 and row.symbol not in (CASH, *sample.halted)
    ]
    task = task_of(sample, drift, rows)
    floor_usd = max(task.cash_target_usd, Decimal(0))
    task = replace(task, floor_usd=floor_usd, may_pass_target=True)
    trades = {one.symbol: one.qty_shares for one in plan.tickets}
    return _result(seed, task, trades, millis, seconds)


def _result(
    seed: int, task: Task, trades: Mapping[Symbol, Decimal], millis: float, seconds: float
) -> Result:
    with exact_arithmetic():
        ours, allowed = task.error(trades), task.is_allowed(trades)
    best, bound = ours, ours
    if task.rows:
        fractional = task.sample.rules.allow_fractional
        best, bound = Model(task, any_amount=fractional).solve(seconds)
        if fractional and ours > best + SLACK / 10:
            best, bound = Model(task, any_amount=False).solve(seconds)
    symbols = len(task.sample.account.holdings)
    return Result(seed, task.sample.event, symbols, ours, best, bound, millis, allowed)


def report(name: str, results: Sequence[Result]) -> bool:
    """Print one line, and the worst accounts where a bound is missed; True when all is kept."""
    ratios = sorted(one.ratio for one in results)
    figures = {
        "median": median(ratios),
        "p90": ratios[int(0.9 * len(ratios))],
        "max": ratios[-1],
    }
    largest = [one.millis for one in results if one.symbols >= 18] or [0.0]
    kept = all(figures[key] <= limit for key, limit in ALLOWED.items())
    forbidden = sum(not one.allowed for one in results)
    unproven = sum(one.best - one.bound > 1e-4 * one.best + 1e-9 for one in results)
    print(
        f"{name:<34} {figures['median']:.5f} {figures['p90']:.5f} {figures['max']:8.5f} "
        f"{median(largest):6.1f} {max(largest):6.1f} ms"
        + (f"  {forbidden} not allowed" if forbidden else "")
        + (f"  {unproven} not proved" if unproven else "")
        + ("" if kept else "  MISSED")
    )
    for one in sorted(results, key=lambda one: -one.ratio)[:4]:
        if one.ratio > ALLOWED["p90"]:
            print(
                f"    seed {one.seed} {one.event}, {one.symbols} symbols: {one.ours:.6f} against "
                f"{one.best:.6f}, {one.ratio:.3f}"
            )
    return kept and not forbidden


KINDS: Final = (("plan", measure_plan), ("sizing", measure_sizing), ("invest", measure_invest))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=80, help="of each world")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--world", choices=sorted(WORLDS), action="append")
    parser.add_argument("--seconds", type=float, default=20.0, help="time limit of the solver")
    args = parser.parse_args()
    seeds = range(args.first_seed, args.first_seed + args.accounts)
    print(f"{'error / optimum; ms of 18 to 20 symbols':<34} median  p90      max     median max")
    kept = True
    for world in args.world or WORLDS:
        for name, measured in KINDS:
            results = [measured(seed, world, args.seconds) for seed in seeds]
            kept = report(f"{world}: {name}", results) and kept
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
