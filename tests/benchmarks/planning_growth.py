"""How planning time grows with the number of symbols.

Run by hand:

    python -m tests.benchmarks.planning_growth

Measures the whole pure core, from models and quotes to the plan, at 1 000 and 10 000 symbols, once
with cash to invest and once with the leverage cap in the way. Best of five runs each.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from math import log10
from random import Random

from src.base.settings import PricingSettings, RebalanceSettings
from src.core.drift import measure_drift, select_trades
from src.core.pricing import choose_prices
from src.core.records.market import Quotes
from src.core.records.plan import TradePlan
from src.core.records.portfolios import CASH, ModelPortfolios
from src.core.sizing import size_orders
from src.core.targets import build_targets, hold_buffer, symbols_to_price
from src.core.valuation import value_account
from tests.kits.builders import con_id, portfolios, quote, snapshot

SMALL, LARGE, RUNS = 1_000, 10_000, 5
ALLOWED_SEC, ALLOWED_EXPONENT = 0.5, 1.3


def scenario(count: int, cash_pct: int, cap: str) -> Callable[[], TradePlan]:
    """A planner for one large account; everything generated is made before the clock starts."""
    random = Random(count)  # noqa: S311 - test data, not secrets
    names = [f"S{number:05}" for number in range(count)]
    asset_pct = Decimal(100 - cash_pct) / count
    models: ModelPortfolios = portfolios(
        {"ALL": {**dict.fromkeys(names, asset_pct), CASH: cash_pct}}
    )
    prices = {name: Decimal(random.randint(1_000, 40_000)) / 100 for name in names}
    held = {name: int(random.uniform(0, 2) * 20_000 / float(prices[name])) for name in names}
    account = snapshot(held, 2_000 * count)
    quotes: Quotes = {name: (quote(name, last=prices[name]),) for name in names}
    ids = {name: con_id(name) for name in names}
    rules = RebalanceSettings(
        per_holding_band_weight=Decimal(1) / (count * 5), max_leverage=Decimal(cap)
    )

    def run() -> TradePlan:
        targets = build_targets(models, {"ALL": Decimal(1)})
        book = choose_prices(quotes, account, PricingSettings(), symbols_to_price(account, targets))
        valued = value_account(account, book, ids)
        drift = measure_drift(valued, hold_buffer(targets, valued, rules))
        return size_orders(select_trades(drift, rules), valued, rules)

    return run


def best_time(run: Callable[[], TradePlan]) -> float:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        plan = run()
        times.append(time.perf_counter() - started)
        if not plan.tickets:
            raise SystemExit("the benchmark planned no trades")
    return min(times)


def main() -> None:
    for name, cash_pct, cap in (("cash to invest", 0, "1.5"), ("leverage cap binds", -80, "1.2")):
        small = best_time(scenario(SMALL, cash_pct, cap))
        large = best_time(scenario(LARGE, cash_pct, cap))
        exponent = log10(large / small)
        print(
            f"{name}: {SMALL} symbols {small * 1000:.0f} ms, {LARGE} symbols {large * 1000:.0f} ms "
            f"(required {ALLOWED_SEC * 1000:.0f}), exponent {exponent:.2f} "
            f"(required {ALLOWED_EXPONENT})"
        )


if __name__ == "__main__":
    main()
