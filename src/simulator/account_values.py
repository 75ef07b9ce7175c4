"""The key/value rows in which TWS reports an account: base-currency totals and a ledger.

Totals are in the base currency. The ledger has a row per currency and key, and a ``BASE`` row with
the sum in base currency; ``ExchangeRate`` is the value of one unit in base currency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from src.simulator.account import ZERO, Account, Figures

BASE = "BASE"
LEDGER_PREFIX = "$LEDGER-"
_CENT = Decimal("0.01")
_RATE = Decimal("0.0000001")
_CUSHION = Decimal("0.000001")
_EMPTY_LEDGER_KEYS = (
    "CorporateBond",
    "FundValue",
    "FutureOptionValue",
    "FuturesPNL",
    "FxCashBalance",
    "IssuerOptionValue",
    "MoneyMarketFundValue",
    "MutualFundValue",
    "NetDividend",
    "TBillValue",
    "TBondValue",
    "WarrantValue",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRow:
    """One account value as text; ``is_ledger`` marks the rows that exist per currency."""

    key: str
    value: str
    currency: str = ""
    is_ledger: bool = False


def account_rows(account: Account) -> list[ValueRow]:
    """All rows of an account, totals first, with the scenario's overrides applied."""
    rows = [*_totals(account), *_ledger(account)]
    overrides = {(item.key, item.currency): item.value for item in account.setup.overrides}
    shown: list[ValueRow] = []
    for row in rows:
        value = overrides.pop((row.key, row.currency), row.value)
        if value is not None:
            shown.append(
                ValueRow(key=row.key, value=value, currency=row.currency, is_ledger=row.is_ledger)
            )
    extra = (ValueRow(key=k, value=v, currency=c) for (k, c), v in overrides.items() if v)
    return [*shown, *extra]


def money_text(amount: Decimal) -> str:
    """Two decimals, without a negative zero."""
    return str(amount.quantize(_CENT, ROUND_HALF_EVEN) + ZERO)


def _totals(account: Account) -> Iterator[ValueRow]:
    figures = account.measure()
    yield ValueRow(key="AccountCode", value=account.account_id)
    yield ValueRow(key="AccountOrGroup", value=account.account_id, currency=account.base)
    yield ValueRow(key="AccountReady", value="true" if account.setup.ready else "false")
    yield ValueRow(key="AccountType", value=account.setup.account_type)
    yield ValueRow(key="Cushion", value=_cushion(figures))
    yield ValueRow(key="LookAheadNextChange", value="0")
    for key, amount in _total_amounts(figures).items():
        for suffix, value in (("", amount), ("-C", ZERO), ("-S", amount)):
            yield ValueRow(key=key + suffix, value=money_text(value), currency=account.base)
    yield ValueRow(key="BuyingPower", value=money_text(figures.buying_power), currency=account.base)
    yield ValueRow(key="Leverage-S", value=_leverage(figures))
    yield ValueRow(key="SettledCash", value=money_text(figures.cash), currency=account.base)


def _total_amounts(figures: Figures) -> dict[str, Decimal]:
    return {
        "AccruedCash": figures.accrued,
        "AvailableFunds": figures.available_funds,
        "EquityWithLoanValue": figures.equity_with_loan,
        "ExcessLiquidity": figures.excess_liquidity,
        "FullAvailableFunds": figures.available_funds,
        "FullExcessLiquidity": figures.excess_liquidity,
        "FullInitMarginReq": figures.initial_margin,
        "FullMaintMarginReq": figures.maintenance_margin,
        "GrossPositionValue": figures.gross_position_value,
        "InitMarginReq": figures.initial_margin,
        "MaintMarginReq": figures.maintenance_margin,
        "NetLiquidation": figures.net_liquidation,
        "TotalCashValue": figures.cash,
    }


def _ledger(account: Account) -> Iterator[ValueRow]:
    held = {holding.contract.currency for holding in account.holdings.values()}
    currencies = sorted({*account.cash, *account.setup.accrued_cash, *held, account.base})
    totals: dict[str, Decimal] = {}
    for currency in currencies:
        rate = account.rate(currency)
        amounts = _ledger_amounts(account, currency)
        for key, amount in amounts.items():
            totals[key] = totals.get(key, ZERO) + amount * rate
        yield from _ledger_rows(currency, currency, rate, amounts)
    yield from _ledger_rows(BASE, BASE, Decimal(1), totals)


def _ledger_rows(
    currency: str, real_currency: str, rate: Decimal, amounts: dict[str, Decimal]
) -> Iterator[ValueRow]:
    texts = {"Currency": currency, "RealCurrency": real_currency, "ExchangeRate": _rate_text(rate)}
    texts |= {key: money_text(amount) for key, amount in amounts.items()}
    texts |= dict.fromkeys(_EMPTY_LEDGER_KEYS, "0.00")
    for key in sorted(texts):
        yield ValueRow(key=key, value=texts[key], currency=currency, is_ledger=True)


def _ledger_amounts(account: Account, currency: str) -> dict[str, Decimal]:
    cash = account.cash.get(currency, ZERO)
    accrued = account.setup.accrued_cash.get(currency, ZERO)
    stocks = options = unrealized = realized = ZERO
    for holding in account.holdings.values():
        if holding.contract.currency != currency:
            continue
        value = account.value(holding)
        stocks += ZERO if holding.contract.sec_type == "OPT" else value
        options += value if holding.contract.sec_type == "OPT" else ZERO
        unrealized += value - holding.quantity * holding.avg_cost
        realized += holding.realized_pnl
    return {
        "AccruedCash": accrued,
        "CashBalance": cash,
        "NetLiquidationByCurrency": cash + accrued + stocks + options,
        "OptionMarketValue": options,
        "RealizedPnL": realized,
        "StockMarketValue": stocks,
        "TotalCashBalance": cash,
        "UnrealizedPnL": unrealized,
    }


def _rate_text(rate: Decimal) -> str:
    return "1.00" if rate == 1 else f"{rate.quantize(_RATE).normalize():f}"


def _cushion(figures: Figures) -> str:
    if figures.net_liquidation <= 0:
        return "0"
    return str((figures.excess_liquidity / figures.net_liquidation).quantize(_CUSHION))


def _leverage(figures: Figures) -> str:
    if figures.net_liquidation <= 0:
        return "0.00"
    return money_text(figures.gross_position_value / figures.net_liquidation)
