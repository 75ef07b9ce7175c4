"""Random accounts of the kinds that rounding hurts most, made from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from src.base.settings import RebalanceSettings
from src.core.records.plan import Targets, TradePlan, Valuation
from src.core.records.portfolios import CASH, Symbol
from tests.kits.builders import account, plan

EVENTS = (
    "drift",
    "deposit",
    "model change",
    "margin debt",
    "negative cash target",
    "leverage cap",
    "halted",
    "ties",
)
"""What happened to the account since it was last on target, or what stands in its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Net liq from ``least`` to ``most`` USD; a high minimum is 0.2% to 3% of net liq."""

    least_usd: int
    most_usd: int
    fractional: bool = False
    high_minimum: bool = False


WORLDS = {
    "whole": World(least_usd=5_000, most_usd=250_000),
    "whole, tiny": World(least_usd=1_500, most_usd=8_000),
    "whole, high minimum": World(least_usd=150_000, most_usd=5_000_000, high_minimum=True),
    "fractional": World(least_usd=2_000, most_usd=250_000, fractional=True),
    "fractional, high minimum": World(
        least_usd=2_000, most_usd=5_000_000, fractional=True, high_minimum=True
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One account, its targets and rules, and what happened to it."""

    world: str
    event: str
    account: Valuation
    targets: Targets
    rules: RebalanceSettings
    halted: tuple[Symbol, ...] = ()

    def plan(self) -> TradePlan:
        return plan(self.account, self.targets, self.rules, halted=self.halted)


def random_account(seed: int, world: str = "whole", *, symbols: int | None = None) -> Sample:
    """An account of the named world in 5 to 20 ETFs (or the given number)."""
    random = Random(seed)  # noqa: S311 - test data, not secrets
    event, kind = EVENTS[seed % len(EVENTS)], WORLDS[world]
    names = [f"E{number:03}" for number in range(symbols or random.randint(5, 20))]
    span = kind.most_usd / kind.least_usd
    net_liq = Decimal(round(kind.least_usd * span ** random.random()))
    prices = {name: Decimal(round(1_200 * 60 ** random.random())) / 100 for name in names}
    if event == "ties":
        prices = dict.fromkeys(names, random.choice(list(prices.values())))
    cash = Decimal(0)
    if event in ("negative cash target", "leverage cap"):
        cash = -Decimal(random.randint(5, 40)) / 100
    weights = _weights(random, names, cash, event)
    held = _held(
        random, event, kind, {name: weights[name] * net_liq / prices[name] for name in names}
    )
    gross = sum((held[name] * prices[name] for name in names), Decimal(0))
    valued = account(held, prices, _cash(random, event, net_liq, gross))
    halted = random.sample(names, len(names) // 5) if event == "halted" else ()
    return Sample(
        world=world,
        event=event,
        account=valued,
        targets=Targets(weights=weights),
        rules=_rules(random, event, kind, valued.net_liq_usd, cash),
        halted=tuple(halted),
    )


def _rules(
    random: Random, event: str, kind: World, net_liq: Decimal, cash: Decimal
) -> RebalanceSettings:
    minimum = Decimal(random.choice((0, 50, 100, 500)))
    if kind.high_minimum:
        minimum = Decimal(round(float(net_liq) * 0.002 * 15 ** random.random()))
    cap = Decimal("1.5")
    if event == "leverage cap":
        cap = 1 - cash + Decimal(random.choice((0, 0, 1, 5))) / 100
    return RebalanceSettings(
        per_holding_band_weight=Decimal(random.choice((0, 25, 50))) / 10_000,
        min_order_usd=minimum,
        cash_buffer_weight=Decimal(random.choice((0, 50, 100, 200))) / 10_000,
        allow_fractional=kind.fractional,
        max_leverage=cap,
    )


def _weights(
    random: Random, names: list[Symbol], cash: Decimal, event: str
) -> dict[Symbol, Decimal]:
    parts = {name: random.randint(1, 20) for name in names}
    if event == "ties":
        parts = dict.fromkeys(names, 1)
    if event == "model change":
        parts.update(dict.fromkeys(random.sample(names, len(names) // 4), 0))
    total = sum(parts.values())
    return {CASH: cash, **{name: part * (1 - cash) / total for name, part in parts.items()}}


def _held(
    random: Random, event: str, kind: World, on_target: dict[Symbol, Decimal]
) -> dict[Symbol, Decimal]:
    step = Decimal("0.0001") if kind.fractional else Decimal(1)
    spread = {"deposit": 0.1, "model change": 1.0}.get(event, 0.4)
    if event == "ties":
        same = [Decimal(0), Decimal("0.6"), Decimal("1.4")]
        noise = {name: random.choice(same) for name in on_target}
    else:
        noise = {name: Decimal(random.uniform(1 - spread, 1 + spread)) for name in on_target}
    return {name: qty * noise[name] // step * step for name, qty in on_target.items()}


def _cash(random: Random, event: str, net_liq: Decimal, gross: Decimal) -> Decimal:
    share = {
        "deposit": random.uniform(0.05, 0.5),
        "margin debt": random.uniform(-0.4, -0.05),
        "leverage cap": random.uniform(-0.5, -0.05),
    }.get(event, random.uniform(0, 0.05))
    if event in ("margin debt", "leverage cap"):
        return round(Decimal(share) * gross, 2)
    floor = Decimal(round(net_liq * Decimal(share), 2))
    return max(floor, round(net_liq - gross, 2)) if event == "drift" else floor
