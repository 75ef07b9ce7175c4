"""Random portfolios: contracts and prices, an account that drifted from its models, settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Final

from src.base.settings import (
    ExecutionSettings,
    IbkrSettings,
    PricingSettings,
    RebalanceSettings,
    Settings,
)
from src.core.records.portfolios import CASH, ModelPortfolios
from src.simulator.scenario.records import AccountSetup, ContractSetup, PositionSetup

ACCOUNT: Final = "DU1234567"
CLIENT_ID: Final = 42
NAMES: Final = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH", "III")
OPTION_ID: Final = 900
EURO_ID: Final = 901


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Where the account starts: the models' symbols first, then one that no model lists."""

    portfolios: ModelPortfolios
    mix: Mapping[str, Decimal]
    contracts: tuple[ContractSetup, ...]
    account: AccountSetup
    cash_target: Decimal


def draw_holdings(chance: Random, *, is_calm: bool) -> Holdings:
    """An account of a few thousand to a few million USD."""
    listed = NAMES[: chance.randint(2, 7)]
    unlisted = NAMES[len(listed)]
    models, mix = _models(chance, listed)
    cash_target = sum((mix[name] * models[name].get(CASH, Decimal(0)) for name in mix), Decimal(0))
    contracts = tuple(
        _contract(chance, 11 + number, name, is_calm=is_calm)
        for number, name in enumerate((*listed, unlisted))
    )
    return Holdings(
        portfolios=ModelPortfolios(models=models, symbols=tuple(sorted(listed)), lines={}),
        mix=mix,
        contracts=(*contracts, *_others()),
        account=_account(chance, contracts, cash_target, is_calm=is_calm),
        cash_target=cash_target,
    )


def draw_settings(chance: Random, holdings: Holdings) -> Settings:
    """Settings as people write them, within what the loader would accept."""
    least_leverage = max(Decimal(1), 1 - holdings.cash_target)
    rebalance = RebalanceSettings(
        trigger_mode=chance.choice(("per_holding", "per_holding", "total_drift")),
        per_holding_band_weight=Decimal(chance.choice((0, 25, 50, 200))) / 10_000,
        portfolio_total_band_weight=Decimal(chance.choice((50, 100, 500))) / 10_000,
        min_order_usd=Decimal(chance.choice((0, 100, 500, 2000))),
        cash_buffer_type=chance.choice(("pct", "pct", "abs")),
        cash_buffer_weight=Decimal(chance.choice((0, 1, 1, 5))) / 100,
        cash_buffer_usd=Decimal(chance.choice((0, 250))),
        allow_fractional=chance.random() < 0.1,
        max_leverage=least_leverage + Decimal(chance.choice(("0", "0.1", "0.5"))),
        trading_hours=chance.choice(("rth", "rth", "eth")),
        unlisted_positions=chance.choice(("sell", "sell", "sell", "keep")),
    )
    execution = ExecutionSettings(
        algo_preference=chance.choice(("adaptive", "midprice", "none")),
        adaptive_priority=chance.choice(("patient", "normal", "urgent")),
        fallback_plain_market=chance.random() < 0.8,
        batch_orders=chance.random() < 0.75,
        order_timeout_sec=Decimal(chance.choice((5, 30, 300))),
        plan_max_age_sec=Decimal(chance.choice((30, 120))),
        price_move_limit_weight=Decimal(chance.choice((1, 5))) / 100,
        max_order_usd=Decimal(chance.choice((0, 0, 0, 0, 50_000))),
        max_run_usd=Decimal(chance.choice((0, 0, 0, 0, 100_000))),
        max_orders=chance.choice((100, 100, 100, 3)),
    )
    pricing = PricingSettings(
        price_source=chance.choice(("last", "last", "close", "bid", "ask", "mid")),
        fallback_to_snapshot=chance.random() < 0.85,
        price_timeout_sec=Decimal(chance.choice((3, 11))),
    )
    return Settings(
        ibkr=IbkrSettings(account_id=ACCOUNT, client_id=CLIENT_ID, read_only=False),
        models=holdings.mix,
        rebalance=rebalance,
        pricing=pricing,
        execution=execution,
    )


def calm_settings(settings: Settings) -> Settings:
    """Nothing that could stop a healthy run from reaching its targets."""
    execution = settings.execution._replace(
        max_order_usd=Decimal(0),
        max_run_usd=Decimal(0),
        max_orders=100,
        order_timeout_sec=Decimal(300),
    )
    rebalance = settings.rebalance._replace(allow_fractional=False)
    return settings._replace(execution=execution, rebalance=rebalance)


def _models(
    chance: Random, symbols: tuple[str, ...]
) -> tuple[dict[str, dict[str, Decimal]], dict[str, Decimal]]:
    names = ("ONE", "TWO", "THREE")[: chance.randint(1, 3)]
    models = {name: _column(chance, symbols) for name in names}
    for symbol in symbols:  # every listed symbol has a weight somewhere
        if not any(symbol in column for column in models.values()):
            models[names[0]][symbol] = Decimal(0)
    parts = _split(chance, Decimal(1), len(names), Decimal("0.05"))
    return models, dict(zip(names, parts, strict=True))


def _column(chance: Random, symbols: tuple[str, ...]) -> dict[str, Decimal]:
    chosen = [symbol for symbol in symbols if chance.random() < 0.7] or [symbols[0]]
    cash = Decimal(chance.choice((0, 0, 0, 5, 20, 50, -10, -30))) / 100
    parts = _split(chance, 1 - cash, len(chosen), Decimal("0.01"))
    column = dict(zip(chosen, parts, strict=True))
    return {**column, CASH: cash} if cash else column


def _split(chance: Random, whole: Decimal, count: int, step: Decimal) -> list[Decimal]:
    """``count`` parts that are multiples of ``step`` and sum to ``whole``."""
    steps = int(whole / step)
    cuts = sorted(chance.randint(0, steps) for _ in range(count - 1))
    edges = [0, *cuts, steps]
    parts = [(high - low) * step for low, high in pairwise(edges)]
    parts[-1] += whole - sum(parts, Decimal(0))
    return parts


def _contract(chance: Random, con_id: int, symbol: str, *, is_calm: bool) -> ContractSetup:
    price = Decimal(round(3 * 200 ** chance.random(), 2)).quantize(Decimal("0.01"))
    spread = Decimal(0) if is_calm else Decimal(chance.choice((0, 1, 2, 10))) / 100
    move = Decimal(chance.choice((98, 100, 100, 101))) / 100
    return ContractSetup(
        con_id=con_id,
        symbol=symbol,
        price=price,
        spread=spread,
        prev_close=price if is_calm else (price * move).quantize(Decimal("0.01")),
        stock_type=chance.choice(("ETF", "ETF", "ETF", "ETN")),
        primary_exchange=chance.choice(("ARCA", "NASDAQ", "BATS")),
        algos=is_calm or chance.random() < 0.9,
        midprice=is_calm or chance.random() < 0.9,
    )


def _others() -> tuple[ContractSetup, ...]:
    """What some accounts hold besides: an option on the first symbol, a share in euro."""
    option = ContractSetup(
        con_id=OPTION_ID,
        symbol="AAA",
        price=Decimal(12),
        sec_type="OPT",
        multiplier="100",
        right="C",
        strike=Decimal(700),
        last_trade_date="20271217",
        local_symbol="AAA   271217C00700000",
    )
    euro = ContractSetup(con_id=EURO_ID, symbol="EXS", price=Decimal(50), currency="EUR")
    return option, euro


def _account(
    chance: Random,
    contracts: tuple[ContractSetup, ...],
    cash_target: Decimal,
    *,
    is_calm: bool,
) -> AccountSetup:
    worth = Decimal(int(2000 * 500 ** chance.random()))
    positions = []
    shares_usd = Decimal(0)
    held = [one for one in contracts[:-1] if chance.random() < 0.75]
    if chance.random() < 0.25:
        held.append(contracts[-1])
    for contract in held:
        part = worth * Decimal(chance.randint(0, 160)) / 100 / len(contracts)
        quantity = (part / contract.price).quantize(Decimal(1))
        if not is_calm and chance.random() < 0.08:
            quantity += Decimal("0.3275")
        if quantity:
            cost = (contract.price * Decimal(chance.randint(60, 120)) / 100).quantize(
                Decimal(".01")
            )
            positions.append(
                PositionSetup(con_id=contract.con_id, quantity=quantity, avg_cost=cost)
            )
            shares_usd += quantity * contract.price
    cash = {"USD": _cash(chance, worth, shares_usd, cash_target)}
    if chance.random() < 0.3:
        cash["CAD"] = Decimal(chance.randint(-500, 5000))
    if chance.random() < 0.1:
        positions.append(PositionSetup(con_id=OPTION_ID, quantity=Decimal(1)))
    if chance.random() < 0.1:
        positions.append(PositionSetup(con_id=EURO_ID, quantity=Decimal(7)))
    return AccountSetup(
        account_id=ACCOUNT,
        base_currency="CAD" if "CAD" in cash and chance.random() < 0.3 else "USD",
        cash=cash,
        positions=tuple(positions),
    )


def _cash(chance: Random, worth: Decimal, shares_usd: Decimal, cash_target: Decimal) -> Decimal:
    """What is left of the account's worth, a deposit, or money owed where models borrow."""
    kind = chance.random()
    if kind < 0.6:
        left = worth - shares_usd
        return max(left, Decimal(100)).quantize(Decimal("0.01"))
    if kind < 0.85 or cash_target >= 0:
        return Decimal(chance.randint(50, int(worth))) + Decimal("0.37")
    return (-shares_usd * Decimal(chance.randint(5, 20)) / 100).quantize(Decimal("0.01"))
