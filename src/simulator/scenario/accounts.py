"""Scenario records for accounts: money, holdings, and orders that exist before any client comes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from src.simulator.scenario.reader import RawDecimal

Status = Literal["PreSubmitted", "Submitted", "Filled", "Cancelled", "Inactive"]
# Paper logins only: DU accounts, and the masters DF and DI that stand beside them.
_PAPER_ID = re.compile(r"DU[A-Z]{0,2}[0-9]{4,9}|D[FI][0-9]{4,9}A?")
_LABEL = re.compile(r"\w(?:[\w -]{0,38}\w)?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def check_currency(code: str) -> None:
    """Raise ValueError unless ``code`` looks like an ISO currency code."""
    if not _CURRENCY.fullmatch(code):
        raise ValueError(f"{code!r} is not a currency code of three capital letters")


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSetup:
    """One holding; ``avg_cost`` in the contract's currency per share (option: per contract).

    Quantity 0 is a holding closed today. The ``reported_`` fields are sent in place of the truth.
    """

    quantity: Decimal
    symbol: str = ""
    con_id: int = 0
    avg_cost: Decimal = Decimal(0)
    realized_pnl: Decimal = Decimal(0)
    reported_quantity: RawDecimal | None = None
    reported_avg_cost: RawDecimal | None = None
    reported_price: RawDecimal | None = None
    reported_times: int = 1
    reported_account: str | None = None

    def __post_init__(self) -> None:
        if bool(self.symbol) == bool(self.con_id):
            raise ValueError("name the contract by either symbol or con_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueOverride:
    """An account value sent with this text whatever is true; null text leaves the row out."""

    key: str
    currency: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsettledSetup:
    """Proceeds that stand in the cash and can be spent ``after_sec`` from the start."""

    currency: str
    amount: Decimal
    after_sec: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSetup:
    """One account of the login; ``cash`` is per currency.

    ``swept_cash`` lies in insured deposits, is part of ``cash``, and is counted once more in
    CashBalance. ``trading_type`` replaces the row TradingType-S that goes with ``type``.
    ``is_linked``: account updates bring its values, but no portfolio and no end; the lists of
    positions and multi updates answer in full. ``label`` is what a person calls it.
    """

    account_id: str
    type: Literal["margin", "cash"] = "margin"
    base_currency: str = "USD"
    account_type: str = "INDIVIDUAL"
    cash: Mapping[str, Decimal] = field(default_factory=dict)
    accrued_cash: Mapping[str, Decimal] = field(default_factory=dict)
    accrued_dividend: Decimal = Decimal(0)
    swept_cash: Mapping[str, Decimal] = field(default_factory=dict)
    trading_type: str | None = None
    unsettled: tuple[UnsettledSetup, ...] = ()
    positions: tuple[PositionSetup, ...] = ()
    is_linked: bool = False
    ready: bool = True
    overrides: tuple[ValueOverride, ...] = ()
    label: str = ""

    def __post_init__(self) -> None:
        if self.label and not _LABEL.fullmatch(self.label):
            raise ValueError(f"label {self.label!r} has more than letters, digits, spaces and -")
        if not _PAPER_ID.fullmatch(self.account_id):
            raise ValueError(
                f"account_id {self.account_id!r} is not one of a paper login (DU and digits);"
                " the simulated gateway offers no other"
            )
        for code in (self.base_currency, *self.cash, *self.accrued_cash, *self.swept_cash):
            check_currency(code)

    @property
    def name(self) -> str:
        """What the account is called."""
        return self.label or self.account_id

    @property
    def settles_later(self) -> bool:
        """True where proceeds of sells cannot be spent before the next trading day."""
        return self.kind == "STKCASH"

    @property
    def kind(self) -> str:
        """What TradingType-S says."""
        if self.trading_type is not None:
            return self.trading_type
        return "STKCASH" if self.type == "cash" else "STKNOPT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSetup:
    """One execution that an order has had, ``minutes_ago`` before the start, with its number."""

    number: int
    shares: Decimal
    price: Decimal
    commission: Decimal = Decimal(0)
    minutes_ago: float = 0
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSetup:
    """An order that exists at the start: working, or finished today.

    ``client_id`` 0 with ``order_id`` 0 is an order typed by hand into TWS. ``filled`` shares were
    executed at ``fill_price`` ``minutes_ago`` before the start, or as ``executions`` say; positions
    and cash given for the account already hold them. A working order rests for ever, but with
    ``goes_on`` it fills as one placed now would.
    """

    quantity: Decimal
    side: Literal["BUY", "SELL"]
    symbol: str = ""
    con_id: int = 0
    account_id: str = ""
    client_id: int = 0
    order_id: int = 0
    perm_id: int = 0
    order_ref: str = ""
    order_type: str = "LMT"
    limit_price: Decimal | None = None
    tif: str = "GTC"
    status: Status = "Submitted"
    filled: Decimal = Decimal(0)
    fill_price: Decimal | None = None
    commission: Decimal | None = None
    minutes_ago: float = 30
    executions: tuple[ExecutionSetup, ...] = ()
    adaptive_priority: str = ""
    outside_rth: bool = False
    goes_on: bool = False

    def __post_init__(self) -> None:
        if bool(self.symbol) == bool(self.con_id):
            raise ValueError("name the contract by either symbol or con_id")
        if self.quantity <= 0 or not 0 <= self.filled <= self.quantity:
            raise ValueError("quantity must be above 0 and filled between 0 and quantity")
        if self.status == "Filled" and self.filled != self.quantity:
            raise ValueError("a Filled order needs filled equal to quantity")
        if self.minutes_ago < 0:
            raise ValueError("minutes_ago must not be negative")
