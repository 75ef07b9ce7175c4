"""What a client asks: one frozen record per request.

``req_id`` is the client's own number for the request, echoed in every answer to it.
"""

from dataclasses import dataclass
from typing import TypeAlias

from src.simulator.messages.history import (
    CancelHistoricalData,
    CancelPnl,
    CancelPnlSingle,
    ReqHeadTimestamp,
    ReqHistoricalData,
    ReqPnl,
    ReqPnlSingle,
)
from src.simulator.messages.orders import ComboLeg, ContractKey, Order


@dataclass(frozen=True, slots=True, kw_only=True)
class StartApi:
    """First request of a session; nothing else is served before it."""

    client_id: int
    optional_capabilities: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMktData:
    """Quotes, as a stream or one snapshot; ``generic_ticks`` is a comma list of numbers."""

    req_id: int
    contract: ContractKey
    combo_legs: tuple[ComboLeg, ...] = ()
    has_underlying: bool = False
    underlying_con_id: int = 0
    underlying_delta: str = ""
    underlying_price: str = ""
    generic_ticks: str = ""
    snapshot: bool = False
    regulatory_snapshot: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelMktData:
    """End one quote subscription."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """Place a new order, or modify the working order of the same id and client."""

    order_id: int
    contract: ContractKey
    order: Order
    sec_id_type: str = ""
    sec_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Cancel one order of this client."""

    order_id: int
    manual_order_cancel_time: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqOpenOrders:
    """The working orders of this client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAllOpenOrders:
    """The working orders of all clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAutoOpenOrders:
    """Bind future manual orders to this client (client 0 only)."""

    auto_bind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAccountUpdates:
    """Start or stop the account and portfolio stream of one account ("" = the only one)."""

    subscribe: bool
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqExecutions:
    """Today's executions that match the filter; empty or 0 matches all."""

    req_id: int
    client_id: int = 0
    account: str = ""
    time: str = ""
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    side: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqIds:
    """Ask for the next valid order id."""

    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqContractDetails:
    """Everything known of the instruments that match ``contract``."""

    req_id: int
    contract: ContractKey
    include_expired: bool = False
    sec_id_type: str = ""
    sec_id: str = ""
    issuer_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetServerLogLevel:
    """Log level of the gateway, 1 to 5; there is no answer."""

    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqManagedAccounts:
    """The account ids of this login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqCurrentTime:
    """The gateway's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqGlobalCancel:
    """Cancel every working order of every client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMarketDataType:
    """Wanted kind of quotes: 1 live, 2 frozen, 3 delayed, 4 delayed frozen."""

    market_data_type: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPositions:
    """Positions of all accounts, then every change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPositions:
    """End the position stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAccountSummary:
    """Chosen account values (``tags`` is a comma list) of a group of accounts."""

    req_id: int
    group: str = "All"
    tags: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAccountSummary:
    """End one account summary."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPositionsMulti:
    """Positions of one account or model."""

    req_id: int
    account: str = ""
    model_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPositionsMulti:
    """End one ``ReqPositionsMulti`` stream."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAccountUpdatesMulti:
    """Account values of one account or model, without portfolio."""

    req_id: int
    account: str = ""
    model_code: str = ""
    ledger_and_nlv: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAccountUpdatesMulti:
    """End one ``ReqAccountUpdatesMulti`` stream."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMatchingSymbols:
    """Instruments whose symbol or name resembles ``pattern``."""

    req_id: int
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMarketRule:
    """The price increments of one rule; it has no request id."""

    rule_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqCompletedOrders:
    """Orders that ended today."""

    api_only: bool


Request: TypeAlias = (
    StartApi
    | ReqMktData
    | CancelMktData
    | PlaceOrder
    | CancelOrder
    | ReqOpenOrders
    | ReqAllOpenOrders
    | ReqAutoOpenOrders
    | ReqAccountUpdates
    | ReqExecutions
    | ReqIds
    | ReqContractDetails
    | SetServerLogLevel
    | ReqManagedAccounts
    | ReqHistoricalData
    | CancelHistoricalData
    | ReqCurrentTime
    | ReqGlobalCancel
    | ReqMarketDataType
    | ReqPositions
    | CancelPositions
    | ReqAccountSummary
    | CancelAccountSummary
    | ReqPositionsMulti
    | CancelPositionsMulti
    | ReqAccountUpdatesMulti
    | CancelAccountUpdatesMulti
    | ReqMatchingSymbols
    | ReqHeadTimestamp
    | ReqMarketRule
    | ReqPnl
    | ReqPnlSingle
    | CancelPnl
    | CancelPnlSingle
    | ReqCompletedOrders
)
