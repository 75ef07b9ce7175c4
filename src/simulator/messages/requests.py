"""What a client asks: one frozen record per request.

``req_id`` is the client's own number for the request, echoed in every answer to it.
"""

from typing import NamedTuple, TypeAlias

from src.simulator.messages.orders import ComboLeg, ContractKey, Order


class StartApi(NamedTuple):
    """First request of a session; nothing else is served before it."""

    client_id: int
    optional_capabilities: str = ""


class ReqMktData(NamedTuple):
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


class CancelMktData(NamedTuple):
    """End one quote subscription."""

    req_id: int


class PlaceOrder(NamedTuple):
    """Place a new order, or modify the working order of the same id and client."""

    order_id: int
    contract: ContractKey
    order: Order
    sec_id_type: str = ""
    sec_id: str = ""


class CancelOrder(NamedTuple):
    """Cancel one order of this client."""

    order_id: int
    manual_order_cancel_time: str = ""


class ReqOpenOrders(NamedTuple):
    """The working orders of this client."""


class ReqAllOpenOrders(NamedTuple):
    """The working orders of all clients."""


class ReqAutoOpenOrders(NamedTuple):
    """Bind future manual orders to this client (client 0 only)."""

    auto_bind: bool


class ReqAccountUpdates(NamedTuple):
    """Start or stop the account and portfolio stream of one account ("" = the only one)."""

    subscribe: bool
    account: str = ""


class ReqExecutions(NamedTuple):
    """Today's executions that match the filter; empty or 0 matches all."""

    req_id: int
    client_id: int = 0
    account: str = ""
    time: str = ""
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    side: str = ""


class ReqIds(NamedTuple):
    """Ask for the next valid order id."""

    wanted: int = 1


class ReqContractDetails(NamedTuple):
    """Everything known of the instruments that match ``contract``."""

    req_id: int
    contract: ContractKey
    include_expired: bool = False
    sec_id_type: str = ""
    sec_id: str = ""
    issuer_id: str = ""


class SetServerLogLevel(NamedTuple):
    """Log level of the gateway, 1 to 5; there is no answer."""

    level: int


class ReqManagedAccounts(NamedTuple):
    """The account ids of this login."""


class ReqCurrentTime(NamedTuple):
    """The gateway's clock."""


class ReqGlobalCancel(NamedTuple):
    """Cancel every working order of every client."""


class ReqMarketDataType(NamedTuple):
    """Wanted kind of quotes: 1 live, 2 frozen, 3 delayed, 4 delayed frozen."""

    market_data_type: int


class ReqPositions(NamedTuple):
    """Positions of all accounts, then every change."""


class CancelPositions(NamedTuple):
    """End the position stream."""


class ReqAccountSummary(NamedTuple):
    """Chosen account values (``tags`` is a comma list) of a group of accounts."""

    req_id: int
    group: str = "All"
    tags: str = ""


class CancelAccountSummary(NamedTuple):
    """End one account summary."""

    req_id: int


class ReqPositionsMulti(NamedTuple):
    """Positions of one account or model."""

    req_id: int
    account: str = ""
    model_code: str = ""


class CancelPositionsMulti(NamedTuple):
    """End one ``ReqPositionsMulti`` stream."""

    req_id: int


class ReqAccountUpdatesMulti(NamedTuple):
    """Account values of one account or model, without portfolio."""

    req_id: int
    account: str = ""
    model_code: str = ""
    ledger_and_nlv: bool = False


class CancelAccountUpdatesMulti(NamedTuple):
    """End one ``ReqAccountUpdatesMulti`` stream."""

    req_id: int


class ReqMatchingSymbols(NamedTuple):
    """Instruments whose symbol or name resembles ``pattern``."""

    req_id: int
    pattern: str


class ReqMarketRule(NamedTuple):
    """The price increments of one rule; it has no request id."""

    rule_id: int


class ReqCompletedOrders(NamedTuple):
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
    | ReqMarketRule
    | ReqCompletedOrders
)
