"""Responses about accounts: values (as text), portfolio, positions."""

from dataclasses import dataclass
from decimal import Decimal

from src.simulator.messages.orders import ContractKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedAccounts:
    """Account ids of the login, a comma list."""

    accounts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountValue:
    """One account value; the text is as the gateway writes it, also for numbers."""

    key: str
    value: str
    currency: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioValue:
    """One position with its market value in the contract's currency."""

    contract: ContractKey
    position: Decimal
    market_price: Decimal
    market_value: Decimal
    average_cost: Decimal
    unrealized_pnl: Decimal
    realized_pnl: Decimal
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdateTime:
    """Time of the account update, ``hh:mm``."""

    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDownloadEnd:
    """The first full set of account values has been sent."""

    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One position; quantity in shares, average cost per share."""

    account: str
    contract: ContractKey
    position: Decimal
    avg_cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionEnd:
    """The first full set of positions has been sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSummary:
    """One value of an account summary."""

    req_id: int
    account: str
    tag: str
    value: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSummaryEnd:
    """The first full account summary has been sent."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionMulti:
    """One position of a ``ReqPositionsMulti``."""

    req_id: int
    account: str
    contract: ContractKey
    position: Decimal
    avg_cost: Decimal
    model_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionMultiEnd:
    """The first full set has been sent."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdateMulti:
    """One value of a ``ReqAccountUpdatesMulti``."""

    req_id: int
    account: str
    model_code: str
    key: str
    value: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdateMultiEnd:
    """The first full set has been sent."""

    req_id: int
