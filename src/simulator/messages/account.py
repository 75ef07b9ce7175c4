"""Responses about accounts: values (as text), portfolio, positions."""

from decimal import Decimal
from typing import NamedTuple

from src.simulator.messages.orders import ContractKey


class ManagedAccounts(NamedTuple):
    """Account ids of the login, a comma list."""

    accounts: str


class AccountValue(NamedTuple):
    """One account value; the text is as the gateway writes it, also for numbers."""

    key: str
    value: str
    currency: str
    account: str


class PortfolioValue(NamedTuple):
    """One position with its market value in the contract's currency."""

    contract: ContractKey
    position: Decimal
    market_price: Decimal
    market_value: Decimal
    average_cost: Decimal
    unrealized_pnl: Decimal
    realized_pnl: Decimal
    account: str


class AccountUpdateTime(NamedTuple):
    """Time of the account update, ``hh:mm``."""

    time: str


class AccountDownloadEnd(NamedTuple):
    """The first full set of account values has been sent."""

    account: str


class Position(NamedTuple):
    """One position; quantity in shares, average cost per share."""

    account: str
    contract: ContractKey
    position: Decimal
    avg_cost: Decimal


class PositionEnd(NamedTuple):
    """The first full set of positions has been sent."""


class AccountSummary(NamedTuple):
    """One value of an account summary."""

    req_id: int
    account: str
    tag: str
    value: str
    currency: str


class AccountSummaryEnd(NamedTuple):
    """The first full account summary has been sent."""

    req_id: int


class PositionMulti(NamedTuple):
    """One position of a ``ReqPositionsMulti``."""

    req_id: int
    account: str
    contract: ContractKey
    position: Decimal
    avg_cost: Decimal
    model_code: str = ""


class PositionMultiEnd(NamedTuple):
    """The first full set has been sent."""

    req_id: int


class AccountUpdateMulti(NamedTuple):
    """One value of a ``ReqAccountUpdatesMulti``."""

    req_id: int
    account: str
    model_code: str
    key: str
    value: str
    currency: str


class AccountUpdateMultiEnd(NamedTuple):
    """The first full set has been sent."""

    req_id: int
