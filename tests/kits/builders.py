"""Records for tests, with everything a test does not care about filled in.

Numbers may be given as text, int or Decimal; ``dec`` is the one place that converts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal

from src.base.settings import RebalanceSettings
from src.core.drift import measure_drift, select_trades
from src.core.records.account import AccountSnapshot, AccountTerms, Position
from src.core.records.market import Listing, Price, PriceBook, Quote, QuoteStage
from src.core.records.orders import Side
from src.core.records.plan import DriftTable, OrderTicket, Targets, TradePlan, Valuation
from src.core.records.portfolios import CASH, ModelPortfolios, Symbol
from src.core.sizing import size_orders
from src.core.targets import hold_buffer
from src.core.valuation import value_account

Number = Decimal | int | str

ACCOUNT = "DU1234567"
NOON_UTC = datetime(2025, 1, 31, 17, 0, tzinfo=timezone.utc)
MARGIN = AccountTerms(trading_type="STKMRGN", account_type="INDIVIDUAL")


def dec(number: Number) -> Decimal:
    return Decimal(number)


def con_id(symbol: Symbol) -> int:
    """A made-up but stable contract number for a symbol."""
    return 1000 + sum((index + 1) * ord(char) for index, char in enumerate(symbol))


def portfolios(models: Mapping[str, Mapping[Symbol, Number]]) -> ModelPortfolios:
    """Model → symbol → percent points."""
    weights = {
        name: {symbol: dec(points) / 100 for symbol, points in column.items()}
        for name, column in models.items()
    }
    symbols = sorted({s for column in weights.values() for s in column} - {CASH})
    return ModelPortfolios(models=weights, symbols=tuple(symbols), lines={})


def targets(percents: Mapping[Symbol, Number]) -> Targets:
    """Symbol → percent points; what is missing to 100 is CASH."""
    weights = {symbol: dec(points) / 100 for symbol, points in percents.items()}
    weights.setdefault(CASH, 1 - sum(weights.values(), Decimal(0)))
    return Targets(weights=weights)


def snapshot(
    holdings: Mapping[Symbol, Number],
    cash: Number = 0,
    *,
    account_id: str = ACCOUNT,
    terms: AccountTerms = MARGIN,
) -> AccountSnapshot:
    """Symbol → shares, and USD cash."""
    return AccountSnapshot(
        account_id=account_id,
        as_of_utc=NOON_UTC,
        positions=tuple(
            Position(con_id=con_id(symbol), symbol=symbol, qty_shares=dec(qty))
            for symbol, qty in holdings.items()
        ),
        cash_usd=dec(cash),
        ignored_cash={},
        usd_per_unit={},
        terms=terms,
    )


def cash_terms(available: Number | None) -> AccountTerms:
    """A cash account's, with what the broker says can be spent now."""
    return AccountTerms(
        trading_type="STKCASH",
        account_type="INDIVIDUAL",
        available_funds_usd=None if available is None else dec(available),
    )


def price_book(prices: Mapping[Symbol, Number], *, halted: tuple[Symbol, ...] = ()) -> PriceBook:
    """Symbol → USD, all preferred live last prices."""
    return PriceBook(
        prices={
            symbol: Price(
                symbol=symbol,
                price_usd=dec(price),
                source="last",
                is_preferred=True,
                as_of_utc=NOON_UTC,
            )
            for symbol, price in prices.items()
        },
        halted=frozenset(halted),
    )


def account(
    holdings: Mapping[Symbol, Number], prices: Mapping[Symbol, Number], cash: Number = 0
) -> Valuation:
    """A valued account; every priced symbol is in it, held or not."""
    ids = {symbol: con_id(symbol) for symbol in prices}
    return value_account(snapshot(holdings, cash), price_book(prices), ids)


def quote(
    symbol: Symbol,
    *,
    last: Number | None = None,
    bid: Number | None = None,
    ask: Number | None = None,
    stage: QuoteStage = QuoteStage.LIVE,
) -> Quote:
    return Quote(
        symbol=symbol,
        stage=stage,
        last_usd=None if last is None else dec(last),
        bid_usd=None if bid is None else dec(bid),
        ask_usd=None if ask is None else dec(ask),
        as_of_utc=NOON_UTC,
    )


def listing(symbol: Symbol, *, stock_type: str = "ETF") -> Listing:
    return Listing(con_id=con_id(symbol), symbol=symbol, stock_type=stock_type)


def rebalance_settings(
    *,
    band_bps: Number = 50,
    min_order: Number = 0,
    buffer_pct: Number = 0,
    max_leverage: Number = "1.5",
    allow_fractional: bool = False,
) -> RebalanceSettings:
    return RebalanceSettings(
        per_holding_band_weight=dec(band_bps) / 10_000,
        min_order_usd=dec(min_order),
        cash_buffer_weight=dec(buffer_pct) / 100,
        max_leverage=dec(max_leverage),
        allow_fractional=allow_fractional,
    )


def drift_table(account_: Valuation, targets_: Targets, rules: RebalanceSettings) -> DriftTable:
    return measure_drift(account_, hold_buffer(targets_, account_, rules))


def plan(
    account_: Valuation,
    targets_: Targets,
    rules: RebalanceSettings | None = None,
    *,
    halted: tuple[Symbol, ...] = (),
) -> TradePlan:
    """The whole pure street from a valued account to a plan."""
    rules = rules or rebalance_settings()
    selection = select_trades(drift_table(account_, targets_, rules), rules)
    return size_orders(selection, account_, rules, frozenset(halted))


def ticket(
    symbol: Symbol, side: Side = Side.BUY, qty: Number = 10, price: Number = 100
) -> OrderTicket:
    return OrderTicket(
        con_id=con_id(symbol),
        symbol=symbol,
        side=side,
        qty_shares=dec(qty),
        est_price_usd=dec(price),
        est_value_usd=dec(qty) * dec(price),
    )
