"""What the broker says an account holds and may do, as records.

``src.core.records.plan`` offers these names too: it is where the rest of the program imports nouns.
``_usd`` is US dollars, ``_shares`` shares, ``_utc`` an aware datetime in UTC; an unknown figure is
None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from src.core.records.portfolios import Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A managed holding: a USD stock or ETF held long, identified by ``con_id``.

    ``market_price_usd`` is the account's own price; 0 for what is worthless, or not priced yet.
    """

    con_id: int
    symbol: Symbol
    qty_shares: Decimal
    avg_cost_usd: Decimal | None = None
    market_price_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmanagedPosition:
    """Anything else held: shown, never traded, outside net liq. ``value`` is in ``currency``."""

    con_id: int
    symbol: str
    sec_type: str
    currency: str
    qty: Decimal
    value: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTerms:
    """What kind of account it is, as the broker's own rows say; empty or None: it does not say.

    ``trading_type`` is the row TradingType-S (``STKCASH``, ``STKMRGN``, ``IRAMRGN``…) and decides
    what the account may do; ``account_type`` is its legal form (``INDIVIDUAL``, ``IRA``…).
    ``available_funds_usd`` is what can open positions now. ``base_currency`` is what the broker
    gives totals and margins in.
    """

    trading_type: str = ""
    account_type: str = ""
    available_funds_usd: Decimal | None = None
    buying_power_usd: Decimal | None = None
    base_currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFigures:
    """Figures of the broker that nothing is planned with: they explain a difference to its net liq.

    ``other_cash_usd`` is the figure of USD cash that was not taken, where there are two.
    ``insured_deposit_usd`` was swept to banks and is in the cash already. None: not said.
    """

    other_cash_usd: Decimal | None = None
    accrued_cash_usd: Decimal | None = None
    accrued_dividend_usd: Decimal | None = None
    insured_deposit_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassWorth:
    """What the ledger says of all positions of a class (``OptionMarketValue``) in a currency."""

    name: str
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSnapshot:
    """What the broker said the account holds, at one moment.

    ``cash_usd`` is the ledger's USD cash. ``ignored_cash`` holds every other currency's cash in
    that currency; ``usd_per_unit`` the value of one unit of a currency in USD, where known.
    ``broker_net_liq_usd`` is the broker's own figure, used as a check only (None: not convertible).
    ``terms`` is the account's kind. ``class_worth`` stands in for the worth of single positions
    where the broker does not tell it. ``warnings`` are plain sentences for the preview.
    """

    account_id: str
    as_of_utc: datetime
    positions: tuple[Position, ...]
    unmanaged: tuple[UnmanagedPosition, ...] = ()
    cash_usd: Decimal
    ignored_cash: Mapping[str, Decimal]
    usd_per_unit: Mapping[str, Decimal]
    broker_net_liq_usd: Decimal | None = None
    terms: AccountTerms = AccountTerms()
    second_figures: SecondFigures = SecondFigures()
    class_worth: tuple[ClassWorth, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def held_shares(self) -> dict[int, Decimal]:
        """The quantity held of each contract, by con id."""
        return {one.con_id: one.qty_shares for one in self.positions}
