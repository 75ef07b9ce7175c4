"""What the gateway says: one frozen record per response.

Quantities, prices and money are ``Decimal``; ``None`` is an unset value. An ``id`` of -1 in an
error means the connection or system as a whole.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from src.simulator.messages_order import ZERO, ContractKey, Order, OrderState, TagValue


@dataclass(frozen=True, slots=True, kw_only=True)
class TickPrice:
    """A price with its size; -1 with size 0 is "no quote". ``attribs`` is a bit mask."""

    req_id: int
    tick_type: int
    price: Decimal
    size: Decimal | None = ZERO
    attribs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TickSize:
    """A size in shares."""

    req_id: int
    tick_type: int
    size: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TickGeneric:
    """A number that is neither price nor size, for example halted (49)."""

    req_id: int
    tick_type: int
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TickString:
    """A text tick, for example the time of the last trade (45), epoch seconds."""

    req_id: int
    tick_type: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatus:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMessage:
    """An error, warning or notice about request or order ``id``."""

    id: int
    code: int
    text: str
    advanced_order_reject_json: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
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
class NextValidId:
    """The lowest order id this client may use."""

    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedAccounts:
    """Account ids of the login, a comma list."""

    accounts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDetails:
    """One instrument; hours are ``yyyymmdd:hhmm-yyyymmdd:hhmm;...`` in ``time_zone_id``."""

    req_id: int
    contract: ContractKey
    market_name: str = ""
    min_tick: Decimal = Decimal("0.01")
    md_size_multiplier: int = 1
    order_types: str = ""
    valid_exchanges: str = ""
    price_magnifier: int = 1
    under_con_id: int = 0
    long_name: str = ""
    contract_month: str = ""
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    time_zone_id: str = ""
    trading_hours: str = ""
    liquid_hours: str = ""
    ev_rule: str = ""
    ev_multiplier: Decimal | None = None
    sec_ids: tuple[TagValue, ...] = ()
    agg_group: int | None = None
    under_symbol: str = ""
    under_sec_type: str = ""
    market_rule_ids: str = ""
    real_expiration_date: str = ""
    stock_type: str = ""
    min_size: Decimal | None = None
    size_increment: Decimal | None = None
    suggested_size_increment: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDetailsEnd:
    """No more instruments match."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecDetails:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecDetailsEnd:
    """No more executions for this request."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentTime:
    """The gateway's clock, epoch seconds."""

    epoch_sec: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrderEnd:
    """No more open orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickSnapshotEnd:
    """The snapshot is complete."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDataTypeGrant:
    """Kind of quotes this ticker gets: 1 live, 2 frozen, 3 delayed, 4 delayed frozen."""

    req_id: int
    market_data_type: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionReport:
    """Commission of one execution; ``realized_pnl`` is unset for an opening trade."""

    exec_id: str
    commission: Decimal
    currency: str
    realized_pnl: Decimal | None = None
    yield_: Decimal | None = None
    yield_redemption_date: int | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SecTypeName:
    """One derivative security type available on an underlying."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSample:
    """One instrument that resembles the pattern."""

    con_id: int
    symbol: str
    sec_type: str
    primary_exchange: str
    currency: str
    derivative_sec_types: tuple[SecTypeName, ...] = ()
    description: str = ""
    issuer_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSamples:
    """The instruments that resemble the pattern."""

    req_id: int
    samples: tuple[SymbolSample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReqParams:
    """Facts about a quote subscription: price increment, BBO exchange code."""

    req_id: int
    min_tick: Decimal
    bbo_exchange: str
    snapshot_permissions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceIncrement:
    """From ``low_edge`` on, prices are multiples of ``increment``."""

    low_edge: Decimal
    increment: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRule:
    """The price increments of one market rule."""

    rule_id: int
    increments: tuple[PriceIncrement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedOrder:
    """One order that ended; it carries no order id and no client id."""

    contract: ContractKey
    order: Order
    perm_id: int
    status: str
    combo_legs_descrip: str = ""
    auto_cancel_date: str = ""
    filled_quantity: Decimal | None = None
    ref_futures_con_id: int = 0
    shareholder: str = ""
    imbalance_only: bool = False
    route_marketable_to_bbo: bool = False
    parent_perm_id: int = 0
    completed_time: str = ""
    completed_status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedOrdersEnd:
    """No more completed orders."""


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
)
