"""Generated accounts, targets and rules, from tiny to huge and from sane to awkward."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import strategies as st

from src.base.settings import RebalanceSettings
from src.core.records.plan import Targets, TradePlan, Valuation
from src.core.records.portfolios import CASH
from tests.kits.builders import account, plan

SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One account with what it should hold; ``plan`` runs the whole pure street."""

    account: Valuation
    targets: Targets
    rules: RebalanceSettings

    def plan(self) -> TradePlan:
        return plan(self.account, self.targets, self.rules)


def money(low: str, high: str, places: int = 2) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=places)


@st.composite
def rules(draw: st.DrawFn) -> RebalanceSettings:
    return RebalanceSettings(
        trigger_mode=draw(st.sampled_from(("per_holding", "total_drift"))),
        per_holding_band_weight=draw(money("0", "0.05", 4)),
        portfolio_total_band_weight=draw(money("0", "0.2", 4)),
        min_order_usd=draw(st.sampled_from((Decimal(0), Decimal(50), Decimal(500)))),
        cash_buffer_type=draw(st.sampled_from(("pct", "abs"))),
        cash_buffer_weight=draw(money("0", "0.1", 3)),
        cash_buffer_usd=draw(st.sampled_from((Decimal(0), Decimal("12.34"), Decimal(90)))),
        allow_fractional=draw(st.booleans()),
        max_leverage=draw(money("1", "4")),
    )


@st.composite
def weights(draw: st.DrawFn, symbols: tuple[str, ...]) -> Targets:
    """Targets over some of the symbols, with CASH from −100% to 100%."""
    cash = draw(st.sampled_from((Decimal(0), Decimal(1))) | money("-1", "0.99", 3))
    parts = {symbol: Decimal(draw(st.integers(0, 20))) for symbol in symbols}
    total = sum(parts.values())
    if not total:
        return Targets(weights={**dict.fromkeys(symbols, Decimal(0)), CASH: Decimal(1)})
    scaled = {symbol: part * (1 - cash) / total for symbol, part in parts.items()}
    return Targets(weights={**scaled, CASH: cash})


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """An account worth at least $100, so that every generated buffer is below net liq."""
    symbols = SYMBOLS[: draw(st.integers(1, len(SYMBOLS)))]
    prices = {symbol: draw(money("0.5", "900")) for symbol in symbols}
    size = draw(st.sampled_from((1, 10, 100, 10_000)))
    shares = st.integers(0, 40).map(Decimal) | money("0", "40", 4)
    held = {symbol: draw(shares) * size for symbol in symbols}
    gross = sum((held[symbol] * prices[symbol] for symbol in symbols), Decimal(0))
    cash = draw(money("-0.8", "1.5")) * gross + draw(money("0", "5000"))
    cash = max(round(cash, 2), 100 - gross)
    return Case(
        account=account(held, prices, cash),
        targets=draw(weights(symbols)),
        rules=draw(rules()),
    )


def after_fills(case: Case, made: TradePlan) -> Case:
    """The same case once every ticket of its plan has filled at the planned price."""
    return replace(case, account=made.after)
