"""What the gateway says: orders, executions and system messages, and the union of all responses.

Quantities, prices and money are ``Decimal``; ``None`` is an unset value. An ``id`` of -1 in an
error means the connection or system as a whole.
"""

from decimal import Decimal
from typing import NamedTuple, TypeAlias

from src.simulator.messages.account import (
    AccountDownloadEnd,
    AccountSummary,
    AccountSummaryEnd,
    AccountUpdateMulti,
    AccountUpdateMultiEnd,
    AccountUpdateTime,
    AccountValue,
    ManagedAccounts,
    PortfolioValue,
    Position,
    PositionEnd,
    PositionMulti,
    PositionMultiEnd,
)
from src.simulator.messages.market import (
    ContractDetails,
    ContractDetailsEnd,
    MarketDataTypeGrant,
    MarketRule,
    SymbolSamples,
    TickGeneric,
    TickPrice,
    TickReqParams,
    TickSize,
    TickSnapshotEnd,
    TickString,
)
from src.simulator.messages.orders import ZERO, ContractKey, Order, OrderState


class OrderStatus(NamedTuple):
    """Where an order stands; quantities in shares."""

    order_id: int
    status: str
    filled: Decimal
    remaining: Decimal
    avg_fill_price: Decimal = ZERO
    perm_id: int = 0
    parent_id: int = 0
    last_fill_price: Decimal = ZERO
    client_id: int = 0
    why_held: str = ""
    mkt_cap_price: Decimal = ZERO


class ErrorMessage(NamedTuple):
    """An error, warning or notice about request or order ``id``."""

    id: int
    code: int
    text: str
    advanced_order_reject_json: str = ""


class OpenOrder(NamedTuple):
    """One working order (or what-if answer) with all its attributes."""

    order_id: int
    contract: ContractKey
    order: Order
    state: OrderState
    client_id: int = 0
    perm_id: int = 0
    basis_points: Decimal | None = None
    basis_points_type: int | None = None
    combo_legs_descrip: str = ""
    soft_dollar_display_name: str = ""


class NextValidId(NamedTuple):
    """The lowest order id this client may use."""

    order_id: int


class ExecDetails(NamedTuple):
    """One execution; ``req_id`` is -1 when it is reported as it happens.

    ``side`` is BOT or SLD, ``time`` is ``yyyymmdd hh:mm:ss`` with an optional zone name.
    """

    req_id: int
    order_id: int
    contract: ContractKey
    exec_id: str
    time: str
    account: str
    exchange: str
    side: str
    shares: Decimal
    price: Decimal
    perm_id: int
    client_id: int
    liquidation: int = 0
    cum_qty: Decimal = ZERO
    avg_price: Decimal = ZERO
    order_ref: str = ""
    ev_rule: str = ""
    ev_multiplier: Decimal | None = None
    model_code: str = ""
    last_liquidity: int = 0
    pending_price_revision: bool = False


class ExecDetailsEnd(NamedTuple):
    """No more executions for this request."""

    req_id: int


class CurrentTime(NamedTuple):
    """The gateway's clock, epoch seconds."""

    epoch_sec: int


class OpenOrderEnd(NamedTuple):
    """No more open orders."""


class CommissionReport(NamedTuple):
    """Commission of one execution; ``realized_pnl`` is unset for an opening trade."""

    exec_id: str
    commission: Decimal
    currency: str
    realized_pnl: Decimal | None = None
    yield_: Decimal | None = None
    yield_redemption_date: int | None = None


class CompletedOrder(NamedTuple):
    """One order that ended; it carries no order id and no client id."""

    contract: ContractKey
    order: Order
    perm_id: int
    status: str
    combo_legs_descrip: str = ""
    auto_cancel_date: str = ""
    filled_quantity: Decimal | None = None
    ref_futures_con_id: int = 2**31 - 1
    shareholder: str = "Not an insider or substantial shareholder"
    imbalance_only: bool = False
    route_marketable_to_bbo: bool = False
    parent_perm_id: int = 2**63 - 1
    completed_time: str = ""
    completed_status: str = ""


class CompletedOrdersEnd(NamedTuple):
    """No more completed orders."""


class FamilyCodes(NamedTuple):
    """Families of accounts: there are none."""


class DepthExchanges(NamedTuple):
    """Venues that show market depth: none."""


class NewsProviders(NamedTuple):
    """Subscribed news providers: none."""


class ScannerParameters(NamedTuple):
    """What a market scanner can ask for: nothing."""

    xml: str = ""


class AdvisorData(NamedTuple):
    """Groups or profiles of an advisor's login: none."""

    kind: int = 1
    xml: str = ""


Response: TypeAlias = (
    TickPrice
    | TickSize
    | TickGeneric
    | TickString
    | OrderStatus
    | ErrorMessage
    | OpenOrder
    | AccountValue
    | PortfolioValue
    | AccountUpdateTime
    | AccountDownloadEnd
    | NextValidId
    | ManagedAccounts
    | ContractDetails
    | ContractDetailsEnd
    | ExecDetails
    | ExecDetailsEnd
    | CurrentTime
    | OpenOrderEnd
    | TickSnapshotEnd
    | MarketDataTypeGrant
    | CommissionReport
    | Position
    | PositionEnd
    | AccountSummary
    | AccountSummaryEnd
    | PositionMulti
    | PositionMultiEnd
    | AccountUpdateMulti
    | AccountUpdateMultiEnd
    | SymbolSamples
    | TickReqParams
    | MarketRule
    | CompletedOrder
    | CompletedOrdersEnd
    | FamilyCodes
    | DepthExchanges
    | NewsProviders
    | ScannerParameters
    | AdvisorData
)
