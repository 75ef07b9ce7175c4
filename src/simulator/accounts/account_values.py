"""The key/value rows in which TWS reports an account: base-currency totals and a ledger.

Totals are in the base currency. The ledger has a row per currency and key, and a ``BASE`` row with
the sum in base currency; ``ExchangeRate`` is the value of one unit in base currency. The keys are
those of recorded downloads, in whose many rows a client has to find what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from src.simulator.accounts.account import ZERO, Account, Figures

BASE = "BASE"
LEDGER_PREFIX = "$LEDGER-"
_CENT = Decimal("0.01")
_LEDGER_STEP = Decimal("0.0001")
_RATE = Decimal("0.0000001")
_CUSHION = Decimal("0.000001")
_WORDS = {
    "ColumnPrio-P": "12",
    "ColumnPrio-S": "3",
    "LookAheadNextChange": "0",
    "NLVAndMarginInReview": "false",
    "SegmentTitle-P": "Crypto at Paxos",
    "SegmentTitle-S": "Securities",
}
_IN_SECURITIES_ONLY = "GrossPositionValue"
_EMPTY_TOTALS = (
    "Billable",
    "Guarantee",
    "IndianStockHaircut",
    "PASharesValue",
    "PhysicalCertificateValue",
    "PostExpirationExcess",
    "PostExpirationMargin",
    "TotalDebitCardPendingCharges",
)
_EMPTY_LEDGER_KEYS = (
    "CorporateBondValue",
    "Cryptocurrency",
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


class ValueRow(NamedTuple):
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


def ledger_text(amount: Decimal) -> str:
    """Two decimals, and up to four where the amount has them."""
    rounded = amount.quantize(_LEDGER_STEP, ROUND_HALF_EVEN) + ZERO
    return money_text(rounded) if rounded == rounded.quantize(_CENT) else f"{rounded:f}"


def _totals(account: Account) -> Iterator[ValueRow]:
    figures = account.measure()
    yield ValueRow(key="AccountCode", value=account.account_id)
    for currency in (*_currencies(account), BASE):
        yield ValueRow(key="AccountOrGroup", value=account.account_id, currency=currency)
    yield ValueRow(key="AccountReady", value="true" if account.setup.ready else "false")
    yield ValueRow(key="AccountType", value=account.setup.account_type)
    yield ValueRow(key="Cushion", value=_cushion(figures))
    yield ValueRow(key="Leverage-S", value=_leverage(figures))
    for key, text in _WORDS.items():
        yield ValueRow(key=key, value=text)
    yield ValueRow(key="TradingType-S", value=account.setup.kind)
    amounts = _total_amounts(figures, account.setup.accrued_dividend)
    for key, amount in amounts.items():
        others = () if key == _IN_SECURITIES_ONLY else (("-C", ZERO), ("-P", ZERO))
        for suffix, value in (("", amount), *others, ("-S", amount)):
            yield ValueRow(key=key + suffix, value=money_text(value), currency=account.base)
    for key, amount in (
        ("BuyingPower", figures.buying_power),
        ("NetLiquidationUncertainty", ZERO),
        ("SettledCash", figures.cash - figures.unsettled),
    ):
        yield ValueRow(key=key, value=money_text(amount), currency=account.base)
    swept = account.setup.swept_cash
    if swept:
        amount = sum((swept[code] * account.rate(code) for code in swept), ZERO)
        yield ValueRow(key="InsuredDeposit", value=money_text(amount), currency=account.base)


def _total_amounts(figures: Figures, accrued_dividend: Decimal) -> dict[str, Decimal]:
    shown = {
        "AccruedCash": figures.accrued,
        "AccruedDividend": accrued_dividend,
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
    ahead = {
        f"LookAhead{key}": shown[key]
        for key in ("AvailableFunds", "ExcessLiquidity", "InitMarginReq", "MaintMarginReq")
    }
    return shown | ahead | dict.fromkeys(_EMPTY_TOTALS, ZERO)


def _ledger(account: Account) -> Iterator[ValueRow]:
    totals: dict[str, Decimal] = {}
    for currency in _currencies(account):
        rate = account.rate(currency)
        amounts = _ledger_amounts(account, currency)
        for key, amount in amounts.items():
            totals[key] = totals.get(key, ZERO) + amount * rate
        yield from _ledger_rows(currency, currency, rate, amounts)
    yield from _ledger_rows(BASE, BASE, Decimal(1), totals)


def _currencies(account: Account) -> list[str]:
    """The currencies that the ledger has a row of: those with money, and the base currency."""
    held = {holding.contract.currency for holding in account.holdings.values()}
    return sorted({*account.cash, *account.setup.accrued_cash, *held, account.base})


def _ledger_rows(
    currency: str, real_currency: str, rate: Decimal, amounts: dict[str, Decimal]
) -> Iterator[ValueRow]:
    texts = {"Currency": currency, "RealCurrency": real_currency, "ExchangeRate": _rate_text(rate)}
    texts |= {key: ledger_text(amount) for key, amount in amounts.items()}
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
        "CashBalance": cash + account.setup.swept_cash.get(currency, ZERO),
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
