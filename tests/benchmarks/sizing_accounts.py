"""Random small accounts of the kind that whole shares hurt most, made from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from src.core.records import CASH, Symbol, Targets, TradePlan, Valuation
from src.settings import RebalanceSettings
from tests.builders import account, plan

KINDS = ("drift", "deposit", "model change", "margin debt", "negative cash target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One account, its targets and rules, and what happened to it."""

    kind: str
    account: Valuation
    targets: Targets
    rules: RebalanceSettings

    def plan(self) -> TradePlan:
        return plan(self.account, self.targets, self.rules)


def random_account(seed: int, *, symbols: int | None = None) -> Sample:
    """5 000 to 250 000 USD in 5 to 20 ETFs (or the given number)."""
    random = Random(seed)  # noqa: S311 - test data, not secrets
    kind = KINDS[seed % len(KINDS)]
    names = [f"E{number:03}" for number in range(symbols or random.randint(5, 20))]
    net_liq = Decimal(round(5_000 * 50 ** random.random()))
    prices = {name: Decimal(round(1_200 * 60 ** random.random())) / 100 for name in names}
    cash = Decimal(0)
    if kind == "negative cash target":
        cash = -Decimal(random.randint(5, 40)) / 100
    weights = _weights(random, names, cash, zeros=kind == "model change")
    held = {
        name: max(0, int(weights[name] * net_liq / prices[name] * _noise(random, kind)))
        for name in names
    }
    gross = sum((held[name] * prices[name] for name in names), Decimal(0))
    rules = RebalanceSettings(
        per_holding_band_weight=Decimal(random.choice((0, 25, 50))) / 10_000,
        min_order_usd=Decimal(random.choice((0, 50, 100, 500))),
        cash_buffer_weight=Decimal(random.choice((0, 50, 100, 200))) / 10_000,
    )
    return Sample(
        kind=kind,
        account=account(held, prices, _cash(random, kind, net_liq, gross)),
        targets=Targets(weights=weights),
        rules=rules,
    )


def _weights(
    random: Random, names: list[Symbol], cash: Decimal, *, zeros: bool
) -> dict[Symbol, Decimal]:
    parts = {name: random.randint(1, 20) for name in names}
    if zeros:
        parts.update(dict.fromkeys(random.sample(names, len(names) // 4), 0))
    total = sum(parts.values())
    return {CASH: cash, **{name: part * (1 - cash) / total for name, part in parts.items()}}


def _noise(random: Random, kind: str) -> Decimal:
    spread = {"deposit": 0.1, "model change": 1.0}.get(kind, 0.4)
    return Decimal(random.uniform(1 - spread, 1 + spread))


def _cash(random: Random, kind: str, net_liq: Decimal, gross: Decimal) -> Decimal:
    share = {
        "deposit": random.uniform(0.05, 0.5),
        "margin debt": random.uniform(-0.4, -0.05),
    }.get(kind, random.uniform(0, 0.05))
    if kind == "margin debt":
        return round(Decimal(share) * gross, 2)
    floor = Decimal(round(net_liq * Decimal(share), 2))
    return max(floor, round(net_liq - gross, 2)) if kind == "drift" else floor
